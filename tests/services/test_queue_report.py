"""Who waits for what, behind whom, and for how long at least."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ggtui.core.decisions import Ticket
from ggtui.core.residency import MemoryRoom
from ggtui.core.schedule import Rules, Scheduler
from ggtui.core.snapshot import WaitPhase
from ggtui.services.launches import LaunchLedger
from ggtui.services.logs import LogBook
from ggtui.services.queue_report import QueueReport

if TYPE_CHECKING:
    from ggtui.core.residency import Room
    from ggtui.core.snapshot import QueueEntry

ALPHA, BETA, GAMMA = 1, 2, 3
NAMES = {ALPHA: "alpha", BETA: "beta", GAMMA: "gamma"}
LOAD_S = {ALPHA: 4.0, BETA: 6.0, GAMMA: 10.0}


class Remembering(LaunchLedger):
    """Knows how long some loads took."""

    def __init__(self, load_s: dict[int, float]) -> None:
        super().__init__(LogBook())
        self._known = load_s

    def load_seconds_of(self, model_id: int) -> float | None:
        return self._known.get(model_id)


class Line:
    """A scheduler that is told what happens, and what is reported of it."""

    def __init__(self, room: Room | None = None, load_s: dict[int, float] | None = None) -> None:
        self.scheduler = Scheduler(Rules(turn_quantum_s=10.0), room)
        self._report = QueueReport(self.scheduler, Remembering(LOAD_S if load_s is None else load_s))
        self._next_id = 1

    def ask(
        self, model_id: int, now: float, *, needed_ctx: int | None = None, is_urgent: bool = False
    ) -> int:
        """A request arrives; returns its id."""
        ticket = Ticket(self._next_id, model_id, needed_ctx or 4096, needed_ctx, now, is_urgent=is_urgent)
        self._next_id += 1
        self.scheduler.request(ticket, now)
        return ticket.id

    def run(self, model_id: int, now: float, *, n_slots: int = 0) -> int:
        """A request arrives and is served by a server that was loaded for it; returns its id."""
        ticket_id = self.ask(model_id, now)
        launch_id = self.launch_of(model_id)
        self.scheduler.launched(launch_id, 4096, now, n_slots)
        return ticket_id

    def launch_of(self, model_id: int) -> int:
        return next(r.launch_id for r in self.scheduler.residents if r.model_id == model_id)

    def entries(self, now: float) -> tuple[QueueEntry, ...]:
        return self._report.entries(NAMES, now)

    def only(self, now: float) -> QueueEntry:
        (entry,) = self.entries(now)
        return entry


def test_nobody_waits() -> None:
    line = Line()
    line.run(ALPHA, 0.0)

    assert () == line.entries(1.0)


def test_a_load_is_expected_to_take_what_the_last_one_took() -> None:
    line = Line()
    line.ask(BETA, 0.0)
    entry = line.only(2.0)

    assert (1, BETA, "beta", 2.0) == (entry.position, entry.model_id, entry.public_id, entry.waiting_s)
    assert (WaitPhase.LOADING, (), 4.0) == (entry.phase, entry.behind, entry.expected_s)
    assert not entry.is_expected_at_least
    assert 0.0 == line.only(9.0).expected_s


def test_without_history_nothing_is_expected() -> None:
    line = Line(load_s={})
    line.ask(BETA, 0.0)

    assert line.only(2.0).expected_s is None


def test_behind_a_busy_model_then_behind_what_it_still_has() -> None:
    line = Line()
    line.run(ALPHA, 0.0)
    line.ask(BETA, 1.0)
    busy, draining = line.only(2.0), line.only(12.0)

    assert (WaitPhase.BEHIND_BUSY, ("alpha",), 6.0) == (busy.phase, busy.behind, busy.expected_s)
    assert (WaitPhase.BEHIND_DRAINING, ("alpha",)) == (draining.phase, draining.behind)
    assert busy.is_expected_at_least


def test_behind_a_server_that_ends() -> None:
    line = Line()
    served = line.run(ALPHA, 0.0)
    line.ask(BETA, 1.0)
    line.scheduler.leave(served, 2.0)
    entry = line.only(3.0)

    assert (WaitPhase.BEHIND_STOPPING, ("alpha",)) == (entry.phase, entry.behind)


def test_behind_another_load_counts_both_loads() -> None:
    line = Line()
    line.ask(ALPHA, 0.0)
    line.ask(BETA, 1.0)
    _, entry = line.entries(3.0)

    assert (2, WaitPhase.BEHIND_LOADING, ("alpha",)) == (entry.position, entry.phase, entry.behind)
    assert 1.0 + 6.0 == entry.expected_s


def test_behind_those_who_came_before() -> None:
    line = Line()
    line.run(ALPHA, 0.0)
    line.ask(BETA, 1.0)
    line.ask(GAMMA, 2.0)
    _, entry = line.entries(3.0)

    assert (WaitPhase.BEHIND_QUEUE, ("beta",)) == (entry.phase, entry.behind)
    assert 6.0 + 10.0 == entry.expected_s


def test_a_full_server_is_waited_for_by_slot() -> None:
    line = Line()
    line.run(ALPHA, 0.0, n_slots=1)
    line.ask(ALPHA, 1.0)
    entry = line.only(2.0)

    assert (WaitPhase.SLOT, (), None) == (entry.phase, entry.behind, entry.expected_s)


def test_a_larger_context_waits_for_a_restart() -> None:
    line = Line()
    line.run(ALPHA, 0.0)
    line.ask(ALPHA, 1.0, needed_ctx=8192)
    entry = line.only(2.0)

    assert (WaitPhase.RESTART, 8192, 4.0) == (entry.phase, entry.n_ctx, entry.expected_s)
    assert entry.is_expected_at_least


def test_when_the_turn_is_over_newcomers_wait_behind_the_rival() -> None:
    line = Line()
    line.run(ALPHA, 0.0)
    line.ask(BETA, 1.0)
    line.ask(ALPHA, 12.0)
    _, entry = line.entries(13.0)

    assert (WaitPhase.BEHIND_QUEUE, ("beta",), 6.0 + 4.0) == (entry.phase, entry.behind, entry.expected_s)


def test_a_press_has_a_place_but_is_no_request() -> None:
    line = Line()
    line.run(ALPHA, 0.0)
    line.ask(BETA, 1.0)
    line.ask(GAMMA, 2.0, is_urgent=True)
    entry = line.only(3.0)

    assert (2, "beta", ("gamma",)) == (entry.position, entry.public_id, entry.behind)


@pytest.mark.parametrize("is_pinned", [False, True])
def test_with_room_for_two_only_what_must_go_is_in_the_way(is_pinned: bool) -> None:
    line = Line(MemoryRoom(lambda _model_id, _n_ctx: 50, lambda: 100))
    line.run(ALPHA, 0.0)
    line.run(BETA, 1.0)
    line.scheduler.pin(ALPHA if is_pinned else BETA, True, 1.0)
    line.ask(GAMMA, 2.0)
    entry = line.only(3.0)

    assert (WaitPhase.BEHIND_BUSY, ("beta" if is_pinned else "alpha",)) == (entry.phase, entry.behind)
