"""Who is served by which server, and when one model makes way for another: decisions only, no effects.

A synchronous state machine: each call takes what happened and the time, and returns what must be done, in
order, each decision with its reason in words. Whoever carries the decisions out reports back through
`launched`, `launch_failed` and `ended`.

Invariants: the servers that stand fit the room, stopping ones included; one load at a time; a server that
holds a lease is never stopped unless forced; within a model requests are served in order of arrival; when
everybody has gone, no lease and no ticket is left. A model has as many servers as its replicas say, and they
are brought up one after the other once it is asked for; nobody is ever stopped for the second and later ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.core.causes import End, Wish
from ggtui.core.decisions import Decision, Grant, Phase, Refusal, Refuse, Resident, Start, Stop, Ticket
from ggtui.core.occupancy import NOBODY, Occupancy
from ggtui.core.residency import SingleRoom
from ggtui.core.siblings import next_ctx, takes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ggtui.core.residency import Room


@dataclass(frozen=True, slots=True)
class _Lease:
    launch_id: int
    needs_slot: bool


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


class Scheduler(Occupancy):
    """Decides for as many servers as the room admits."""

    def __init__(self, rules: Rules | None = None, room: Room | None = None) -> None:
        super().__init__(rules or Rules(), room or SingleRoom())
        self._leases: dict[int, _Lease] = {}
        self._restarting: dict[int, int] = {}
        """By model, the size that worked before the start that is to come."""
        self._next_launch_id = 1
        self._is_closed = False

    # What happened

    def request(self, ticket: Ticket, now: float) -> list[Decision]:
        """Somebody wants a model."""
        if self._is_closed:
            return [Refuse(ticket.id, Refusal.CLOSED)]
        server = self._door(ticket, self._residents.values(), now) if not self._line else None
        if server is not None:
            return [self._grant(ticket, server)]  # nobody waits, so nobody else's turn comes by it
        return self._queue(ticket, now)

    def _queue(self, ticket: Ticket, now: float) -> list[Decision]:
        if len(self._line) >= self.rules.max_queue and not self._is_let_past(ticket, now):
            return [Refuse(ticket.id, Refusal.QUEUE_FULL)]  # before anything is stopped or started for it
        self._line.add(ticket)
        return self._settle(now)

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
        resident.turn = {ticket.id for ticket in self._line.of_model(resident.model_id)}
        return self._settle(now)

    def launch_failed(self, launch_id: int, now: float, *, is_out_of_memory: bool = False) -> list[Decision]:
        """A server did not come up and is dead. All who waited for it learn it at once.

        Out of memory beside others, it is tried once more with the room to itself. Out of memory for the
        largest wish, the smaller ones are tried without it. After a failed enlargement only those who asked
        for more are refused, and the old size comes back. Whom another replica serves is not refused.
        """
        resident = self._residents.pop(launch_id, None)
        if resident is None:
            return []
        self._progressed_at = now
        if resident.phase is not Phase.LOADING:
            return self._settle(now)
        siblings = self.servers_of(resident.model_id)
        is_first = resident.model_id not in self._alone and not siblings
        if is_out_of_memory and is_first and self._evictable():
            self._alone.add(resident.model_id)
            if resident.restore_ctx is not None:
                self._restarting[resident.model_id] = resident.restore_ctx
            return self._settle(now)
        self._alone.discard(resident.model_id)
        restore = resident.restore_ctx
        refused: list[Decision] = [
            self._refuse(ticket, Refusal.LAUNCH_FAILED)
            for ticket in self._line.of_model(resident.model_id)
            if (ticket.is_exact or _has_failed(ticket, resident, is_out_of_memory=is_out_of_memory))
            and not any(takes(each) and each.suits(ticket) for each in siblings)
        ]
        if restore is not None and self._admits(resident.model_id, restore):
            again = self._start(resident.model_id, restore, Wish.EARLIER_CONTEXT, now, resident.replica)
            refused.append(again)
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
        waiting = self._line.of_model(model_id)
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
                waiters = self._line.of_model(resident.model_id)
                decisions += [self._refuse(ticket, Refusal.CANCELLED) for ticket in waiters]
                decisions.append(self._stop(resident, End.PERSON))
            elif resident.phase is Phase.READY:
                resident.unwanted = End.PERSON
                if is_forced:
                    decisions.append(self._stop(resident, End.PERSON))
        return decisions + self._settle(now)

    def retire(self, launch_ids: Collection[int], now: float) -> list[Decision]:
        """These servers would be launched otherwise now: they end after their leases, loads begin anew.

        Nobody who waits is refused.
        """
        outdated = [r for r in self._residents.values() if r.launch_id in launch_ids]
        for resident in outdated:
            resident.unwanted = resident.unwanted or End.SETTINGS
        loading = [r for r in outdated if r.phase is Phase.LOADING]
        decisions: list[Decision] = [self._stop(resident, End.SETTINGS) for resident in loading]
        return decisions + self._settle(now)

    def pin(self, model_id: int, is_pinned: bool, now: float) -> list[Decision]:
        """Keep a model, once it is resident, until it is unpinned: never evicted, never too long idle."""
        (self._pinned.add if is_pinned else self._pinned.discard)(model_id)
        return self._settle(now)

    def look_again(self, now: float) -> list[Decision]:
        """Replicas that were left alone may be started again."""
        self._looked = (), now
        return self._settle(now)

    def close(self, now: float) -> list[Decision]:
        """ggtui is ending: refuse everybody and stop everything."""
        self._is_closed = True
        decisions: list[Decision] = [self._refuse(ticket, Refusal.CLOSED) for ticket in list(self._line)]
        alive = [r for r in self._residents.values() if r.phase is not Phase.STOPPING]
        return decisions + [self._stop(resident, End.CLOSING) for resident in alive]

    def tick(self, now: float) -> list[Decision]:
        """Time has passed: turns, patience and idle times may have run out."""
        overdue = [ticket for ticket in self._line if now >= self._patience_ends(ticket)]
        refused: list[Decision] = [self._refuse(ticket, Refusal.TIMED_OUT) for ticket in overdue]
        return refused + self._settle(now)

    # How it is decided

    def _settle(self, now: float) -> list[Decision]:
        if self._is_closed:
            return []
        if self._alone or self._restarting:
            self._forget_plans()
        if not self._line:  # the usual case: nobody to let in, to start for, or to make way for
            self._in_the_way = NOBODY
            decisions = self._stop_all_that_should(now)
        else:
            decisions = self._settle_queue(now)
        return decisions + self._bring_up_another(now) if self.replicas.are_any else decisions

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
            decisions += [self._refuse(t, Refusal.NO_ROOM) for t in self._line.of_model(head.model_id)]

    def _forget_plans(self) -> None:
        """How a model was to be started counts only while it has a server or somebody waits for it."""
        wanted = {resident.model_id for resident in self._residents.values()} | self._line.models
        self._alone &= wanted
        self._restarting = {key: n_ctx for key, n_ctx in self._restarting.items() if key in wanted}

    def _stop_all_that_should(self, now: float) -> list[Decision]:
        decisions: list[Decision] = []
        for resident in self._residents.values():
            why = self._reason_to_stop(resident, now)
            if why in (End.OTHER_CONTEXT, End.LARGER_CONTEXT):
                self._restarting[resident.model_id] = resident.n_ctx
            if why is not None:
                decisions.append(self._stop(resident, why))
        return decisions

    def _place(self, head: Ticket, now: float) -> list[Decision]:
        """Start the head of the queue when nothing loads and there is room."""
        n_ctx = self._wanted_ctx(head)
        is_loading = any(resident.phase is Phase.LOADING for resident in self._residents.values())
        if is_loading or not self._admits(head.model_id, n_ctx):
            return []
        replica = self._next_replica(head.model_id, now) or 0
        return [self._start(head.model_id, n_ctx, head.wish, now, replica)]

    def _bring_up_another(self, now: float) -> list[Decision]:
        """One more server for a model that has too few, while nobody waits for a model without any."""
        standing = tuple(self._residents)
        is_loading = any(resident.phase is Phase.LOADING for resident in self._residents.values())
        if is_loading or self._head() is not None or not self._is_worth_a_look(standing, now):
            return []
        for model_id in dict.fromkeys(resident.model_id for resident in self._residents.values()):
            replica = self._next_replica(model_id, now)
            n_ctx = next_ctx(self.servers_of(model_id), self._line.of_model(model_id))
            if replica is not None and self._admits(model_id, n_ctx):
                return [self._start(model_id, n_ctx, Wish.REPLICA, now, replica)]
        self._looked = standing, now
        return []

    def _grant_all(self, now: float) -> list[Decision]:
        """Let in whoever may join, in order; behind one who may not, nobody of the same model does.

        Who needs no slot passes those who wait for one, and not those who wait for another context.
        """
        ready: dict[int, list[Resident]] = {}
        for server in self._residents.values():
            if server.phase is Phase.READY:
                ready.setdefault(server.model_id, []).append(server)
        open_models = ready.keys() & self._line.models
        passable = set(open_models)
        served: list[tuple[Ticket, Decision]] = []
        for ticket in self._line:
            if not open_models and not self._line.has_slotless:
                break
            servers = ready.get(ticket.model_id)
            is_behind = ticket.model_id not in (open_models if ticket.needs_slot else passable)
            if servers is None or (is_behind and not ticket.is_urgent):
                continue
            resident = self._door(ticket, servers, now)
            if resident is not None:
                served.append((ticket, self._grant(ticket, resident)))
                continue
            open_models.discard(ticket.model_id)
            if not any(server.suits(ticket) for server in servers):
                passable.discard(ticket.model_id)
        for ticket, _ in served:
            self._line.remove(ticket)
        return [decision for _, decision in served]

    # How a decision is noted

    def _grant(self, ticket: Ticket, resident: Resident) -> Grant:
        why = "it waited for the load" if ticket.id in resident.turn else "it is ready"
        resident.leases.add(ticket.id)
        resident.turn.discard(ticket.id)
        if ticket.keep_alive_s is not None:
            for each in self.servers_of(ticket.model_id):  # replicas come and go together
                each.keep_alive_s = ticket.keep_alive_s
        resident.n_slots_taken += ticket.needs_slot
        resident.n_requests += ticket.wish is Wish.REQUEST
        self._leases[ticket.id] = _Lease(resident.launch_id, ticket.needs_slot)
        return Grant(ticket.id, resident.launch_id, why)

    def _refuse(self, ticket: Ticket, why: Refusal) -> Refuse:
        self._line.remove(ticket)
        return Refuse(ticket.id, why)

    def _start(self, model_id: int, n_ctx: int, why: Wish, now: float, replica: int) -> Start:
        resident = Resident(self._next_launch_id, model_id, n_ctx, replica, started_at=now)
        resident.keep_alive_s = next((each.keep_alive_s for each in self.servers_of(model_id)), None)
        before = self._restarting.pop(model_id, n_ctx)
        if before != n_ctx:
            resident.restore_ctx = before
        self._next_launch_id += 1
        self._residents[resident.launch_id] = resident
        return Start(resident.launch_id, model_id, n_ctx, why, replica)

    def _stop(self, resident: Resident, why: End) -> Stop:
        head = self._head() if why is End.ROOM else None
        resident.phase = Phase.STOPPING
        return Stop(resident.launch_id, why, head.model_id if head is not None else None)


def _has_failed(ticket: Ticket, failed: Resident, *, is_out_of_memory: bool) -> bool:
    """False for a wish that a smaller server would serve, when that may still come up."""
    if failed.restore_ctx is not None:
        return (ticket.needed_ctx or 0) > failed.restore_ctx
    return not is_out_of_memory or ticket.start_ctx >= failed.n_ctx
