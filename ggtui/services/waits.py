"""What requests wait for, in words while they wait and in seconds afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.core.admission import Waited
from ggtui.core.decisions import Phase
from ggtui.core.siblings import leading

if TYPE_CHECKING:
    from ggtui.core.decisions import Resident, Ticket
    from ggtui.core.schedule import Scheduler
    from ggtui.services.launches import LaunchLedger

AT_ONCE_S = 0.0005
"""A shorter wait is none."""

FOLLOWS_S = 0.05
"""A start that comes sooner after the end of a stop has waited for it."""


@dataclass(slots=True)
class _Marks:
    """Moments of one launch, monotonic seconds."""

    stop_begun: float
    """When the last stop before it was decided; the start itself when there was none."""
    started: float


class WaitBook:
    """Remembers when each launch was decided, and explains waits from that and the ledger."""

    def __init__(self, scheduler: Scheduler, ledger: LaunchLedger) -> None:
        self._scheduler = scheduler
        self._ledger = ledger
        self._marks: dict[int, _Marks] = {}
        self._stopping: dict[int, float] = {}
        """When each stop was decided that is not over."""
        self._stopped: tuple[float, float] | None = None
        """When the stops that were over last began and ended."""

    def stopping(self, launch_id: int, now: float) -> None:
        """A server is being stopped."""
        self._stopping[launch_id] = now

    def ended(self, launch_id: int, now: float) -> None:
        """A server is gone, stopped or not."""
        begun = self._stopping.pop(launch_id, None)
        if begun is None:
            return
        if self._stopped is not None and self._stopped[1] >= begun:  # both at once: one wait for both
            begun = min(begun, self._stopped[0])
        self._stopped = begun, now

    def started(self, launch_id: int, now: float) -> None:
        """A launch is decided: behind a stop that is over in this moment, or without one."""
        living = {resident.launch_id for resident in self._scheduler.residents}
        self._marks = {key: marks for key, marks in self._marks.items() if key in living}
        stopped, self._stopped = self._stopped, None
        if stopped is None or now - stopped[1] >= FOLLOWS_S:
            stopped = now, now
        self._marks[launch_id] = _Marks(stopped[0], now)

    def made_of(self, ticket: Ticket, now: float) -> Waited:
        """The parts of the wait of a ticket that is let in now."""
        resident = self._resident_of(ticket)
        if now - ticket.arrived < AT_ONCE_S or resident is None:
            return Waited()
        launch, marks = self._ledger.launch(resident.launch_id), self._marks.get(resident.launch_id)
        if launch is None or marks is None or resident.ready_at <= ticket.arrived:
            return Waited(queued_s=now - ticket.arrived)
        spawned = launch.spawned_at if launch.spawned_at is not None else resident.ready_at

        def within(begin: float, end: float) -> float:
            return max(0.0, end - max(begin, ticket.arrived))

        stop_s = within(marks.stop_begun, marks.started)
        spawn_s = within(marks.started, spawned)
        load_s = within(spawned, resident.ready_at)
        return Waited(max(0.0, now - ticket.arrived - stop_s - spawn_s - load_s), stop_s, spawn_s, load_s)

    def words(self, ticket: Ticket, now: float, position: int | None = None) -> str:
        """What a waiting ticket waits for at this moment, in a few words.

        position: its place in the line, for a caller who knows it.
        """
        resident = self._resident_of(ticket)
        if resident is not None and resident.phase is Phase.LOADING:
            launch = self._ledger.launch(resident.launch_id)
            share = launch.share_done if launch is not None else None
            percent = f" {share:.0%}" if share is not None else ""
            return f"loading{percent} for {now - resident.started_at:.0f} s"
        position = position or self._scheduler.position(ticket.id)
        place = f"queued, number {position}" if position is not None else "about to be served"
        return f"{place}{self._behind(ticket)}"

    def _behind(self, ticket: Ticket) -> str:
        others = [r for r in self._scheduler.residents if r.model_id != ticket.model_id]
        names = [launch.public_id for r in others if (launch := self._ledger.launch(r.launch_id)) is not None]
        return f", behind {', '.join(names)}" if names else ""

    def _resident_of(self, ticket: Ticket) -> Resident | None:
        own = self._scheduler.servers_of(ticket.model_id)
        using = (resident for resident in own if ticket.id in resident.leases)
        return next(using, None) or leading(own)
