"""Several servers of one model: when they come, who serves whom, and when they go."""

from __future__ import annotations

from ggtui.core.causes import End, Wish
from ggtui.core.decisions import Decision, Grant, Phase, Refuse, Start, Stop, Ticket
from ggtui.core.occupancy import LOOK_AGAIN_S
from ggtui.core.residency import MemoryRoom
from ggtui.core.schedule import Rules
from tests.core.test_schedule import A, B, Script


class Twice:
    """A has two servers, every other model one."""

    are_any = True

    def __init__(self, n: int = 2) -> None:
        self.n = n
        self.resting: dict[int, float] = {}

    def n_wanted(self, model_id: int) -> int:
        return self.n if model_id == A else 1

    def rests_until(self, model_id: int, replica: int) -> float:
        return self.resting.get(replica, 0.0)


def _starts(decisions: list[Decision]) -> list[tuple[int, int, Wish]]:
    """Model, number and wish of each start."""
    return [(each.model_id, each.replica, each.why) for each in decisions if isinstance(each, Start)]


def _script(
    *, rules: Rules | None = None, room: MemoryRoom | None = None, n: int = 2
) -> tuple[Script, Twice]:
    script, replicas = Script(rules, room), Twice(n)
    script.scheduler.replicas = replicas
    return script, replicas


def _both(script: Script) -> tuple[int, int]:
    """Bring both servers of A up with nobody using them; their launch ids."""
    first = script.running(A)
    second = script.scheduler.residents[-1].launch_id
    script.ready(second)
    return first, second


def test_the_second_comes_when_the_first_serves_and_nobody_waits_for_it() -> None:
    script, _ = _script()
    ticket, decisions = script.ask(A)
    assert [(A, 0, Wish.REQUEST)] == _starts(decisions)

    decisions = script.ready(1)

    assert [ticket] == [each.ticket_id for each in decisions if isinstance(each, Grant)]
    assert [(A, 1, Wish.REPLICA)] == _starts(decisions)
    assert [] == _starts(script.ready(2))


def test_requests_go_to_the_less_busy_one() -> None:
    script, _ = _script()
    first, second = _both(script)
    tickets = [script.ask(A) for _ in range(4)]
    served = [each.launch_id for _, decisions in tickets for each in decisions if isinstance(each, Grant)]
    assert [first, second, first, second] == served

    script.leave(tickets[0][0])
    script.leave(tickets[2][0])
    _, decisions = script.ask(A)

    assert [first] == [each.launch_id for each in decisions if isinstance(each, Grant)]


def test_who_waits_for_a_slot_gets_the_one_that_is_free_first() -> None:
    script, _ = _script()
    _, second = _both(script)
    for resident in script.scheduler.residents:
        resident.n_slots = 1
    tickets = [script.ask(A)[0] for _ in range(3)]

    decisions = script.leave(tickets[1])

    assert [(tickets[2], second)] == [
        (each.ticket_id, each.launch_id) for each in decisions if isinstance(each, Grant)
    ]


def test_when_one_dies_the_other_serves_and_it_is_replaced() -> None:
    script, _ = _script()
    first, second = _both(script)

    script.scheduler.lost(first, script.now)
    _, decisions = script.ask(A)
    assert [second] == [each.launch_id for each in decisions if isinstance(each, Grant)]

    assert [(A, 0, Wish.REPLICA)] == _starts(script.ended(first))


def test_one_that_rests_is_started_when_its_time_has_come() -> None:
    script, replicas = _script()
    first, _ = _both(script)
    replicas.resting[0] = script.now + 30.0

    assert [] == _starts(script.ended(first))
    assert script.scheduler.next_tick(script.now) is not None
    script.now += 29.0
    assert [] == _starts(script.scheduler.tick(script.now))
    script.now += 1.0
    assert [(A, 0, Wish.REPLICA)] == _starts(script.scheduler.tick(script.now))


def test_a_start_for_a_request_takes_one_that_does_not_rest() -> None:
    script, replicas = _script()
    replicas.resting[0] = script.now + 30.0

    assert [(A, 1, Wish.REQUEST)] == _starts(script.ask(A)[1])


def test_a_second_that_fails_to_start_costs_nobody_anything() -> None:
    script, replicas = _script()
    script.running(A)
    second = script.scheduler.residents[-1]
    assert (1, Phase.LOADING) == (second.replica, second.phase)
    script.scheduler.residents[0].n_slots = 1
    script.ask(A)
    script.ask(A)
    replicas.resting[1] = script.now + 30.0

    decisions = script.scheduler.launch_failed(second.launch_id, script.now, is_out_of_memory=True)

    assert [] == [each for each in decisions if isinstance(each, (Refuse, Stop, Start))]


