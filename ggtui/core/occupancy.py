"""Who has which server and who waits, and what the rules say of both now: questions that change nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ggtui.core.causes import End
from ggtui.core.decisions import Phase, Resident, Ticket
from ggtui.core.deployment.replicas import OneEach
from ggtui.core.line import Line
from ggtui.core.residency import victims_for
from ggtui.core.siblings import is_asked_for, leading, least_busy, suited_elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.deployment.replicas import ReplicaRules
    from ggtui.core.residency import Room
    from ggtui.core.schedule import Rules

NOBODY: frozenset[int] = frozenset()

LOOK_AGAIN_S = 5.0
"""How often a replica for which there was no room is thought of again: others may have left memory."""


class Occupancy:
    """The state that the scheduler decides upon. Times are monotonic seconds."""

    def __init__(self, rules: Rules, room: Room) -> None:
        self.rules = rules
        self.replicas: ReplicaRules = OneEach()
        """How many servers each model shall have; set by whoever knows deployments."""
        self._room = room
        self._line = Line()
        self._residents: dict[int, Resident] = {}
        """By launch id, oldest first."""
        self._pinned: set[int] = set()
        """Ids of the models that are never evicted."""
        self._alone: set[int] = set()
        """Ids of the models that are started again with the memory to themselves."""
        self._in_the_way = NOBODY
        """Launch ids of those that must go for the first whose model has no server."""
        self._looked: tuple[tuple[int, ...], float] = ((), 0.0)
        """What stood, by launch id, when no further replica could be started, and when that was."""
        self._progressed_at = 0.0
        """When something last got on."""

    # What may be asked

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
        """The server that takes up room for this model, in whatever phase; None when there is none.

        Of several replicas one that is ready, if any is.
        """
        return leading([resident for resident in self._residents.values() if resident.model_id == model_id])

    def has_server(self, model_id: int) -> bool:
        """True while a server takes up room for this model, in whatever phase."""
        return model_id in {resident.model_id for resident in self._residents.values()}

    def servers_of(self, model_id: int) -> list[Resident]:
        """All servers that take up room for this model, oldest first."""
        return [resident for resident in self._residents.values() if resident.model_id == model_id]

    def resident(self, launch_id: int) -> Resident | None:
        """One server, or None when it has ended."""
        return self._residents.get(launch_id)

    def n_requests(self, launch_id: int) -> int:
        """How many requests this server was given so far; 0 when it has ended."""
        resident = self._residents.get(launch_id)
        return resident.n_requests if resident is not None else 0

    def position(self, ticket_id: int) -> int | None:
        """The ticket's place among those who wait, 1 for the first; None when it does not wait."""
        places = enumerate(self._line, start=1)
        return next((place for place, ticket in places if ticket.id == ticket_id), None)

    def is_draining(self, resident: Resident, now: float) -> bool:
        """True when a ready server takes nobody new and only waits for its leases."""
        if resident.phase is not Phase.READY or not resident.leases:
            return False
        return resident.is_unwanted or self._must_yield(resident, now)

    def is_in_the_way(self, resident: Resident) -> bool:
        """True when it must go before the first whose model has no server can have one."""
        return resident.launch_id in self._in_the_way

    def keep_alive_s(self, resident: Resident) -> float:
        """Its idle time, negative for ever: what a request said, else what was set for it or for all."""
        if resident.keep_alive_s is not None:
            return resident.keep_alive_s
        own = self.rules.keep_alive_of(resident.model_id)
        return self.rules.keep_alive_s if own is None else own

    def next_tick(self, now: float) -> float | None:
        """When `tick` should be called next, in monotonic seconds; None when time changes nothing."""
        moments: list[float] = []
        for resident in self._residents.values():
            idle_ends = self._idle_ends(resident)
            if idle_ends is not None:
                moments.append(idle_ends)
        if self._line:
            moments += self._moments_of_the_queue()
        if self.replicas.are_any:
            moments += self._moments_of_replicas()
        return min((moment for moment in moments if moment > now), default=None) if moments else None

    def _moments_of_the_queue(self) -> list[float]:
        """When patience runs out, and when turns end for the first whose model has no server."""
        moments = [self._patience_ends(ticket) for ticket in self._line.firsts()]
        head = self._head()
        if head is not None:
            busy = (r for r in self._residents.values() if r.launch_id in self._in_the_way)
            moments += [self._turn_ends(resident, head) for resident in busy]
        return moments

    def _moments_of_replicas(self) -> list[float]:
        """When those may be started again that have failed too often, or for which there was no room."""
        moments = self._rests()
        return [*moments, self._looked[1] + LOOK_AGAIN_S] if moments else []

    def _rests(self) -> list[float]:
        """Until when each missing replica rests that comes back by itself."""
        models = {resident.model_id for resident in self._residents.values()}
        rests = (
            self.replicas.rests_until(model_id, replica)
            for model_id in models
            for replica in self._missing_replicas(model_id)
        )
        return [moment for moment in rests if moment < math.inf]

    # Who waits, and for what

    def _head(self) -> Ticket | None:
        """The first in the queue whose model has no server at all."""
        if not self._line:
            return None
        standing = {resident.model_id for resident in self._residents.values()}
        if standing.issuperset(self._line.models):
            return None
        return next(ticket for ticket in self._line if ticket.model_id not in standing)

    def _wanted_ctx(self, first: Ticket) -> int:
        """What a start should offer: an exact choice stands alone, wishes are served together."""
        if first.is_exact:
            return first.start_ctx
        return max(t.start_ctx for t in self._line.of_model(first.model_id) if not t.is_exact)

    def _patience_ends(self, ticket: Ticket) -> float:
        return max(ticket.arrived, self._progressed_at) + self.rules.admission_timeout_s

    # Who is let in

    def _is_let_past(self, ticket: Ticket, now: float) -> bool:
        """True for a ticket that is urgent, or joins its server at once: no place in the line is taken."""
        if ticket.is_urgent:
            return True
        if ticket.model_id in self._line.models:
            return False
        return self._door(ticket, self._residents.values(), now) is not None

    def _door(self, ticket: Ticket, residents: Iterable[Resident], now: float) -> Resident | None:
        """The server among these that lets the ticket in now, the least busy one of several replicas."""
        model_id = ticket.model_id
        return least_busy([r for r in residents if r.model_id == model_id and self._may_join(ticket, r, now)])

    def _may_join(self, ticket: Ticket, resident: Resident, now: float) -> bool:
        if resident.phase is not Phase.READY or resident.unwanted is not None or not resident.suits(ticket):
            return False
        if ticket.is_urgent:
            return True
        if ticket.needs_slot and resident.is_full:
            return False
        return ticket.id in resident.turn or not self._is_turn_over(resident, now)

    # Who makes way

    def _reason_to_stop(self, resident: Resident, now: float) -> End | None:
        if resident.leases or resident.phase is Phase.STOPPING:
            return None
        own = self._line.of_model(resident.model_id)
        if resident.phase is Phase.LOADING:
            is_in_the_way = bool(own) or self._head() is not None
            is_wanted = not is_in_the_way or any(resident.suits(ticket) for ticket in own)
            return None if is_wanted else End.UNWANTED
        if resident.unwanted is not None:
            return resident.unwanted
        other = next((t for t in own if self._restarts_for(t, resident)), None) if own else None
        if other is not None:
            return End.OTHER_CONTEXT if other.is_exact else End.LARGER_CONTEXT
        if resident.launch_id in self._in_the_way:
            return End.ROOM
        idle_ends = self._idle_ends(resident)
        return End.IDLE if idle_ends is not None and now >= idle_ends else None

    def _must_yield(self, resident: Resident, now: float) -> bool:
        if any(self._restarts_for(ticket, resident) for ticket in self._line.of_model(resident.model_id)):
            return True
        return self._is_turn_over(resident, now)

    def _restarts_for(self, ticket: Ticket, resident: Resident) -> bool:
        """True when a server must start anew before its model can serve this ticket."""
        if resident.suits(ticket):
            return False
        return not suited_elsewhere(ticket, resident, self.servers_of(resident.model_id))

    def _is_turn_over(self, resident: Resident, now: float) -> bool:
        if resident.launch_id not in self._in_the_way:
            return False
        head = self._head()
        return head is not None and now >= self._turn_ends(resident, head)

    def _turn_ends(self, resident: Resident, rival: Ticket) -> float:
        if rival.is_urgent:
            return rival.arrived
        return max(rival.arrived, resident.ready_at) + self.rules.turn_quantum_s

    def _idle_ends(self, resident: Resident) -> float | None:
        is_idle = resident.phase is Phase.READY and not resident.leases
        if not is_idle or resident.model_id in self._pinned:
            return None
        keep_alive_s = self.keep_alive_s(resident)
        if keep_alive_s < 0:
            return None
        if not self.replicas.are_any:
            return resident.last_used + keep_alive_s
        siblings = self.servers_of(resident.model_id)
        if any(each.leases or each.phase is Phase.LOADING for each in siblings):
            return None  # replicas come and go together
        return max(each.last_used for each in siblings) + keep_alive_s

    # Which replicas there are not

    def _missing_replicas(self, model_id: int) -> list[int]:
        """Numbers of the servers that a model shall have and has not; none while nobody asks for it."""
        siblings = self.servers_of(model_id)
        n_wanted = self.replicas.n_wanted(model_id)
        is_wanted = model_id in self._line.models or is_asked_for(siblings)
        if len(siblings) >= n_wanted or not is_wanted:
            return []
        taken = {each.replica for each in siblings}
        return [replica for replica in range(n_wanted) if replica not in taken]

    def _next_replica(self, model_id: int, now: float) -> int | None:
        """The first that is missing and does not rest; None when there is none."""
        rests_until = self.replicas.rests_until
        missing = self._missing_replicas(model_id)
        return next((replica for replica in missing if rests_until(model_id, replica) <= now), None)

    def _is_worth_a_look(self, standing: tuple[int, ...], now: float) -> bool:
        """False while nothing has changed since there was no room: each look asks for a forecast."""
        seen, at = self._looked
        if standing != seen or now >= at + LOOK_AGAIN_S:
            return True
        return any(at < moment <= now for moment in self._rests())

    # What there is room for

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

    def _admits(self, model_id: int, n_ctx: int) -> bool:
        standing = list(self._residents.values())
        if model_id in self._alone and any(r.model_id not in self._pinned for r in standing):
            return False
        return self._room.admits(standing, model_id, n_ctx)

    def _is_changing(self) -> bool:
        """True while a load or a stop may still make room."""
        return any(resident.phase is not Phase.READY for resident in self._residents.values())
