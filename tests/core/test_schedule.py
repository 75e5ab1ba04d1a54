"""Who is served when: the scheduler's rules, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.causes import End, Wish
from ggtui.core.decisions import Decision, Grant, Phase, Refusal, Refuse, Start, Stop, Ticket
from ggtui.core.residency import MemoryRoom
from ggtui.core.schedule import Rules, Scheduler

if TYPE_CHECKING:
    from ggtui.core.residency import Room

A, B, C = 1, 2, 3
READY = "it is ready"
AFTER_LOAD = "it waited for the load"


class Script:
    """A scheduler, its clock, and what it decided."""

    def __init__(self, rules: Rules | None = None, room: Room | None = None) -> None:
        self.scheduler = Scheduler(rules, room)
        self.now = 100.0
        self.next_id = 1

    def ask(
        self,
        model: int,
        needed: int | None = None,
        *,
        start: int = 4096,
        exact: bool = False,
        urgent: bool = False,
    ) -> tuple[int, list[Decision]]:
        ticket = Ticket(self.next_id, model, needed or start, needed, self.now, exact, urgent)
        self.next_id += 1
        return ticket.id, self.scheduler.request(ticket, self.now)

    def ready(self, launch_id: int, ctx: int = 4096) -> list[Decision]:
        return self.scheduler.launched(launch_id, ctx, self.now)

    def leave(self, ticket_id: int) -> list[Decision]:
        return self.scheduler.leave(ticket_id, self.now)

    def ended(self, launch_id: int) -> list[Decision]:
        return self.scheduler.ended(launch_id, self.now)

    def running(self, model: int, ctx: int = 4096) -> int:
        """Bring a model up with nobody using it; its launch id."""
        ticket, decisions = self.ask(model, ctx)
        launch_id = _start_of(decisions).launch_id
        self.ready(launch_id, ctx)
        self.leave(ticket)
        return launch_id


def _start_of(decisions: list[Decision]) -> Start:
    starts = [decision for decision in decisions if isinstance(decision, Start)]
    assert 1 == len(starts)
    return starts[0]


def test_many_requests_for_a_cold_model_share_one_start() -> None:
    script = Script()
    first, decisions = script.ask(A)
    start = _start_of(decisions)
    others = [script.ask(A) for _ in range(49)]

    assert all([] == decided for _, decided in others)

    granted = script.ready(start.launch_id)
    expected = [
        Grant(ticket, start.launch_id, AFTER_LOAD) for ticket in (first, *(ticket for ticket, _ in others))
    ]

    assert expected == granted


def test_a_ready_model_serves_at_once() -> None:
    script = Script()
    launch_id = script.running(A)
    ticket, decisions = script.ask(A)

    assert [Grant(ticket, launch_id, READY)] == decisions


def test_a_swap_waits_for_the_stream_and_starts_after_the_end() -> None:
    script = Script()
    launch_id = script.running(A)
    stream, _ = script.ask(A)
    waiter, decisions = script.ask(B)

    assert [] == decisions
    assert [Stop(launch_id, End.ROOM, B)] == script.leave(stream)

    start = _start_of(script.ended(launch_id))

    assert B == start.model_id
    assert [Grant(waiter, start.launch_id, AFTER_LOAD)] == script.ready(start.launch_id)


def test_an_idle_model_makes_way_at_once() -> None:
    script = Script()
    launch_id = script.running(A)
    _, decisions = script.ask(B)

    assert [Stop(launch_id, End.ROOM, B)] == decisions


def test_two_others_asked_together_are_both_served() -> None:
    script = Script()
    launch_a = script.running(A)
    ticket_b, _ = script.ask(B)
    ticket_c, _ = script.ask(C)
    start_b = _start_of(script.ended(launch_a))
    script.ready(start_b.launch_id)
    script.leave(ticket_b)
    start_c = _start_of(script.ended(start_b.launch_id))

    assert C == start_c.model_id
    assert [Grant(ticket_c, start_c.launch_id, AFTER_LOAD)] == script.ready(start_c.launch_id)


def test_steady_traffic_yields_after_the_turn() -> None:
    script = Script(Rules(turn_quantum_s=10))
    launch_id = script.running(A)
    held, _ = script.ask(A)
    script.ask(B)
    script.now += 9
    joined, decisions = script.ask(A)

    assert [Grant(joined, launch_id, READY)] == decisions

    script.now += 2
    _, decisions = script.ask(A)

    assert [] == decisions
    assert script.scheduler.is_draining(script.scheduler.residents[0], script.now)

    script.leave(held)

    assert [Stop(launch_id, End.ROOM, B)] == script.leave(joined)


def test_a_person_waits_for_no_turn_but_cuts_nobody() -> None:
    script = Script()
    launch_id = script.running(A)
    stream, _ = script.ask(A)
    script.ask(B, exact=True, urgent=True)
    _, decisions = script.ask(A)

    assert [] == decisions
    assert [Stop(launch_id, End.ROOM, B)] == script.leave(stream)
    assert B == _start_of(script.ended(launch_id)).model_id


def test_a_smaller_wish_reuses_and_a_larger_one_restarts_after_the_streams() -> None:
    script = Script()
    launch_id = script.running(A, 2048)
    same, decisions = script.ask(A, 1024)

    assert [Grant(same, launch_id, READY)] == decisions

    larger, decisions = script.ask(A, 8192)

    assert [] == decisions

    behind, decisions = script.ask(A, None)

    assert [] == decisions  # what comes later queues behind, so draining is bounded
    assert [Stop(launch_id, End.LARGER_CONTEXT)] == script.leave(same)

    start = _start_of(script.ended(launch_id))

    assert 8192 == start.n_ctx
    assert [
        Grant(larger, start.launch_id, AFTER_LOAD),
        Grant(behind, start.launch_id, AFTER_LOAD),
    ] == script.ready(start.launch_id, 8192)


def test_several_larger_wishes_share_one_restart_at_the_largest() -> None:
    script = Script()
    launch_id = script.running(A, 2048)
    held, _ = script.ask(A)
    script.ask(A, 4096)
    script.ask(A, 16384)
    script.ask(A, 8192)
    script.leave(held)

    assert 16384 == _start_of(script.ended(launch_id)).n_ctx


def test_a_server_at_its_ceiling_is_not_restarted_for_ever() -> None:
    script = Script()
    ticket, decisions = script.ask(A, 8192)
    start = _start_of(decisions)

    assert [Grant(ticket, start.launch_id, AFTER_LOAD)] == script.ready(start.launch_id, 4096)

    again, decisions = script.ask(A, 8192)

    assert [Grant(again, start.launch_id, READY)] == decisions


def test_a_chosen_context_restarts_even_when_smaller() -> None:
    script = Script()
    launch_id = script.running(A, 8192)
    _, decisions = script.ask(A, start=2048, exact=True, urgent=True)

    assert [Stop(launch_id, End.OTHER_CONTEXT)] == decisions
    assert 2048 == _start_of(script.ended(launch_id)).n_ctx


def test_a_failed_load_tells_all_who_wait_and_only_them() -> None:
    script = Script()
    first, decisions = script.ask(A)
    second, _ = script.ask(A)
    other, _ = script.ask(B)
    failed = script.scheduler.launch_failed(_start_of(decisions).launch_id, script.now)

    assert [Refuse(first, Refusal.LAUNCH_FAILED), Refuse(second, Refusal.LAUNCH_FAILED)] == failed[:2]
    assert B == _start_of(failed).model_id
    assert (other,) == tuple(ticket.id for ticket in script.scheduler.waiting)


def test_a_failed_enlargement_brings_the_old_size_back_and_refuses_only_the_asker() -> None:
    script = Script()
    launch_id = script.running(A, 2048)
    held, _ = script.ask(A)
    larger, _ = script.ask(A, 65536)
    behind, _ = script.ask(A)
    script.leave(held)
    start = _start_of(script.ended(launch_id))
    decisions = script.scheduler.launch_failed(start.launch_id, script.now)
    again = _start_of(decisions)

    assert Refuse(larger, Refusal.LAUNCH_FAILED) == decisions[0]
    assert 2048 == again.n_ctx
    assert [Grant(behind, again.launch_id, AFTER_LOAD)] == script.ready(again.launch_id, 2048)


def test_a_load_nobody_wants_goes_on_until_another_model_is_wanted() -> None:
    script = Script()
    ticket, decisions = script.ask(A)
    launch_id = _start_of(decisions).launch_id

    assert [] == script.leave(ticket)

    _, decisions = script.ask(B)

    assert [Stop(launch_id, End.UNWANTED)] == decisions


def test_stop_during_a_load_tells_its_waiters() -> None:
    script = Script()
    ticket, decisions = script.ask(A)
    launch_id = _start_of(decisions).launch_id

    assert [Refuse(ticket, Refusal.CANCELLED), Stop(launch_id, End.PERSON)] == script.scheduler.stop(
        None, script.now
    )
    assert [] == script.ended(launch_id)


def test_stop_lets_requests_in_flight_end() -> None:
    script = Script()
    launch_id = script.running(A)
    stream, _ = script.ask(A)

    assert [] == script.scheduler.stop(A, script.now)
    assert [Stop(launch_id, End.PERSON)] == script.leave(stream)


def test_forced_stop_waits_for_nobody() -> None:
    script = Script()
    launch_id = script.running(A)
    script.ask(A)

    assert [Stop(launch_id, End.PERSON)] == script.scheduler.stop(A, script.now, is_forced=True)


def test_a_crash_frees_the_place_and_its_leases() -> None:
    script = Script()
    launch_id = script.running(A)
    stream, _ = script.ask(A)

    assert [] == script.ended(launch_id)
    assert [] == script.leave(stream)

    _, decisions = script.ask(A)

    assert Phase.LOADING == script.scheduler.residents[0].phase
    assert A == _start_of(decisions).model_id


def test_patience_counts_only_time_without_progress() -> None:
    script = Script(Rules(admission_timeout_s=180))
    waiter, decisions = script.ask(A)
    script.now += 179
    script.scheduler.progressed(_start_of(decisions).launch_id, script.now)
    script.now += 179

    assert [] == script.scheduler.tick(script.now)
    assert script.now + 1 == script.scheduler.next_tick(script.now)

    script.now += 1

    assert [Refuse(waiter, Refusal.TIMED_OUT)] == script.scheduler.tick(script.now)


def test_what_a_ready_server_logs_keeps_nobody_waiting() -> None:
    script = Script(Rules(admission_timeout_s=180))
    launch_id = script.running(A)
    script.ask(A)
    waiter, _ = script.ask(B)
    script.now += 179
    script.scheduler.progressed(launch_id, script.now)
    script.now += 1

    assert [Refuse(waiter, Refusal.TIMED_OUT)] == script.scheduler.tick(script.now)


def test_closing_refuses_all_and_stops_all() -> None:
    script = Script()
    launch_id = script.running(A)
    script.ask(A)
    waiter, _ = script.ask(B)

    assert [Refuse(waiter, Refusal.CLOSED), Stop(launch_id, End.CLOSING)] == script.scheduler.close(
        script.now
    )

    late, decisions = script.ask(A)

    assert [Refuse(late, Refusal.CLOSED)] == decisions


def test_slots_bound_what_is_in_flight_and_the_rest_waits_in_order() -> None:
    script = Script()
    first, decisions = script.ask(A)
    start = _start_of(decisions)
    second, _ = script.ask(A)
    third, _ = script.ask(A)

    assert [Grant(first, start.launch_id, AFTER_LOAD), Grant(second, start.launch_id, AFTER_LOAD)] == (
        script.scheduler.launched(start.launch_id, 4096, script.now, n_slots=2)
    )

    fourth, decisions = script.ask(A)

    assert [] == decisions
    assert [Grant(third, start.launch_id, AFTER_LOAD)] == script.leave(first)
    assert [Grant(fourth, start.launch_id, READY)] == script.leave(second)


def test_what_needs_no_slot_waits_for_none() -> None:
    script = Script()
    _, decisions = script.ask(A)
    start = _start_of(decisions)
    script.scheduler.launched(start.launch_id, 4096, script.now, n_slots=1)
    light = Ticket(99, A, 4096, None, script.now, needs_slot=False)

    assert [Grant(99, start.launch_id, READY)] == script.scheduler.request(light, script.now)

    _, decisions = script.ask(A)

    assert [] == decisions
    assert [] == script.leave(99)  # it held no slot, so none is freed


def test_the_whole_batch_of_a_load_is_served_in_one_turn() -> None:
    script = Script(Rules(turn_quantum_s=10))
    first, decisions = script.ask(A)
    start = _start_of(decisions)
    second, _ = script.ask(A)
    script.ask(B)
    script.scheduler.launched(start.launch_id, 4096, script.now, n_slots=1)
    script.now += 20
    late, decisions = script.ask(A)

    assert [] == decisions
    assert [Grant(second, start.launch_id, AFTER_LOAD)] == script.leave(first)
    assert [Stop(start.launch_id, End.ROOM, B)] == script.leave(second)
    assert late in {ticket.id for ticket in script.scheduler.waiting}


def test_a_full_queue_refuses_the_newest() -> None:
    script = Script(Rules(max_queue=2))
    script.ask(A)
    script.ask(A)
    third, decisions = script.ask(B)

    assert [Refuse(third, Refusal.QUEUE_FULL)] == decisions


def test_an_idle_model_stays_for_its_keep_alive_time() -> None:
    script = Script(Rules(keep_alive_s=60))
    launch_id = script.running(A)

    assert script.now + 60 == script.scheduler.next_tick(script.now)

    script.now += 60

    assert [Stop(launch_id, End.IDLE)] == script.scheduler.tick(script.now)


def test_a_model_may_have_a_keep_alive_time_of_its_own_unless_a_request_says_otherwise() -> None:
    own: dict[int, float] = {A: 5.0}
    script = Script(Rules(keep_alive_s=60, keep_alive_of=own.get))
    launch_id = script.running(A)

    assert script.now + 5 == script.scheduler.next_tick(script.now)

    own[A] = 7.0

    assert script.now + 7 == script.scheduler.next_tick(script.now)

    script.scheduler.request(Ticket(50, A, 4096, None, script.now, keep_alive_s=9), script.now)
    script.leave(50)

    assert script.now + 9 == script.scheduler.next_tick(script.now)

    script.now += 9

    assert [Stop(launch_id, End.IDLE)] == script.scheduler.tick(script.now)


def test_a_model_may_stay_for_ever_where_others_do_not() -> None:
    own: dict[int, float] = {A: -1.0}
    script = Script(Rules(keep_alive_s=60, keep_alive_of=own.get))
    script.running(A)

    assert script.scheduler.next_tick(script.now) is None


def test_only_the_servers_that_are_named_are_retired() -> None:
    script = Script(room=_Wide())
    first, second = script.running(A), script.running(B)

    assert [Stop(first, End.SETTINGS)] == script.scheduler.retire([first], script.now)
    assert [second] == [r.launch_id for r in script.scheduler.residents if not r.is_unwanted]


class _Wide:
    """Everything fits."""

    def admits(self, standing: object, model_id: int, n_ctx: int) -> bool:
        return True


def test_a_request_may_set_the_keep_alive_time() -> None:
    script = Script()
    launch_id = script.running(A)
    script.scheduler.request(Ticket(50, A, 4096, None, script.now, keep_alive_s=0), script.now)

    assert [Stop(launch_id, End.IDLE)] == script.leave(50)


def test_a_pinned_model_is_never_too_long_idle_and_never_evicted() -> None:
    script = Script(Rules(keep_alive_s=60))
    launch_id = script.running(A)
    script.scheduler.pin(A, True, script.now)
    script.now += 1000

    assert [] == script.scheduler.tick(script.now)

    other, decisions = script.ask(B)

    assert [Refuse(other, Refusal.NO_ROOM)] == decisions
    assert [Stop(launch_id, End.IDLE)] == script.scheduler.pin(A, False, script.now)


def test_a_server_that_is_lost_takes_nobody_and_keeps_its_room_until_its_end() -> None:
    script = Script()
    launch_id = script.running(A)
    stream, _ = script.ask(A)

    assert [] == script.scheduler.lost(launch_id, script.now)

    waiter, decisions = script.ask(A)

    assert [] == decisions
    assert [] == script.leave(stream)

    start = _start_of(script.ended(launch_id))

    assert [waiter] == [
        grant.ticket_id for grant in script.ready(start.launch_id) if isinstance(grant, Grant)
    ]


def test_retired_servers_end_after_their_leases_and_loads_begin_anew() -> None:
    script = Script()
    launch_id = script.running(A)
    stream, _ = script.ask(A)

    assert [] == script.scheduler.retire([launch_id], script.now)

    waiter, decisions = script.ask(A)

    assert [] == decisions
    assert [Stop(launch_id, End.SETTINGS)] == script.leave(stream)

    again = _start_of(script.ended(launch_id))

    assert [Stop(again.launch_id, End.SETTINGS)] == script.scheduler.retire([again.launch_id], script.now)

    third = _start_of(script.ended(again.launch_id))

    assert [Grant(waiter, third.launch_id, AFTER_LOAD)] == script.ready(third.launch_id)


def test_a_full_queue_refuses_before_anything_is_stopped_or_started_for_it() -> None:
    script = Script(Rules(max_queue=1), MemoryRoom(lambda model_id, n_ctx: 1, lambda: 2))
    script.running(A)
    script.running(B)
    script.ask(A)
    waiter, _ = script.ask(A, 8192)
    refused, decisions = script.ask(C)

    assert [Refuse(refused, Refusal.QUEUE_FULL)] == decisions
    assert [Phase.READY, Phase.READY] == [resident.phase for resident in script.scheduler.residents]
    assert [waiter] == [ticket.id for ticket in script.scheduler.waiting]


def test_a_full_queue_keeps_nobody_from_a_server_that_is_free() -> None:
    script = Script(Rules(max_queue=1), MemoryRoom(lambda model_id, n_ctx: 1, lambda: 2))
    script.running(A)
    launch_b = script.running(B)
    script.ask(A)
    script.ask(A, 8192)
    ticket, decisions = script.ask(B)

    assert [Grant(ticket, launch_b, READY)] == decisions


def test_busy_models_that_take_turns_cannot_starve_a_third() -> None:
    script = Script(Rules(turn_quantum_s=10), MemoryRoom(lambda model_id, n_ctx: 1, lambda: 2))
    script.running(A)
    script.running(B)
    streams = [(model, script.ask(model)[0]) for model in (A, B, A, B)]
    waiter, _ = script.ask(C)
    stopped: list[Decision] = []
    for _ in range(60):  # each stream overlaps with the next one of its model
        script.now += 0.5
        model, oldest = streams.pop(0)
        ticket, decided = script.ask(model)
        if any(isinstance(decision, Grant) for decision in decided):
            streams.append((model, ticket))
        stopped += [decision for decision in script.leave(oldest) if isinstance(decision, Stop)]
        if stopped or not streams:
            break

    assert 1 == len(stopped)
    assert waiter == next(ticket.id for ticket in script.scheduler.waiting if ticket.model_id == C)


def test_who_needs_no_slot_does_not_keep_another_context_waiting_for_ever() -> None:
    script = Script()
    launch_id = script.running(A)
    stream, _ = script.ask(A)
    script.ask(A, 8192)
    counting = Ticket(99, A, 4096, None, script.now, needs_slot=False)

    assert [] == script.scheduler.request(counting, script.now)
    assert [Stop(launch_id, End.LARGER_CONTEXT)] == script.leave(stream)


def test_a_larger_size_that_fails_twice_for_lack_of_memory_brings_the_old_one_back() -> None:
    script = Script(room=MemoryRoom(lambda model_id, n_ctx: 1, lambda: 2))
    launch_a = script.running(A)
    launch_b = script.running(B)
    larger, decisions = script.ask(B, 8192)

    assert [Stop(launch_b, End.LARGER_CONTEXT)] == decisions

    start = _start_of(script.ended(launch_b))

    assert [Stop(launch_a, End.ROOM, B)] == script.scheduler.launch_failed(
        start.launch_id, script.now, is_out_of_memory=True
    )

    start = _start_of(script.ended(launch_a))
    failed = script.scheduler.launch_failed(start.launch_id, script.now, is_out_of_memory=True)

    assert [
        Refuse(larger, Refusal.LAUNCH_FAILED),
        Start(start.launch_id + 1, B, 4096, Wish.EARLIER_CONTEXT),
    ] == failed


def test_who_wanted_the_memory_to_itself_and_left_leaves_no_such_wish_behind() -> None:
    script = Script(room=MemoryRoom(lambda model_id, n_ctx: 1, lambda: 3))
    script.running(A)
    stream, _ = script.ask(A)
    waiter, decisions = script.ask(B)
    start = _start_of(decisions)

    assert [] == script.scheduler.launch_failed(start.launch_id, script.now, is_out_of_memory=True)

    script.leave(waiter)
    script.leave(stream)
    _, decisions = script.ask(B)

    assert B == _start_of(decisions).model_id
    assert [Phase.READY, Phase.LOADING] == [resident.phase for resident in script.scheduler.residents]


def test_any_number_of_models_without_room_is_refused_at_once() -> None:
    script = Script(room=MemoryRoom(lambda model_id, n_ctx: 1, lambda: 1))
    script.scheduler.pin(A, True, script.now)
    first, decisions = script.ask(A)
    waiters = [script.ask(model)[0] for model in range(2, 602)]
    expected: list[Decision] = [Grant(first, _start_of(decisions).launch_id, AFTER_LOAD)]
    expected += [Refuse(waiter, Refusal.NO_ROOM) for waiter in waiters]

    assert expected == script.ready(_start_of(decisions).launch_id)


def test_a_model_that_is_given_up_refuses_those_who_wait_for_it_and_no_others() -> None:
    script = Script()
    launch_id = script.running(A)
    script.ask(A)
    waiter, _ = script.ask(A, 8192)
    other, _ = script.ask(B)
    script.scheduler.lost(launch_id, script.now)

    assert [Refuse(waiter, Refusal.LAUNCH_FAILED)] == script.scheduler.give_up(A, script.now)
    assert [other] == [ticket.id for ticket in script.scheduler.waiting]
    assert B == _start_of(script.ended(launch_id)).model_id


def test_one_wish_that_is_too_large_does_not_fail_those_who_wait_with_it() -> None:
    script = Script()
    launch_a = script.running(A)
    stream, _ = script.ask(A)
    modest, _ = script.ask(B)
    greedy, _ = script.ask(B, 8192)
    script.leave(stream)
    start = _start_of(script.ended(launch_a))

    assert 8192 == start.n_ctx

    failed = script.scheduler.launch_failed(start.launch_id, script.now, is_out_of_memory=True)
    again = Start(start.launch_id + 1, B, 4096, Wish.REQUEST)

    assert [Refuse(greedy, Refusal.LAUNCH_FAILED), again] == failed

    failed = script.scheduler.launch_failed(again.launch_id, script.now, is_out_of_memory=True)

    assert [Refuse(modest, Refusal.LAUNCH_FAILED)] == failed


def test_a_model_has_a_server_from_its_start_until_its_end() -> None:
    script = Script()
    launch_id = script.running(A)

    assert (True, False) == (script.scheduler.has_server(A), script.scheduler.has_server(B))

    script.scheduler.stop(A, script.now)

    assert script.scheduler.has_server(A)

    script.ended(launch_id)

    assert not script.scheduler.has_server(A)
