"""One deployment as it runs: its rules, what is in force of them now, and the way in."""

from __future__ import annotations

import logging
import math
from hashlib import blake2s
from typing import TYPE_CHECKING

from ggtui.core.backends.serving import WHY_BY_BACKENDS, is_by_backends
from ggtui.core.deployment.breaker import BreakerState, CircuitBreaker
from ggtui.core.deployment.limits import TOGETHER_S
from ggtui.core.deployment.policies import CapacityPolicy
from ggtui.core.deployment.retry import RetryBudget
from ggtui.core.errors import CircuitOpen, ConfigInvalid, EndpointNotReady, EngineStopping
from ggtui.core.routing.endpoints import EndpointStatus
from ggtui.services.deployments.lane import Lane
from ggtui.services.deployments.limits import Limits
from ggtui.services.deployments.passage import UNSAID_TOKENS, Passage
from ggtui.services.deployments.pauses import Pauses
from ggtui.services.deployments.quotas import Quotas
from ggtui.services.deployments.room import Room
from ggtui.services.deployments.spending import Spending
from ggtui.services.deployments.standing import Standing
from ggtui.services.deployments.tally import Tally

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from ggtui.core.deployment.deployment import Deployment
    from ggtui.core.deployment.facts import RequestFacts
    from ggtui.core.deployment.replicas import Replica
    from ggtui.core.deployment.runtimes import RuntimeKind
    from ggtui.core.deployment.secret import Secret
    from ggtui.core.errors import Failure
    from ggtui.core.snapshot import DeploymentCounts, DeploymentState
    from ggtui.services.deployments.surroundings import Surroundings

_LOG = logging.getLogger(__name__)


