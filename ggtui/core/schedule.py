"""Who is served by which server, and when one model makes way for another: decisions only, no effects.

A synchronous state machine: each call takes what happened and the time, and returns what must be done, in
order, each decision with its reason in words. Whoever carries the decisions out reports back through
`launched`, `launch_failed` and `ended`.

Invariants: the servers that stand fit the room, stopping ones included; one load at a time; a server that
holds a lease is never stopped unless forced; within a model requests are served in order of arrival; when
everybody has gone, no lease and no ticket is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.core.decisions import Decision, Grant, Phase, Refusal, Refuse, Resident, Start, Stop, Ticket
from ggtui.core.line import Line
from ggtui.core.residency import Room, SingleRoom, victims_for

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


@dataclass(frozen=True, slots=True)
class _Lease:
    launch_id: int
    needs_slot: bool


_OTHER_CONTEXT = "restart with another context"
_NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Rules:
    """How patient and how generous the scheduler is. Times in seconds."""

    turn_quantum_s: float = 10.0
    """How long a busy model keeps taking new requests while a rival waits for its room."""
    admission_timeout_s: float = 180.0
    """How long a request waits while nothing gets on."""
    max_queue: int = 1024
    """Requests that may wait at once."""
    keep_alive_s: float = -1.0
    """How long an idle model stays when nobody said otherwise; negative for ever."""
    keep_alive_of: Callable[[int], float | None] = lambda _model_id: None
    """The same for one model, asked each time; None where nothing was set for it."""


class Scheduler:
    """Decides for as many servers as the room admits."""

    def __init__(self, rules: Rules | None = None, room: Room | None = None) -> None:
        self.rules = rules or Rules()
        self._room: Room = room or SingleRoom()
        self._line = Line()
        self._residents: dict[int, Resident] = {}
        self._leases: dict[int, _Lease] = {}
        self._pinned: set[int] = set()
        self._alone: set[int] = set()
        self._in_the_way = _NOBODY
        self._restarting: dict[int, int] = {}
        self._next_launch_id = 1
        self._progressed_at = 0.0
        self._is_closed = False

    # What happened

    def request(self, ticket: Ticket, now: float) -> list[Decision]:
        """Somebody wants a model."""
        if self._is_closed:
            return [Refuse(ticket.id, Refusal.CLOSED)]
        server = self.server_of(ticket.model_id) if not self._line else None
        if server is not None and self._may_join(ticket, server, now):
            return [self._grant(ticket, server)]  # nobody waits, so nobody else's turn comes by it
        return self._queue(ticket, now)

    def _queue(self, ticket: Ticket, now: float) -> list[Decision]:
        if len(self._line) >= self.rules.max_queue and not self._is_let_past(ticket, now):
            return [Refuse(ticket.id, Refusal.QUEUE_FULL)]  # before anything is stopped or started for it
        self._line.add(ticket)
        return self._settle(now)

    def _is_let_past(self, ticket: Ticket, now: float) -> bool:
        """True for a ticket that is urgent, or joins its server at once: no place in the line is taken."""
        if ticket.is_urgent:
            return True
        server = self.server_of(ticket.model_id) if ticket.model_id not in self._line.models else None
        return server is not None and self._may_join(ticket, server, now)

    def leave(self, ticket_id: int, now: float) -> list[Decision]:
        """A request has ended, or its client has gone while it waited. Unknown ids are ignored."""
        waiting = self._line.get(ticket_id)
        if waiting is not None:
            self._line.remove(waiting)
        lease = self._leases.pop(ticket_id, None)
        resident = self._residents.get(lease.launch_id) if lease is not None else None
        if lease is not None and resident is not None:
            resident.leases.discard(ticket_id)
            resident.n_slots_taken -= lease.needs_slot
            resident.last_used = self._progressed_at = now
        return self._settle(now)

    def progressed(self, launch_id: int, now: float) -> None:
        """A load is getting on: nobody's patience runs out meanwhile. What a ready server says is no sign."""
        resident = self._residents.get(launch_id)
        if resident is not None and resident.phase is Phase.LOADING:
            self._progressed_at = now

    def launched(self, launch_id: int, effective_ctx: int, now: float, n_slots: int = 0) -> list[Decision]:
        """A server is ready. Everybody who waits for it and is suited is served in its turn."""
        resident = self._residents.get(launch_id)
        if resident is None or resident.phase is not Phase.LOADING:
            return []
        self._progressed_at = now
        self._alone.discard(resident.model_id)
        resident.phase = Phase.READY
        resident.effective_ctx = effective_ctx
        resident.n_slots = n_slots
        resident.ready_at = resident.last_used = now
        resident.load_s = now - resident.started_at
        resident.restore_ctx = None
        resident.turn = {ticket.id for ticket in self._of_model(resident.model_id)}
        return self._settle(now)

    def launch_failed(self, launch_id: int, now: float, *, is_out_of_memory: bool = False) -> list[Decision]:
        """A server did not come up and is dead. All who waited for it learn it at once.

        Out of memory beside others, it is tried once more with the room to itself. Out of memory for the
        largest wish, the smaller ones are tried without it. After a failed enlargement only those who asked
        for more are refused, and the old size comes back.
        """
        resident = self._residents.pop(launch_id, None)
        if resident is None:
            return []
        self._progressed_at = now
        if resident.phase is not Phase.LOADING:
            return self._settle(now)
        if is_out_of_memory and resident.model_id not in self._alone and self._evictable():
            self._alone.add(resident.model_id)
            if resident.restore_ctx is not None:
                self._restarting[resident.model_id] = resident.restore_ctx
            return self._settle(now)
        self._alone.discard(resident.model_id)
        restore = resident.restore_ctx
        refused: list[Decision] = [
            self._refuse(ticket, Refusal.LAUNCH_FAILED)
            for ticket in self._of_model(resident.model_id)
            if ticket.is_exact or _has_failed(ticket, resident, is_out_of_memory=is_out_of_memory)
        ]
        if restore is not None and self._admits(resident.model_id, restore):
            refused.append(self._start(resident.model_id, restore, "the other context failed", now))
        return refused + self._settle(now)

    def lost(self, launch_id: int, now: float) -> list[Decision]:
        """A ready server is dead or about to be, though nobody decided so: nobody new joins until `ended`."""
        resident = self._residents.get(launch_id)
        if resident is None or resident.phase is not Phase.READY:
            return []
        resident.phase = Phase.STOPPING
        return self._settle(now)

    def ended(self, launch_id: int, now: float) -> list[Decision]:
        """A server is dead: stopped as decided, or by itself."""
        resident = self._residents.pop(launch_id, None)
        if resident is None:
            return []
        self._progressed_at = now
        for ticket_id in resident.leases:
            self._leases.pop(ticket_id, None)
        return self._settle(now)

    def give_up(self, model_id: int, now: float) -> list[Decision]:
        """This model is left alone for a while: whoever waits for it learns it at once."""
        waiting = self._of_model(model_id)
        refused: list[Decision] = [self._refuse(ticket, Refusal.LAUNCH_FAILED) for ticket in waiting]
        return refused + self._settle(now)

    def stop(self, model_id: int | None, now: float, *, is_forced: bool = False) -> list[Decision]:
        """A person wants this model, or everything, stopped. Loads are cancelled; leases end first."""
        pressed = [t for t in self._line if t.is_urgent and model_id in (None, t.model_id)]
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

    def retire(self, launch_ids: Collection[int], now: float) -> list[Decision]:
        """These servers would be launched otherwise now: they end after their leases, loads begin anew.

        Nobody who waits is refused.
        """
        outdated = [r for r in self._residents.values() if r.launch_id in launch_ids]
        for resident in outdated:
            resident.is_unwanted = True
        loading = [r for r in outdated if r.phase is Phase.LOADING]
        decisions: list[Decision] = [self._stop(resident, "its settings changed") for resident in loading]
        return decisions + self._settle(now)

    def pin(self, model_id: int, is_pinned: bool, now: float) -> list[Decision]:
        """Keep a model, once it is resident, until it is unpinned: never evicted, never too long idle."""
        (self._pinned.add if is_pinned else self._pinned.discard)(model_id)
        return self._settle(now)

    def close(self, now: float) -> list[Decision]:
        """ggtui is ending: refuse everybody and stop everything."""
        self._is_closed = True
        decisions: list[Decision] = [self._refuse(ticket, Refusal.CLOSED) for ticket in list(self._line)]
        alive = [r for r in self._residents.values() if r.phase is not Phase.STOPPING]
        return decisions + [self._stop(resident, "ggtui is ending") for resident in alive]

    def tick(self, now: float) -> list[Decision]:
        """Time has passed: turns, patience and idle times may have run out."""
        overdue = [ticket for ticket in self._line if now >= self._patience_ends(ticket)]
        refused: list[Decision] = [self._refuse(ticket, Refusal.TIMED_OUT) for ticket in overdue]
        return refused + self._settle(now)

    # What may be asked

    def next_tick(self, now: float) -> float | None:
        """When `tick` should be called next, in monotonic seconds; None when time changes nothing."""
        moments: list[float] = []
        for resident in self._residents.values():
            idle_ends = self._idle_ends(resident)
            if idle_ends is not None:
                moments.append(idle_ends)
        if self._line:
            moments += self._moments_of_the_queue()
        return min((moment for moment in moments if moment > now), default=None) if moments else None

    def _moments_of_the_queue(self) -> list[float]:
        """When patience runs out, and when turns end for the first whose model has no server."""
        moments = [self._patience_ends(ticket) for ticket in self._line.firsts()]
        head = self._head()
        if head is not None:
            busy = (r for r in self._residents.values() if r.launch_id in self._in_the_way)
            moments += [self._turn_ends(resident, head) for resident in busy]
        return moments

    @property
    def waiting(self) -> tuple[Ticket, ...]:
        """Who waits, in the order of service."""
        return tuple(self._line)

    @property
    def residents(self) -> tuple[Resident, ...]:
        """The servers that take up room, oldest first. For reading only."""
        return tuple(self._residents.values())

    @property
    def pinned(self) -> frozenset[int]:
        """Ids of the models that are never evicted."""
        return frozenset(self._pinned)

    def server_of(self, model_id: int) -> Resident | None:
        """The server that takes up room for this model, in whatever phase; None when there is none."""
        for resident in self._residents.values():
            if resident.model_id == model_id:
                return resident
        return None

    def resident(self, launch_id: int) -> Resident | None:
        """One server, or None when it has ended."""
        return self._residents.get(launch_id)

    def is_draining(self, resident: Resident, now: float) -> bool:
        """True when a ready server takes nobody new and only waits for its leases."""
        if resident.phase is not Phase.READY or not resident.leases:
            return False
        return resident.is_unwanted or self._must_yield(resident, now)

    def is_in_the_way(self, resident: Resident) -> bool:
        """True when it must go before the first whose model has no server can have one."""
        return resident.launch_id in self._in_the_way

    def position(self, ticket_id: int) -> int | None:
        """The ticket's place among those who wait, 1 for the first; None when it does not wait."""
        places = enumerate(self._line, start=1)
        return next((place for place, ticket in places if ticket.id == ticket_id), None)

    # How it is decided

    def _settle(self, now: float) -> list[Decision]:
        if self._is_closed:
            return []
        if self._alone or self._restarting:
            self._forget_plans()
        if not self._line:  # the usual case: nobody to let in, to start for, or to make way for
            self._in_the_way = _NOBODY
            return self._stop_all_that_should(now)
        return self._settle_queue(now)

    def _settle_queue(self, now: float) -> list[Decision]:
        decisions: list[Decision] = []
        while True:
            head = self._head()
            victims = self._find_victims(head, now) if head is not None else []
            self._in_the_way = frozenset(resident.launch_id for resident in victims or ())
            decisions += self._grant_all(now) + self._stop_all_that_should(now)
            if head is None:  # no grant and no stop so far changes who it is
                return decisions
            if victims is not None or self._is_changing():
                return decisions + self._place(head, now)
            decisions += [self._refuse(t, Refusal.NO_ROOM) for t in self._of_model(head.model_id)]

    def _is_changing(self) -> bool:
        """True while a load or a stop may still make room."""
        return any(resident.phase is not Phase.READY for resident in self._residents.values())

    def _forget_plans(self) -> None:
        """How a model was to be started counts only while it has a server or somebody waits for it."""
        wanted = {resident.model_id for resident in self._residents.values()} | self._line.models
        self._alone &= wanted
        self._restarting = {key: n_ctx for key, n_ctx in self._restarting.items() if key in wanted}

    def _stop_all_that_should(self, now: float) -> list[Decision]:
        decisions: list[Decision] = []
        for resident in self._residents.values():
            why = self._reason_to_stop(resident, now)
            if why == _OTHER_CONTEXT:
                self._restarting[resident.model_id] = resident.n_ctx
            if why:
                decisions.append(self._stop(resident, why))
        return decisions

    def _head(self) -> Ticket | None:
        """The first in the queue whose model has no server at all."""
        if not self._line:
            return None
        standing = {resident.model_id for resident in self._residents.values()}
        if standing.issuperset(self._line.models):
            return None
        return next(ticket for ticket in self._line if ticket.model_id not in standing)

    def _find_victims(self, head: Ticket, now: float) -> list[Resident] | None:
        """The servers that must go for the head of the queue; None when all that may go are too few."""
        staying = [r for r in self._residents.values() if r.phase is not Phase.STOPPING]
        evictable = self._evictable()
        if head.model_id in self._alone:
            return evictable
        return victims_for(self._room, staying, evictable, head.model_id, self._wanted_ctx(head), now)

    def _evictable(self) -> list[Resident]:
        return [
            resident
            for resident in self._residents.values()
            if resident.phase is Phase.READY and resident.model_id not in self._pinned
        ]

    def _place(self, head: Ticket, now: float) -> list[Decision]:
        """Start the head of the queue when nothing loads and there is room."""
        n_ctx = self._wanted_ctx(head)
        is_loading = any(resident.phase is Phase.LOADING for resident in self._residents.values())
        if is_loading or not self._admits(head.model_id, n_ctx):
            return []
        return [self._start(head.model_id, n_ctx, "first in the queue", now)]

    def _admits(self, model_id: int, n_ctx: int) -> bool:
        standing = list(self._residents.values())
        if model_id in self._alone and any(r.model_id not in self._pinned for r in standing):
            return False
        return self._room.admits(standing, model_id, n_ctx)

    def _grant_all(self, now: float) -> list[Decision]:
        """Let in whoever may join, in order; behind one who may not, nobody of the same model does.

        Who needs no slot passes those who wait for one, and not those who wait for another context.
        """
        ready = {r.model_id: r for r in self._residents.values() if r.phase is Phase.READY}
        open_models = ready.keys() & self._line.models
        passable = set(open_models)
        served: list[tuple[Ticket, Decision]] = []
        for ticket in self._line:
            if not open_models and not self._line.has_slotless:
                break
            resident = ready.get(ticket.model_id)
            is_behind = ticket.model_id not in (open_models if ticket.needs_slot else passable)
            if resident is None or (is_behind and not ticket.is_urgent):
                continue
            if self._may_join(ticket, resident, now):
                served.append((ticket, self._grant(ticket, resident)))
                continue
            open_models.discard(ticket.model_id)
            if not resident.suits(ticket):
                passable.discard(ticket.model_id)
        for ticket, _ in served:
            self._line.remove(ticket)
        return [decision for _, decision in served]

    def _may_join(self, ticket: Ticket, resident: Resident, now: float) -> bool:
        if resident.phase is not Phase.READY or resident.is_unwanted or not resident.suits(ticket):
            return False
        if ticket.is_urgent:
            return True
        if ticket.needs_slot and resident.is_full:
            return False
        return ticket.id in resident.turn or not self._is_turn_over(resident, now)

    def _reason_to_stop(self, resident: Resident, now: float) -> str:
        if resident.leases or resident.phase is Phase.STOPPING:
            return ""
        own = self._of_model(resident.model_id)
        if resident.phase is Phase.LOADING:
            is_in_the_way = bool(own) or self._head() is not None
            is_wanted = not is_in_the_way or any(resident.suits(ticket) for ticket in own)
            return "" if is_wanted else "nobody waits for it any more"
        if resident.is_unwanted:
            return "stopped by request"
        if any(not resident.suits(ticket) for ticket in own):
            return _OTHER_CONTEXT
        if resident.launch_id in self._in_the_way:
            return "another model needs its room"
        idle_ends = self._idle_ends(resident)
        return "idle for its keep-alive time" if idle_ends is not None and now >= idle_ends else ""

    def _must_yield(self, resident: Resident, now: float) -> bool:
        if any(not resident.suits(ticket) for ticket in self._of_model(resident.model_id)):
            return True
        return self._is_turn_over(resident, now)

    def _is_turn_over(self, resident: Resident, now: float) -> bool:
        if resident.launch_id not in self._in_the_way:
            return False
        head = self._head()
        return head is not None and now >= self._turn_ends(resident, head)

    def _turn_ends(self, resident: Resident, rival: Ticket) -> float:
        if rival.is_urgent:
            return rival.arrived
        return max(rival.arrived, resident.ready_at) + self.rules.turn_quantum_s

    def _patience_ends(self, ticket: Ticket) -> float:
        return max(ticket.arrived, self._progressed_at) + self.rules.admission_timeout_s

    def _idle_ends(self, resident: Resident) -> float | None:
        is_idle = resident.phase is Phase.READY and not resident.leases
        if not is_idle or resident.model_id in self._pinned:
            return None
        keep_alive_s = self.keep_alive_s(resident)
        return resident.last_used + keep_alive_s if keep_alive_s >= 0 else None

    def keep_alive_s(self, resident: Resident) -> float:
        """Its idle time, negative for ever: what a request said, else what was set for it or for all."""
        if resident.keep_alive_s is not None:
            return resident.keep_alive_s
        own = self.rules.keep_alive_of(resident.model_id)
        return self.rules.keep_alive_s if own is None else own

    def _of_model(self, model_id: int) -> list[Ticket]:
        return self._line.of_model(model_id)

    def _wanted_ctx(self, first: Ticket) -> int:
        """What a start should offer: an exact choice stands alone, wishes are served together."""
        if first.is_exact:
            return first.start_ctx
        return max(t.start_ctx for t in self._of_model(first.model_id) if not t.is_exact)

    # How a decision is noted

    def _grant(self, ticket: Ticket, resident: Resident) -> Grant:
        why = "it waited for the load" if ticket.id in resident.turn else "it is ready"
        resident.leases.add(ticket.id)
        resident.turn.discard(ticket.id)
        if ticket.keep_alive_s is not None:
            resident.keep_alive_s = ticket.keep_alive_s
        resident.n_slots_taken += ticket.needs_slot
        self._leases[ticket.id] = _Lease(resident.launch_id, ticket.needs_slot)
        return Grant(ticket.id, resident.launch_id, why)

    def _refuse(self, ticket: Ticket, why: Refusal) -> Refuse:
        self._line.remove(ticket)
        return Refuse(ticket.id, why)

    def _start(self, model_id: int, n_ctx: int, why: str, now: float) -> Start:
        resident = Resident(self._next_launch_id, model_id, n_ctx, started_at=now)
        before = self._restarting.pop(model_id, n_ctx)
        if before != n_ctx:
            resident.restore_ctx = before
        self._next_launch_id += 1
        self._residents[resident.launch_id] = resident
        return Start(resident.launch_id, model_id, n_ctx, why)

    def _stop(self, resident: Resident, why: str) -> Stop:
        resident.phase = Phase.STOPPING
        return Stop(resident.launch_id, why)


def _has_failed(ticket: Ticket, failed: Resident, *, is_out_of_memory: bool) -> bool:
    """False for a wish that a smaller server would serve, when that may still come up."""
    if failed.restore_ctx is not None:
        return (ticket.needed_ctx or 0) > failed.restore_ctx
    return not is_out_of_memory or ticket.start_ctx >= failed.n_ctx