def test_nobody_makes_way_for_a_second_that_found_too_little_memory() -> None:
    script, replicas = _script(room=MemoryRoom(lambda _model, _n_ctx: 1, lambda: 4))
    script.running(B)
    script.running(A)
    second = script.scheduler.residents[-1]
    assert (1, Phase.LOADING) == (second.replica, second.phase)
    replicas.resting[1] = script.now + 30.0

    script.scheduler.launch_failed(second.launch_id, script.now, is_out_of_memory=True)
    script.now += 30.0

    assert [(A, 1, Wish.REPLICA)] == _starts(script.scheduler.tick(script.now))


def test_nobody_is_stopped_for_a_second_and_it_comes_when_there_is_room() -> None:
    budget = 2
    script, _ = _script(room=MemoryRoom(lambda _model, _n_ctx: 1, lambda: budget))
    script.running(B)

    script.running(A)
    assert [B, A] == [resident.model_id for resident in script.scheduler.residents]
    budget = 3
    assert [] == _starts(script.scheduler.tick(script.now))
    script.now += LOOK_AGAIN_S

    assert [(A, 1, Wish.REPLICA)] == _starts(script.scheduler.tick(script.now))


def test_all_make_way_for_another_model_under_the_single_strategy() -> None:
    script, _ = _script()
    first, second = _both(script)

    _, decisions = script.ask(B)
    assert {(first, End.ROOM), (second, End.ROOM)} == {
        (each.launch_id, each.why) for each in decisions if isinstance(each, Stop)
    }
    assert [] == _starts(script.ended(first))

    assert [(B, 0, Wish.REQUEST)] == _starts(script.ended(second))


def test_another_model_goes_before_a_second_server() -> None:
    script, _ = _script()
    script.running(A)
    second = script.scheduler.residents[-1].launch_id

    _, decisions = script.ask(B)

    assert second in [each.launch_id for each in decisions if isinstance(each, Stop)]


def test_they_are_idle_together() -> None:
    script, _ = _script(rules=Rules(keep_alive_s=60.0))
    first, second = _both(script)
    ticket, _ = script.ask(A)
    script.now += 100.0
    assert [] == script.scheduler.tick(script.now)

    script.leave(ticket)
    script.now += 60.0

    decisions = script.scheduler.tick(script.now)
    assert [(first, End.IDLE), (second, End.IDLE)] == [
        (each.launch_id, each.why) for each in decisions if isinstance(each, Stop)
    ]
    assert [] == _starts(decisions + script.ended(first) + script.ended(second))


def test_how_long_one_stays_counts_for_both() -> None:
    script, _ = _script()
    first, second = _both(script)
    ticket = Ticket(90, A, 4096, None, script.now, keep_alive_s=30.0)
    script.scheduler.request(ticket, script.now)
    script.leave(ticket.id)
    assert [30.0, 30.0] == [each.keep_alive_s for each in script.scheduler.residents]

    starts = [each for each in script.ended(second) if isinstance(each, Start)]
    fresh = script.scheduler.resident(starts[0].launch_id)

    assert fresh is not None
    assert 30.0 == fresh.keep_alive_s
    assert first == script.scheduler.residents[0].launch_id


def test_a_larger_wish_restarts_one_and_the_other_goes_on() -> None:
    script, _ = _script()
    first, second = _both(script)
    held, _ = script.ask(A)
    also_held, _ = script.ask(A)
    script.ask(A, 8192)

    assert [first] == [each.launch_id for each in script.leave(held) if isinstance(each, Stop)]
    starts = [each for each in script.ended(first) if isinstance(each, Start)]
    assert [(0, 8192)] == [(each.replica, each.n_ctx) for each in starts]

    assert [] == [each for each in script.leave(also_held) if isinstance(each, Stop)]
    script.ready(starts[0].launch_id, 8192)
    assert {second, starts[0].launch_id} == {each.launch_id for each in script.scheduler.residents}


def test_a_person_who_stops_the_model_stops_all_and_none_comes_back() -> None:
    script, _ = _script()
    first, second = _both(script)

    decisions = script.scheduler.stop(A, script.now)

    assert [first, second] == [each.launch_id for each in decisions if isinstance(each, Stop)]
    assert [] == _starts(script.ended(first) + script.ended(second))


def test_one_too_many_is_left_until_it_is_retired() -> None:
    script, replicas = _script()
    _, second = _both(script)
    replicas.n = 1

    decisions = script.scheduler.retire([second], script.now)

    assert [second] == [each.launch_id for each in decisions if isinstance(each, Stop)]
    assert [] == _starts(script.ended(second))
