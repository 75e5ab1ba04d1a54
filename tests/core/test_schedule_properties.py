"""Whatever the order of events, the scheduler keeps its promises."""

from __future__ import annotations

from copy import deepcopy

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ggtui.core.decisions import Decision, Grant, Phase, Refuse, Start, Stop, Ticket
from ggtui.core.residency import MemoryRoom
from ggtui.core.schedule import Rules, Scheduler

MODELS = st.integers(1, 4)


def _need(model_id: int, _n_ctx: int) -> int:
    """Model 4 takes as much as two others."""
    return 2 if model_id == 4 else 1


class SomeReplicas:
    """Models 1 and 2 have `n` servers, the others one."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.resting: dict[tuple[int, int], float] = {}

    @property
    def are_any(self) -> bool:
        return self.n > 1

    def n_wanted(self, model_id: int) -> int:
        return self.n if model_id < 3 else 1

    def rests_until(self, model_id: int, replica: int) -> float:
        return self.resting.get((model_id, replica), 0.0)


class CheckedScheduler(Scheduler):
    """Takes no short cut without comparing it with the long way round."""

    def request(self, ticket: Ticket, now: float) -> list[Decision]:
        before = deepcopy(self)
        decisions = super().request(ticket, now)
        if not before._is_closed:
            assert super(CheckedScheduler, before)._queue(ticket, now) == decisions
            self.compare_with(before)
        return decisions

    def _settle(self, now: float) -> list[Decision]:
        before = deepcopy(self)
        decisions = super()._settle(now)
        if not before._is_closed:
            assert before._settle_queue(now) + before._bring_up_another(now) == decisions
            self.compare_with(before)
        return decisions

    def compare_with(self, other: Scheduler) -> None:
        assert other.residents == self.residents
        assert other.waiting == self.waiting
        assert other._leases == self._leases
        assert other._in_the_way == self._in_the_way


class SchedulerMachine(RuleBasedStateMachine):
    """Requests, clients that leave, loads that end well or badly, crashes and stops, in any order."""

    @initialize(
        budget=st.sampled_from([0, 2, 4]),
        n_slots=st.sampled_from([0, 1, 2]),
        n_replicas=st.sampled_from([1, 1, 2, 3]),
    )
    def begin(self, budget: int, n_slots: int, n_replicas: int) -> None:
        self.budget = budget
        self.n_slots = n_slots
        room = MemoryRoom(_need, lambda: budget) if budget else None
        self.scheduler = CheckedScheduler(
            Rules(turn_quantum_s=10, admission_timeout_s=180, max_queue=30), room
        )
        self.replicas = self.scheduler.replicas = SomeReplicas(n_replicas)
        self.now = 0.0
        self.next_id = 1
        self.waiting: dict[int, Ticket] = {}
        self.holding: dict[int, int] = {}
        self.alive: dict[int, int] = {}
        self.stopping: set[int] = set()
        self.answered: set[int] = set()
        self.counted: set[int] = set()

    def carry_out(self, decisions: list[Decision]) -> None:
        for decision in decisions:
            match decision:
                case Grant(ticket_id, launch_id, _):
                    ticket = self.waiting.pop(ticket_id)
                    assert ticket_id not in self.answered, "answered twice"
                    assert self.alive[launch_id] == ticket.model_id, "served by another model"
                    assert launch_id not in self.stopping, "sent into a stopping server"
                    self.answered.add(ticket_id)
                    self.holding[ticket_id] = launch_id
                    if not ticket.is_urgent:
                        held = [t for t in self.holding if self.holding[t] == launch_id and t in self.counted]
                        assert not self.n_slots or len(held) < self.n_slots, "more than the slots hold"
                        self.counted.add(ticket_id)
                case Refuse(ticket_id, _):
                    self.waiting.pop(ticket_id)
                    assert ticket_id not in self.answered, "answered twice"
                    self.answered.add(ticket_id)
                case Start(launch_id, model_id, _, _, replica):
                    taken = sum(_need(model, 0) for model in self.alive.values()) + _need(model_id, 0)
                    is_alone = not self.budget and set(self.alive.values()) <= {model_id}
                    assert not self.alive or taken <= self.budget or is_alone, "more than the room holds"
                    assert not self.loading_but(launch_id), "two loads at once"
                    siblings = [r for r in self.scheduler.residents if r.model_id == model_id]
                    assert len(siblings) <= self.replicas.n_wanted(model_id), "too many servers for a model"
                    assert 1 == [r.replica for r in siblings].count(replica), "a number taken twice"
                    self.alive[launch_id] = model_id
                case Stop(launch_id, _):
                    assert launch_id not in self.holding.values(), "a stream was cut"
                    self.stopping.add(launch_id)

    def loading(self) -> list[int]:
        return [r.launch_id for r in self.scheduler.residents if r.phase is Phase.LOADING]

    def loading_but(self, launch_id: int) -> list[int]:
        return [other for other in self.loading() if other != launch_id]

    @rule(model=MODELS, needed=st.sampled_from([None, 2048, 8192]), urgent=st.booleans(), exact=st.booleans())
    def ask(self, model: int, needed: int | None, urgent: bool, exact: bool) -> None:
        self.want(Ticket(self.next_id, model, needed or 4096, needed, self.now, exact and urgent, urgent))

    def want(self, ticket: Ticket) -> None:
        self.next_id += 1
        self.waiting[ticket.id] = ticket
        self.carry_out(self.scheduler.request(ticket, self.now))

    @rule(needed=st.lists(st.sampled_from([None, 2048, 8192]), min_size=1, max_size=4))
    def ask_for_what_runs(self, needed: list[int | None]) -> None:
        ready = [r.model_id for r in self.scheduler.residents if r.phase is Phase.READY]
        for model in ready:
            for each in needed:
                self.want(Ticket(self.next_id, model, each or 4096, each, self.now))

    @rule(data=st.data())
    def client_leaves(self, data: st.DataObject) -> None:
        everybody = sorted([*self.waiting, *self.holding])
        if everybody:
            self.drop(data.draw(st.sampled_from(everybody)))

    def drop(self, ticket_id: int) -> None:
        self.waiting.pop(ticket_id, None)
        self.holding.pop(ticket_id, None)
        self.carry_out(self.scheduler.leave(ticket_id, self.now))

    @rule(ceiling=st.sampled_from([4096, 1 << 20]))
    def load_ends(self, ceiling: int) -> None:
        for launch_id in self.loading():
            resident = self.scheduler.resident(launch_id)
            assert resident is not None
            self.launched(launch_id, min(resident.n_ctx, ceiling))

    def launched(self, launch_id: int, n_ctx: int) -> None:
        self.carry_out(self.scheduler.launched(launch_id, n_ctx, self.now, self.n_slots))

    @rule(is_out_of_memory=st.booleans())
    def load_fails(self, is_out_of_memory: bool) -> None:
        for launch_id in self.loading():
            self.alive.pop(launch_id)
            self.carry_out(
                self.scheduler.launch_failed(launch_id, self.now, is_out_of_memory=is_out_of_memory)
            )

    @rule(model=MODELS, is_pinned=st.booleans())
    def pin(self, model: int, is_pinned: bool) -> None:
        self.carry_out(self.scheduler.pin(model, is_pinned, self.now))

    @rule()
    def stops_end(self) -> None:
        for launch_id in list(self.stopping):
            self.die(launch_id)

    @rule()
    def crash(self) -> None:
        ready = [r.launch_id for r in self.scheduler.residents if r.phase is Phase.READY]
        for launch_id in ready:
            self.die(launch_id)

    @rule()
    def lose(self) -> None:
        """A server is dead, and its memory is not back yet."""
        for resident in self.scheduler.residents:
            if resident.phase is Phase.READY:
                self.stopping.add(resident.launch_id)
                self.carry_out(self.scheduler.lost(resident.launch_id, self.now))

    def die(self, launch_id: int) -> None:
        self.stopping.discard(launch_id)
        self.holding = {t: held for t, held in self.holding.items() if held != launch_id}
        self.alive.pop(launch_id)
        self.carry_out(self.scheduler.ended(launch_id, self.now))

    @rule(model=st.sampled_from([1, 2]), replica=st.integers(0, 2), seconds=st.sampled_from([0.0, 30.0]))
    def rest(self, model: int, replica: int, seconds: float) -> None:
        """A server has failed too often; what stands is not touched."""
        self.replicas.resting[model, replica] = self.now + seconds

    @rule(model=st.one_of(st.none(), MODELS))
    def stop(self, model: int | None) -> None:
        self.carry_out(self.scheduler.stop(model, self.now))

    @rule()
    def retire(self) -> None:
        self.carry_out(self.scheduler.retire([r.launch_id for r in self.scheduler.residents], self.now))

    @rule(seconds=st.sampled_from([0.1, 5.0, 11.0, 200.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.carry_out(self.scheduler.tick(self.now))

    @invariant()
    def books_agree(self) -> None:
        if not hasattr(self, "scheduler"):
            return
        assert set(self.waiting) == {ticket.id for ticket in self.scheduler.waiting}
        leased = {lease for resident in self.scheduler.residents for lease in resident.leases}
        assert set(self.holding) == leased

    def teardown(self) -> None:
        """Nobody starves: when clients leave as they are served and loads succeed, all are served."""
        if not hasattr(self, "scheduler"):
            return
        for model in range(1, 5):
            self.carry_out(self.scheduler.pin(model, False, self.now))
        self.replicas.resting.clear()
        for _ in range(200):
            if not self.waiting:
                break
            for ticket_id in list(self.holding):
                self.drop(ticket_id)
            for launch_id in list(self.stopping):
                self.die(launch_id)
            self.load_ends(1 << 20)
        assert {} == self.waiting
        for ticket_id in list(self.holding):
            self.drop(ticket_id)
        assert all(not resident.leases for resident in self.scheduler.residents)
        self.replicas_stand()

    def replicas_stand(self) -> None:
        """With room for all, whatever serves has all its replicas in the end."""
        if self.budget:
            return
        for _ in range(20):
            self.carry_out(self.scheduler.tick(self.now))
            for launch_id in list(self.stopping):
                self.die(launch_id)
            self.load_ends(1 << 20)
            self.now += 6.0
        for resident in self.scheduler.residents:
            siblings = self.scheduler.servers_of(resident.model_id)
            assert self.replicas.n_wanted(resident.model_id) == len(siblings)


TestScheduler = SchedulerMachine.TestCase
TestScheduler.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