class LiveDeployment:
    """Lives on the engine's loop. Invariant: whoever is not let in, or has left, holds nothing of it."""

    def __init__(self, rules: Deployment, around: Surroundings) -> None:
        self.rules = rules
        self.clock = around.clock
        self._monotonic = around.clock.monotonic
        self.random = around.random
        self.breaker = CircuitBreaker(rules.circuit_breaker)
        self._retry_budget = RetryBudget()
        self._tally = Tally()
        self._around = around
        self._room = Room(rules.name, rules.serving, self._slots_by_rule(), around.clock)
        self._quotas = Quotas(self._limits_of, rules.rate_limits)
        self._spending = Spending(rules.name, rules.budget, around.spend, around.clock, around.writes)
        self._lane = Lane(self._room, self._quotas.common, self._spending, self._retry_budget, self._tally)
        self._busy_until = -math.inf
        """A request that comes before this comes fast."""
        self.pauses = Pauses(around.clock)
        self._open: set[Passage] = set()
        self._know()
        self.standing = Standing(rules.name, lambda: around.changed())
        self._key: Secret | None = None

    # What it is

    @property
    def name(self) -> str:
        """What clients send."""
        return self.rules.name

    @property
    def kind(self) -> RuntimeKind:
        """What serves it; a guess may change when the catalog is known."""
        return self._choice()[0]

    @property
    def is_by_backends(self) -> bool:
        """True when declared backends serve it."""
        return is_by_backends(self.rules, self.kind, self._around.backend_names)

    @property
    def why_kind(self) -> str:
        """Why this kind serves it, half a sentence."""
        return WHY_BY_BACKENDS if self.is_by_backends else self._choice()[1]

    @property
    def state(self) -> DeploymentState:
        """Whether it takes requests."""
        return self.standing.state(len(self._open))

    @property
    def why(self) -> str:
        """Why it does not serve, one sentence; or what a person should know although it does."""
        if self.standing.why:
            return self.standing.why
        period = self.spending.exceeded
        return f"more was spent than its budget of the last {period}" if period is not None else ""

    @property
    def counters(self) -> DeploymentCounts:
        """What became of its requests since ggtui began."""
        self._lane.close()
        return self._tally.counts

    @property
    def in_flight(self) -> int:
        """Requests that were let in and have not left."""
        return len(self._open)

    @property
    def n_waiting(self) -> int:
        """Requests that wait for a slot or for the limits."""
        return self.room.n_waiting + self.limits.n_waiting

    @property
    def replicas(self) -> tuple[Replica, ...]:
        """Its servers, where it has several of this machine."""
        return self._around.replicas(self.rules.model) if self.kind.is_local else ()

    # What is exact for whoever looks

    @property
    def room(self) -> Room:
        """Its slots, and who waits for one."""
        self._lane.close()
        return self._room

    @property
    def limits(self) -> Quotas:
        """Its rate limits."""
        self._lane.close()
        return self._quotas

    @property
    def spending(self) -> Spending:
        """What it spends."""
        self._lane.close()
        return self._spending

    @property
    def retry_budget(self) -> RetryBudget:
        """How many retries it may make."""
        self._lane.close()
        return self._retry_budget

    # The way in

    async def enter(self, facts: RequestFacts) -> Passage:
        """Let a request in: breaker, slot, limits, budget, in this order; a refusal takes nothing.

        Whoever is cancelled while it waits leaves no trace. The passage must be left.
        Raises: EndpointNotReady when it is drained, PolicyRefusal.
        """
        passage = self.enter_at_once(facts)
        if passage is None:
            passage = self._passage(facts)
            await self._enter_exactly(passage, self.clock.monotonic())
            self._open.add(passage)
            if self.breaker.is_closed:
                passage.taken = self.breaker.number
            self._around.changed()
        return passage

    def enter_at_once(self, facts: RequestFacts) -> Passage | None:
        """Let a request in without asking for each thing; None, and nothing has happened: it must `enter`."""
        now, lane = self._monotonic(), self._lane
        if now >= lane.until or not self.breaker.is_closed or self.standing.is_shut:
            return None
        passage = self._passage(facts)
        if not lane.lets_in(passage, now):
            return None
        passage.taken = self.breaker.number
        self._open.add(passage)
        return passage

    async def key(self) -> Secret | None:
        """The key for its server, read once until it is refused; None when it needs none.

        Raises: EndpointNotReady when it cannot be read: no fault of the client.
        """
        ref = self.rules.runtime_config.api_key
        if ref is None or self._key is not None:
            return self._key
        try:
            self._key = await self._around.secrets.read(ref)
        except ConfigInvalid as failure:
            self.standing.fails(failure.message)
            raise EndpointNotReady(self.name, EndpointStatus.ERROR, hint=failure.message) from failure
        return self._key

    # What a person does

    def drain(self) -> None:
        """Take no new request: those who wait are turned away, those who are served end."""
        self.standing.drain(is_drained=True)
        self._turn_away()
        self._around.changed()

    def resume(self) -> None:
        """Take requests again, and let its servers of this machine be started that had failed too often."""
        self.standing.drain(is_drained=False)
        if self.kind.is_local:
            self.standing.works()
            self._around.revive(self.rules.model)
        self._around.changed()

    # What a reload does

    async def load(self) -> None:
        """Take over what was spent before."""
        await self.spending.load()

    def adapt(self, rules: Deployment) -> None:
        """Serve by other rules from the next request on; counts, limits used and money spent stay."""
        before, self.rules = self.rules, rules
        self.standing.remove(is_removed=False)
        if (before.model, before.runtime, before.runtime_config) != (
            rules.model,
            rules.runtime,
            rules.runtime_config,
        ):
            self.breaker.reset()  # passes to the former server are void
            self._key, self.standing.why_failed = None, ""
            for each in self.limits.all:
                each.shared_name = _shared_name(rules, each.client)
        self.breaker.policy = rules.circuit_breaker
        self.limits.adapt(rules.rate_limits, rules.serving)
        self.spending.adapt(rules.budget)
        self._know()
        self.adapt_slots()

    def remove(self) -> None:
        """The configuration has it no more: nobody new is served, requests that run end normally."""
        self.standing.remove(is_removed=True)
        self._turn_away()

    # What its passages tell

    def breaker_changed(self) -> None:
        """An attempt, or a person, has opened or closed the breaker."""
        now = self.breaker.state(self.clock.monotonic())
        level = logging.WARNING if now is BreakerState.OPEN else logging.INFO
        _LOG.log(level, "the circuit breaker of deployment '%s' is %s", self.name, now.replace("_", " "))
        if now is BreakerState.OPEN:
            self.pauses.end_all()
        self._around.changed()

    def forget_key(self) -> None:
        """The key was refused: the next attempt reads it again."""
        self._key = None

    def settle(self, passage: Passage) -> Sequence[asyncio.Future[None]]:
        """A request has ended, or was not let in, and holds but a part; the tasks are still to be written."""
        now = self._monotonic()
        self._open.discard(passage)
        if passage.in_lane_since and passage.was_sent:
            unwritten = self._lane.settle(passage, now)
            if unwritten is not None:
                return unwritten
        try:
            return self._settle_exactly(passage, now)
        finally:
            self._around.changed()

    def leave_all(self) -> None:
        """The end of ggtui: settle what is still open."""
        self._turn_away(EngineStopping("ggtui is stopping"))
        for passage in list(self._open):
            passage.leave()

    def adapt_slots(self) -> None:
        """Let in as many as may be now: a spent budget halves their number."""
        if not self.spending.may_throttle:
            self.room.adapt(self.rules.serving, self._slots_by_rule())
            return
        slots = self._slots_by_rule()
        if slots is None and self.spending.is_throttled:
            slots = self._around.server_slots(self.rules.model)
        self.room.adapt(self.rules.serving, self.spending.slots(slots))

    # How

    def _passage(self, facts: RequestFacts) -> Passage:
        n_output = facts.max_tokens
        tokens = facts.input_tokens + (UNSAID_TOKENS if n_output is None else n_output)
        quotas = self._quotas
        limits = quotas.of(facts.client) if quotas.is_per_key else quotas.common
        return Passage(self, facts, self.rules, tokens, limits)

    def _limits_of(self, client: str) -> Limits:
        rules, around = self.rules, self._around
        return Limits(
            rules.name,
            _shared_name(rules, client),
            rules.rate_limits,
            rules.serving,
            around.counters,
            around.clock,
            around.writes,
            client,
        )

    def _settle_exactly(self, passage: Passage, now: float) -> Sequence[asyncio.Future[None]]:
        held_pusd, moment, was_sent = passage.held_pusd, passage.moment, passage.was_sent
        n_input, n_output = passage.n_input, passage.n_output
        tokens, cost_pusd = n_input + n_output, 0
        if held_pusd >= 0:
            cost_pusd = passage.rules.pricing.cost_pusd(n_input, n_output, passage.n_cached)
        is_more = tokens > passage.tokens or cost_pusd > max(0, held_pusd)
        if is_more or now >= self._lane.until:
            # It has less to hand out than it knows; or what has ended in it must be settled before this.
            self._lane.close()
        tasks: list[asyncio.Future[None]] = []
        try:
            if held_pusd >= 0 and tokens:
                if (task := self._spending.settle(held_pusd, cost_pusd)) is not None:
                    tasks.append(task)
            elif held_pusd >= 0:
                self._spending.give_back(held_pusd)
            if moment is not None and was_sent:
                passage.limits.settle(moment, passage.tokens, tokens)
            elif moment is not None:
                passage.limits.give_back(moment, passage.tokens)
            if passage.shared is not None:
                tasks.append(passage.limits.settle_shared(passage.shared, tokens if was_sent else None))
        finally:
            room = self._room
            if passage.in_lane_since:
                room.tell(room.decided.left(now - passage.in_lane_since, now))
            elif passage.has_slot:
                room.tell(room.decided.leave(passage, now))
            is_well, outcome = passage.outcome is True, passage.outcome
            self._tally.took(is_well, n_input, n_output, cost_pusd)
            if outcome and outcome is not True:
                self._tally.failed(outcome)
            if self._may_throttle:
                self.adapt_slots()
        return tasks

    async def _enter_exactly(self, passage: Passage, now: float) -> None:
        """By asking for each thing."""
        rules, n_input, limits = passage.rules, passage.facts.input_tokens, passage.limits
        cost_pusd = rules.pricing.most_pusd(n_input, passage.tokens - n_input)
        deadline = now + rules.serving.queue_timeout_s
        priority = passage.facts.priority
        try:
            self._check(now)
            if self._slots_vary:
                self.adapt_slots()
            if not self.room.decided.admits_at_once(passage, now):
                await self.room.enter(passage, priority, deadline)
                now = self.clock.monotonic()
            passage.has_slot = True
            self._lane.close()  # it may have been opened while this one waited
            passage.moment = limits.enter_at_once(passage.tokens, now)
            if passage.moment is None:
                may_wait = rules.serving.on_capacity_exhausted is CapacityPolicy.QUEUE
                grant = await limits.enter(passage.tokens, priority, deadline, may_wait=may_wait)
                passage.moment, passage.shared = grant
                now = self.clock.monotonic()
            self.spending.reserve(cost_pusd)
            passage.held_pusd = cost_pusd
        except BaseException as error:
            passage.leave(error)
            raise
        self.retry_budget.requested(now)
        if now < self._busy_until and not (self._may_throttle or self._quotas.is_per_key):
            self._lane.open(now)
        self._busy_until = now + TOGETHER_S

    def _know(self) -> None:
        """What follows from the rules alone, and each request asks."""
        rules = self.rules
        self.counts_tokens = not rules.pricing.is_free or rules.rate_limits.tokens_per_minute is not None
        """True when something is counted by tokens."""
        self._may_throttle = self.spending.may_throttle
        """True when each end of a request may change how many are let in."""
        self._slots_vary = rules.serving.max_concurrent is None or self._may_throttle
        """By what was spent, or by what serves it; else a reload alone changes their number."""

    def _check(self, now: float) -> None:
        if (refusal := self.standing.refusal()) is not None:
            raise refusal
        if retry_after_s := self.breaker.retry_after_s(now):
            raise CircuitOpen(self.name, retry_after_s=retry_after_s)

    def _turn_away(self, failure: Failure | None = None) -> None:
        """Whoever waits hears this, or why no new request is taken."""
        failure = failure or self.standing.refusal()
        assert failure is not None
        self.room.turn_away(failure)
        self.limits.turn_away(failure)

    def _choice(self) -> tuple[RuntimeKind, str]:
        return self.rules.choose_runtime(is_local=self._around.is_local(self.rules.model))

    def _slots_by_rule(self) -> int | None:
        serving = self.rules.serving
        return serving.max_concurrent or serving.slots(self.kind)


def _shared_name(rules: Deployment, client: str) -> str:
    """What two processes must agree on to count together: the deployment, what stands behind it, and the key.

    A digest: a URL can hold what is nobody's business, and the file of the counts keeps what it is given.
    """
    config = rules.runtime_config
    parts = (rules.name, rules.model, config.endpoint, config.resource, config.deployment, client)
    return blake2s("\0".join(parts).encode(), digest_size=16).hexdigest()
