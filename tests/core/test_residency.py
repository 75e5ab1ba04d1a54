"""Who may stand beside whom, and who makes way."""

from __future__ import annotations

from ggtui.core.causes import End, Wish
from ggtui.core.decisions import Grant, Phase, Resident, Start, Stop, Ticket
from ggtui.core.residency import MemoryRoom, SingleRoom, eviction_order, victims_for
from ggtui.core.schedule import Rules, Scheduler

A, B, C = 1, 2, 3


def _resident(model_id: int, *, last_used: float = 0, load_s: float = 1, is_busy: bool = False) -> Resident:
    resident = Resident(model_id, model_id, 4096, phase=Phase.READY, last_used=last_used, load_s=load_s)
    resident.leases = {1} if is_busy else set()
    return resident


def _room(budget: int) -> MemoryRoom:
    return MemoryRoom(lambda model_id, n_ctx: 10 * model_id, lambda: budget)


def test_a_single_room_holds_one() -> None:
    assert SingleRoom().admits([], A, 4096)
    assert not SingleRoom().admits([_resident(A)], B, 4096)


def test_a_memory_room_holds_what_the_forecasts_add_up_to() -> None:
    assert _room(30).admits([_resident(A)], B, 4096)
    assert not _room(29).admits([_resident(A)], B, 4096)


def test_another_server_of_a_model_takes_what_it_does_not_share() -> None:
    room = MemoryRoom(lambda model_id, n_ctx: 10 * model_id, lambda: 34, lambda model_id, n_ctx: 2 * model_id)

    assert room.admits([_resident(A), _resident(A)], B, 4096)
    assert room.admits([_resident(B), _resident(A)], B, 4096)
    assert not room.admits([_resident(B), _resident(A), _resident(B)], A, 4096)


def test_a_model_alone_is_always_tried() -> None:
    assert _room(0).admits([], C, 4096)


def test_idle_goes_before_busy_and_long_unused_before_fresh() -> None:
    fresh, old, busy = _resident(1, last_used=90), _resident(2, last_used=10), _resident(3, is_busy=True)

    assert [old, fresh, busy] == eviction_order([busy, fresh, old], 100)


def test_what_is_slow_to_load_again_stays_longer() -> None:
    cheap, dear = _resident(1, last_used=80, load_s=1), _resident(2, last_used=50, load_s=60)

    assert [cheap, dear] == eviction_order([dear, cheap], 100)


def test_of_busy_ones_the_cheapest_reload_goes_first_whenever_each_was_used() -> None:
    cheap, dear = _resident(1, load_s=1, is_busy=True), _resident(2, load_s=60, is_busy=True)
    for cheap.last_used, dear.last_used in ((10, 90), (90, 10)):
        assert [cheap, dear] == eviction_order([dear, cheap], 100)


def test_no_more_than_needed_is_evicted() -> None:
    small, large = _resident(1, last_used=0), _resident(4, last_used=50)

    assert [large] == victims_for(_room(50), [small, large], [small, large], C, 4096, 100)


def test_there_may_be_no_way() -> None:
    assert victims_for(_room(30), [_resident(A), _resident(C)], [], B, 4096, 100) is None


def _memory_scheduler(budget: int) -> Scheduler:
    return Scheduler(Rules(), MemoryRoom(lambda model_id, n_ctx: 10, lambda: budget))


def _load(scheduler: Scheduler, model_id: int, ticket_id: int, now: float) -> list[object]:
    """Ask, become ready at once, leave; what was decided."""
    decisions = scheduler.request(Ticket(ticket_id, model_id, 4096, None, now), now)
    start = next((decision for decision in decisions if isinstance(decision, Start)), None)
    if start is not None:
        scheduler.launched(start.launch_id, 4096, now)
    scheduler.leave(ticket_id, now)
    return [*decisions]


def test_two_that_fit_stay_and_a_third_evicts_the_one_unused_longest_but_not_the_pinned() -> None:
    scheduler = _memory_scheduler(20)
    _load(scheduler, A, 1, 0)
    _load(scheduler, B, 2, 1)

    assert [Grant(3, 1, "it is ready")] == _load(scheduler, A, 3, 2)
    assert [Grant(4, 2, "it is ready")] == _load(scheduler, B, 4, 3)

    scheduler.pin(A, True, 4)
    decisions = scheduler.request(Ticket(5, C, 4096, None, 4), 4)

    assert [Stop(2, End.ROOM, C)] == decisions
    assert [Start(3, C, 4096, Wish.REQUEST)] == scheduler.ended(2, 5)
    assert {A, C} == {resident.model_id for resident in scheduler.residents}


def test_out_of_memory_beside_others_is_tried_once_more_alone() -> None:
    scheduler = _memory_scheduler(100)
    _load(scheduler, A, 1, 0)
    scheduler.request(Ticket(2, B, 4096, None, 1), 1)

    assert [Stop(1, End.ROOM, B)] == scheduler.launch_failed(2, 2, is_out_of_memory=True)
    assert [Start(3, B, 4096, Wish.REQUEST)] == scheduler.ended(1, 3)

    refused = scheduler.launch_failed(3, 4, is_out_of_memory=True)

    assert ["launch_failed"] == [getattr(decision, "why", None) for decision in refused]
    assert () == scheduler.waiting
