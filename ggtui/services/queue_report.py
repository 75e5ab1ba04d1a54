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
    expected_s: float | None = None
    """By the loads that come before the ticket is served, its own among them; see QueueEntry."""


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
        models = dict.fromkeys(resident.model_id for resident in self._scheduler.residents)
        own = {each: server for each in models if (server := self._scheduler.server_of(each)) is not None}
        unserved = tuple(dict.fromkeys(ticket.model_id for ticket in line if ticket.model_id not in own))
        shared: dict[int, _Wait] = {}
        found = []
        for position, ticket in enumerate(line, start=1):
            if ticket.is_urgent:
                continue
            wait = shared.get(ticket.model_id)
            if wait is None:
                wait = self._wait(ticket, own, unserved, now)
                resident = own.get(ticket.model_id)
                if resident is None or resident.phase is not Phase.READY:
                    # Only who waits for a ready server may wait for another reason than the one before.
                    shared[ticket.model_id] = wait
            found.append(self._entry(ticket, position, names, now, unix_now, wait))
        return tuple(found)

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
            expected_s=wait.expected_s,
        )

    def _wait(
        self, ticket: Ticket, own: Mapping[int, Resident], unserved: tuple[int, ...], now: float
    ) -> _Wait:
        resident = own.get(ticket.model_id)
        if resident is not None:
            return self._wait_for_own(ticket, resident, unserved, now)
        ahead = unserved[: unserved.index(ticket.model_id)]
        loading = tuple(each.model_id for each in own.values() if each.phase is Phase.LOADING)
        expected_s = self._expected_s(ticket.model_id, (*loading, *ahead), now)
        if ahead:
            return _Wait(WaitPhase.BEHIND_QUEUE, ahead, expected_s)
        phase, behind = self._obstacle(tuple(own.values()), now)
        return _Wait(phase, behind, expected_s)

    def _wait_for_own(
        self, ticket: Ticket, resident: Resident, unserved: tuple[int, ...], now: float
    ) -> _Wait:
        load_s = self._expected_s(ticket.model_id, (), now)
        if resident.phase is Phase.LOADING:
            return _Wait(WaitPhase.LOADING, (), load_s)
        is_to_end = resident.phase is Phase.STOPPING or resident.is_unwanted
        if is_to_end or not resident.suits(ticket):
            return _Wait(WaitPhase.RESTART, (), load_s)
        if ticket.id in resident.turn or not self._scheduler.is_draining(resident, now):
            return _Wait(WaitPhase.SLOT)
        if self._scheduler.is_in_the_way(resident) and unserved:
            rival = unserved[:1]
            return _Wait(WaitPhase.BEHIND_QUEUE, rival, self._expected_s(ticket.model_id, rival, now))
        return _Wait(WaitPhase.RESTART, (), load_s)

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

    def _expected_s(self, model_id: int, before: Sequence[int], now: float) -> float | None:
        """What is left of these loads and of the own one, by the last ones; None when that is not known."""
        if self._ledger.load_seconds_of(model_id) is None:
            return None
        residents = self._scheduler.residents
        running = {each.model_id: now - each.started_at for each in residents if each.phase is Phase.LOADING}
        known = ((self._ledger.load_seconds_of(each), running.get(each, 0.0)) for each in (*before, model_id))
        return sum(max(0.0, load_s - elapsed_s) for load_s, elapsed_s in known if load_s is not None)
