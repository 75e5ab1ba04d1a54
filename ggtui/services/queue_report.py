"""Who waits, for what and for how long: the line of the scheduler as everybody may see it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.core.decisions import Phase
from ggtui.core.snapshot import QueueEntry, WaitPhase
from ggtui.services.waits import WaitBook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ggtui.core.decisions import Resident, Ticket
    from ggtui.core.schedule import Scheduler
    from ggtui.services.launches import LaunchLedger


@dataclass(frozen=True, slots=True)
class _Wait:
    """What stands before one ticket: models in the order in which they come first."""

    phase: WaitPhase
    behind: tuple[int, ...] = ()
    loads: tuple[int, ...] = ()
    """Models that will be loaded before the ticket is served, its own among them."""


class QueueReport:
    """Reads the scheduler and the ledger of launches, and changes neither."""

    def __init__(self, scheduler: Scheduler, ledger: LaunchLedger) -> None:
        self._scheduler = scheduler
        self._ledger = ledger
        self._waits = WaitBook(scheduler, ledger)

    def entries(self, names: Mapping[int, str], now: float) -> tuple[QueueEntry, ...]:
        """All requests that wait, in the order of service.

        A person's own press takes a place in the line but is seen as the state of its model, not as a
        request. names: public ids by model. now: monotonic seconds.
        """
        line = self._scheduler.waiting
        if not line:
            return ()
        unix_now = time.time()
        own = {resident.model_id: resident for resident in self._scheduler.residents}
        unserved = tuple(dict.fromkeys(ticket.model_id for ticket in line if ticket.model_id not in own))
        return tuple(
            self._entry(ticket, position, names, now, unix_now, self._wait(ticket, own, unserved, now))
            for position, ticket in enumerate(line, start=1)
            if not ticket.is_urgent
        )

    def _entry(
        self,
        ticket: Ticket,
        position: int,
        names: Mapping[int, str],
        now: float,
        unix_now: float,
        wait: _Wait,
    ) -> QueueEntry:
        waiting_s = max(0.0, now - ticket.arrived)
        return QueueEntry(
            names.get(ticket.model_id, ""),
            ticket.needed_ctx,
            waiting_s,
            self._waits.words(ticket, now, position),
            position=position,
            model_id=ticket.model_id,
            since=unix_now - waiting_s,
            phase=wait.phase,
            behind=tuple(names.get(model_id, "") for model_id in wait.behind),
            expected_s=self._expected_s(ticket.model_id, wait.loads, now),
        )

    def _wait(
        self, ticket: Ticket, own: Mapping[int, Resident], unserved: tuple[int, ...], now: float
    ) -> _Wait:
        resident = own.get(ticket.model_id)
        if resident is not None:
            return self._wait_for_own(ticket, resident, unserved, now)
        ahead = unserved[: unserved.index(ticket.model_id)]
        loading = tuple(each.model_id for each in own.values() if each.phase is Phase.LOADING)
        loads = (*loading, *ahead, ticket.model_id)
        if ahead:
            return _Wait(WaitPhase.BEHIND_QUEUE, ahead, loads)
        phase, behind = self._obstacle(tuple(own.values()), now)
        return _Wait(phase, behind, loads)

    def _wait_for_own(
        self, ticket: Ticket, resident: Resident, unserved: tuple[int, ...], now: float
    ) -> _Wait:
        own = (ticket.model_id,)
        if resident.phase is Phase.LOADING:
            return _Wait(WaitPhase.LOADING, (), own)
        is_to_end = resident.phase is Phase.STOPPING or resident.is_unwanted
        if is_to_end or not resident.suits(ticket):
            return _Wait(WaitPhase.RESTART, (), own)
        if ticket.id in resident.turn or not self._scheduler.is_draining(resident, now):
            return _Wait(WaitPhase.SLOT)
        if self._scheduler.is_in_the_way(resident) and unserved:
            return _Wait(WaitPhase.BEHIND_QUEUE, unserved[:1], (*unserved[:1], *own))
        return _Wait(WaitPhase.RESTART, (), own)

    def _obstacle(self, residents: Sequence[Resident], now: float) -> tuple[WaitPhase, tuple[int, ...]]:
        """What keeps the first model without a server from having one: what takes longest, first."""
        kinds = (
            (WaitPhase.BEHIND_LOADING, [r for r in residents if r.phase is Phase.LOADING]),
            (WaitPhase.BEHIND_BUSY, [r for r in residents if self._is_busy(r, now)]),
            (WaitPhase.BEHIND_DRAINING, [r for r in residents if self._is_yielding(r, now)]),
            (WaitPhase.BEHIND_STOPPING, [r for r in residents if r.phase is Phase.STOPPING]),
        )
        phase = next((phase for phase, found in kinds if found), WaitPhase.BEHIND_QUEUE)
        return phase, tuple(each.model_id for _, found in kinds for each in found)

    def _is_busy(self, resident: Resident, now: float) -> bool:
        is_in_the_way = resident.phase is Phase.READY and self._scheduler.is_in_the_way(resident)
        return is_in_the_way and not self._is_yielding(resident, now)

    def _is_yielding(self, resident: Resident, now: float) -> bool:
        is_in_the_way = self._scheduler.is_in_the_way(resident)
        return self._scheduler.is_draining(resident, now) and (is_in_the_way or resident.is_unwanted)

    def _expected_s(self, model_id: int, loads: Sequence[int], now: float) -> float | None:
        """The loads that are still to come, as long as they took before; the own one must be known."""
        if model_id not in loads or self._ledger.load_seconds_of(model_id) is None:
            return None
        running = {
            r.model_id: now - r.started_at for r in self._scheduler.residents if r.phase is Phase.LOADING
        }
        known = ((self._ledger.load_seconds_of(each), running.get(each, 0.0)) for each in loads)
        return sum(max(0.0, load_s - elapsed_s) for load_s, elapsed_s in known if load_s is not None)
