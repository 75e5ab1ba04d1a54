"""Who is served by which server, and when one model makes way for another: decisions only, no effects.

A synchronous state machine: each call takes what happened and the time, and returns what must be done, in
order. Whoever carries the decisions out reports back through `launched`, `launch_failed` and `ended`.

Invariants: at most one server per place, a stopping one included; a server that holds a lease is never
stopped unless forced; within a model requests are served in order of arrival; when everybody has gone,
no lease and no ticket is left.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Phase(StrEnum):
    """Where a server stands, as far as decisions go."""

    LOADING = "loading"
    READY = "ready"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request's place in the queue."""

    id: int
    model_id: int
    start_ctx: int
    """Context of a server started for this request."""
    needed_ctx: int | None
    """A running server must offer at least this; None takes any."""
    arrived: float
    """Monotonic seconds."""
    is_exact: bool = False
    """Only a server launched with start_ctx will do: a person chose it."""
    is_urgent: bool = False
    """Goes first and waits for no turn: a person pressed the key."""


@dataclass(slots=True)
class Resident:
    """A server that takes up a place."""

    launch_id: int
    model_id: int
    n_ctx: int
    """What it was launched with."""
    phase: Phase = Phase.LOADING
    effective_ctx: int = 0
    ready_at: float = 0.0
    leases: set[int] = field(default_factory=set)
    """Ids of the tickets that use it now."""
    is_unwanted: bool = False
    """A person asked to stop it: nobody new joins."""
    restore_ctx: int | None = None
    """The size that worked before this launch with another one."""

    def suits(self, ticket: Ticket) -> bool:
        """True when this server can serve the ticket without a restart.

        A server that was launched with the needed size and reports less is at its ceiling: another
        restart would give the same, so it counts as enough.
        """
        if ticket.is_exact:
            return self.n_ctx == ticket.start_ctx
        needed = ticket.needed_ctx
        return needed is None or needed <= max(self.effective_ctx, self.n_ctx)


@dataclass(frozen=True, slots=True)
class Grant:
    """Let this ticket use this server now."""

    ticket_id: int
    launch_id: int


@dataclass(frozen=True, slots=True)
class Start:
    """Start a server."""

    launch_id: int
    model_id: int
    n_ctx: int
    why: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop a server, or cancel its load; report `ended` when it is dead."""

    launch_id: int
    why: str


class Refusal(StrEnum):
    """Why a ticket gets nothing."""

    LAUNCH_FAILED = "launch_failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Refuse:
    """Tell this ticket's owner that it gets nothing."""

    ticket_id: int
    why: Refusal


Decision = Grant | Start | Stop | Refuse
_OTHER_CONTEXT = "restart with another context"


class Scheduler:
    """One place for one server; the next model starts when the last one has ended."""

    def __init__(self, *, turn_quantum_s: float = 10.0, admission_timeout_s: float = 180.0) -> None:
        self._turn_quantum_s = turn_quantum_s
        self._admission_timeout_s = admission_timeout_s
        self._waiting: list[Ticket] = []
        self._residents: dict[int, Resident] = {}
        self._lease_of: dict[int, int] = {}
        self._next_launch_id = 1
        self._progressed_at = 0.0
        self._restarting: tuple[int, int] | None = None
        self._is_closed = False

    # What happened

    def request(self, ticket: Ticket, now: float) -> list[Decision]:
        """Somebody wants a model."""
        if self._is_closed:
            return [Refuse(ticket.id, Refusal.CLOSED)]
        self._waiting.append(ticket)
        self._waiting.sort(key=lambda waiter: not waiter.is_urgent)
        return self._settle(now)

    def leave(self, ticket_id: int, now: float) -> list[Decision]:
        """A request has ended, or its client has gone while it waited. Unknown ids are ignored."""
        self._waiting = [ticket for ticket in self._waiting if ticket.id != ticket_id]
        launch_id = self._lease_of.pop(ticket_id, None)
        resident = self._residents.get(launch_id) if launch_id is not None else None
        if resident is not None:
            resident.leases.discard(ticket_id)
        return self._settle(now)

    def progressed(self, now: float) -> None:
        """A load is getting on: nobody's patience runs out meanwhile."""
        self._progressed_at = now

    def launched(self, launch_id: int, effective_ctx: int, now: float) -> list[Decision]:
        """A server is ready. Everybody who waits for it and is suited gets it in one turn."""
        resident = self._residents.get(launch_id)
        if resident is None or resident.phase is not Phase.LOADING:
            return []
        self._progressed_at = now
        resident.phase = Phase.READY
        resident.effective_ctx = effective_ctx
        resident.ready_at = now
        resident.restore_ctx = None
        batch = [ticket for ticket in self._waiting if ticket.model_id == resident.model_id]
        granted: list[Decision] = []
        for ticket in batch:
            if not resident.suits(ticket):
                break
            granted.append(self._grant(ticket, resident))
        return granted + self._settle(now)

    def launch_failed(self, launch_id: int, now: float) -> list[Decision]:
        """A server did not come up and is dead. All who waited for it learn it at once.

        After a failed enlargement only those who asked for more are refused, and the old size comes back.
        """
        resident = self._residents.pop(launch_id, None)
        if resident is None:
            return []
        self._progressed_at = now
        restore = resident.restore_ctx if resident.phase is Phase.LOADING else None
        waiters = self._of_model(resident.model_id) if resident.phase is Phase.LOADING else []
        refused: list[Decision] = [
            self._refuse(ticket, Refusal.LAUNCH_FAILED)
            for ticket in waiters
            if restore is None or (ticket.needed_ctx or 0) > restore or ticket.is_exact
        ]
        if restore is not None and not self._residents:
            refused.append(self._start(resident.model_id, restore, "the larger context failed"))
        return refused + self._settle(now)

    def ended(self, launch_id: int, now: float) -> list[Decision]:
        """A server is dead: stopped as decided, or by itself."""
        resident = self._residents.pop(launch_id, None)
        if resident is None:
            return []
        self._progressed_at = now
        for ticket_id in resident.leases:
            self._lease_of.pop(ticket_id, None)
        decisions = self._settle(now)
        self._restarting = None
        return decisions

    def stop(self, model_id: int | None, now: float, *, is_forced: bool = False) -> list[Decision]:
        """A person wants this model, or everything, stopped. Loads are cancelled; leases end first."""
        pressed = [t for t in self._waiting if t.is_urgent and model_id in (None, t.model_id)]
        decisions: list[Decision] = [self._refuse(ticket, Refusal.CANCELLED) for ticket in pressed]
        for resident in list(self._residents.values()):
            if model_id is not None and resident.model_id != model_id:
                continue
            if resident.phase is Phase.LOADING:
                waiters = self._of_model(resident.model_id)
                decisions += [self._refuse(ticket, Refusal.CANCELLED) for ticket in waiters]
                decisions.append(self._stop(resident, "cancelled"))
            elif resident.phase is Phase.READY:
                resident.is_unwanted = True
                if is_forced:
                    decisions.append(self._stop(resident, "stopped by force"))
        return decisions + self._settle(now)

    def close(self, now: float) -> list[Decision]:
        """ggtui is ending: refuse everybody and stop everything."""
        self._is_closed = True
        decisions: list[Decision] = [self._refuse(ticket, Refusal.CLOSED) for ticket in list(self._waiting)]
        alive = [r for r in self._residents.values() if r.phase is not Phase.STOPPING]
        return decisions + [self._stop(resident, "ggtui is ending") for resident in alive]

    def tick(self, now: float) -> list[Decision]:
        """Time has passed: turns and patience may have run out."""
        overdue = [ticket for ticket in self._waiting if now >= self._patience_ends(ticket)]
        refused: list[Decision] = [self._refuse(ticket, Refusal.TIMED_OUT) for ticket in overdue]
        return refused + self._settle(now)

    # What may be asked

    def next_tick(self, now: float) -> float | None:
        """When `tick` should be called next, in monotonic seconds; None when time changes nothing."""
        if not self._waiting:
            return None
        moments = [self._patience_ends(ticket) for ticket in self._waiting]
        for resident in self._residents.values():
            if resident.phase is Phase.READY:
                moments += [self._turn_ends(resident, rival) for rival in self._rivals(resident)]
        return min((moment for moment in moments if moment > now), default=None)

    @property
    def waiting(self) -> tuple[Ticket, ...]:
        """Who waits, in the order of service."""
        return tuple(self._waiting)

    @property
    def residents(self) -> tuple[Resident, ...]:
        """The servers that take up a place. For reading only."""
        return tuple(self._residents.values())

    def resident(self, launch_id: int) -> Resident | None:
        """One server, or None when it has ended."""
        return self._residents.get(launch_id)

    def is_draining(self, resident: Resident, now: float) -> bool:
        """True when a ready server takes nobody new and only waits for its leases."""
        if resident.phase is not Phase.READY or not resident.leases:
            return False
        return resident.is_unwanted or self._must_yield(resident, now)

    # How it is decided

    def _settle(self, now: float) -> list[Decision]:
        if self._is_closed:
            return []
        decisions: list[Decision] = self._grant_all(now)
        for resident in list(self._residents.values()):
            why = self._reason_to_stop(resident)
            if why == _OTHER_CONTEXT:
                self._restarting = (resident.model_id, resident.n_ctx)
            if why:
                decisions.append(self._stop(resident, why))
        if self._waiting and not self._residents:
            first = self._waiting[0]
            wanted = max(ticket.start_ctx for ticket in self._batch_of(first))
            decisions.append(self._start(first.model_id, wanted, "first in the queue"))
        return decisions

    def _grant_all(self, now: float) -> list[Decision]:
        granted: list[Decision] = []
        blocked: set[int] = set()
        for ticket in list(self._waiting):
            resident = self._ready_resident(ticket.model_id)
            if resident is None or ticket.model_id in blocked:
                continue
            if (
                resident.is_unwanted
                or not resident.suits(ticket)
                or self._is_behind_rival(ticket, resident, now)
            ):
                blocked.add(ticket.model_id)
                continue
            granted.append(self._grant(ticket, resident))
        return granted

    def _reason_to_stop(self, resident: Resident) -> str:
        if resident.leases or resident.phase is Phase.STOPPING:
            return ""
        rivals = self._rivals(resident)
        own = self._of_model(resident.model_id)
        if resident.phase is Phase.LOADING:
            is_wanted = not (rivals or own) or any(resident.suits(ticket) for ticket in own)
            return "" if is_wanted else "nobody waits for it any more"
        if resident.is_unwanted:
            return "stopped by request"
        if any(not resident.suits(ticket) for ticket in own):
            return _OTHER_CONTEXT
        return "another model is wanted" if rivals else ""

    def _must_yield(self, resident: Resident, now: float) -> bool:
        if any(not resident.suits(ticket) for ticket in self._of_model(resident.model_id)):
            return True
        return any(now >= self._turn_ends(resident, rival) for rival in self._rivals(resident))

    def _is_behind_rival(self, ticket: Ticket, resident: Resident, now: float) -> bool:
        if ticket.is_urgent:
            return False
        return any(now >= self._turn_ends(resident, rival) for rival in self._rivals(resident))

    def _turn_ends(self, resident: Resident, rival: Ticket) -> float:
        if rival.is_urgent:
            return rival.arrived
        return max(rival.arrived, resident.ready_at) + self._turn_quantum_s

    def _patience_ends(self, ticket: Ticket) -> float:
        return max(ticket.arrived, self._progressed_at) + self._admission_timeout_s

    def _rivals(self, resident: Resident) -> list[Ticket]:
        return [ticket for ticket in self._waiting if ticket.model_id != resident.model_id]

    def _of_model(self, model_id: int) -> list[Ticket]:
        return [ticket for ticket in self._waiting if ticket.model_id == model_id]

    def _batch_of(self, first: Ticket) -> list[Ticket]:
        """Who a start should serve: an exact choice stands alone, wishes are served together."""
        if first.is_exact:
            return [first]
        return [ticket for ticket in self._of_model(first.model_id) if not ticket.is_exact]

    def _ready_resident(self, model_id: int) -> Resident | None:
        ready = (r for r in self._residents.values() if r.model_id == model_id and r.phase is Phase.READY)
        return next(ready, None)

    # How a decision is noted

    def _grant(self, ticket: Ticket, resident: Resident) -> Grant:
        self._waiting.remove(ticket)
        resident.leases.add(ticket.id)
        self._lease_of[ticket.id] = resident.launch_id
        return Grant(ticket.id, resident.launch_id)

    def _refuse(self, ticket: Ticket, why: Refusal) -> Refuse:
        self._waiting.remove(ticket)
        return Refuse(ticket.id, why)

    def _start(self, model_id: int, n_ctx: int, why: str) -> Start:
        resident = Resident(self._next_launch_id, model_id, n_ctx)
        if self._restarting and self._restarting[0] == model_id and self._restarting[1] != n_ctx:
            resident.restore_ctx = self._restarting[1]
        self._next_launch_id += 1
        self._residents[resident.launch_id] = resident
        return Start(resident.launch_id, model_id, n_ctx, why)

    def _stop(self, resident: Resident, why: str) -> Stop:
        resident.phase = Phase.STOPPING
        return Stop(resident.launch_id, why)
