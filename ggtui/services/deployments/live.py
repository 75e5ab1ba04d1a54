"""One deployment as it runs: its rules, what is in force of them now, and the way in."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ggtui.core.deployment.breaker import BreakerState, CircuitBreaker
from ggtui.core.deployment.policies import CapacityPolicy
from ggtui.core.deployment.retry import RetryBudget
from ggtui.core.errors import (
    CircuitOpen,
    ConfigInvalid,
    EndpointNotFound,
    EndpointNotReady,
    Failure,
    HealthCheckFailed,
    SpawnFailed,
)
from ggtui.core.routing.endpoints import EndpointStatus
from ggtui.core.snapshot import DeploymentState
from ggtui.services.deployments.limits import Limits
from ggtui.services.deployments.passage import Passage
from ggtui.services.deployments.room import Room
from ggtui.services.deployments.spending import Spending
from ggtui.services.deployments.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.core.deployment.deployment import Deployment
    from ggtui.core.deployment.facts import RequestFacts
    from ggtui.core.deployment.policies import TimeLimits
    from ggtui.core.deployment.replicas import Replica
    from ggtui.core.deployment.runtimes import RuntimeKind
    from ggtui.core.deployment.secret import Secret
    from ggtui.core.snapshot import DeploymentCounts
    from ggtui.services.deployments.surroundings import Surroundings

_LOG = logging.getLogger(__name__)


class LiveDeployment:
    """Lives on the engine's loop. Invariant: whoever is not let in, or has left, holds nothing of it."""

    def __init__(self, rules: Deployment, around: Surroundings) -> None:
        self.rules = rules
        self.clock = around.clock
        self.random = around.random
        self.breaker = CircuitBreaker(rules.circuit_breaker)
        self.retry_budget = RetryBudget()
        self.tally = Tally()
        self._around = around
        self.room = Room(rules.name, rules.serving, self._slots_by_rule(), around.clock)
        self.limits = Limits(
            rules.name,
            _shared_name(rules),
            rules.rate_limits,
            rules.serving,
            around.counters,
            around.clock,
            around.writes,
        )
        self.spending = Spending(rules.name, rules.budget, around.spend, around.clock, around.writes)
        self._open: set[Passage] = set()
        self._is_drained = False
        self._is_removed = False
        self._why_failed = ""
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
    def why_kind(self) -> str:
        """Why this kind serves it, half a sentence."""
        return self._choice()[1]

    @property
    def time_limits(self) -> TimeLimits:
        """The limits in force for one attempt."""
        return self.rules.timeouts.limits(self.kind)

    @property
    def state(self) -> DeploymentState:
        """Whether it takes requests."""
        if self._is_drained:
            return DeploymentState.DRAINING if self._open else DeploymentState.DISABLED
        return DeploymentState.FAILED if self._why_failed else DeploymentState.SERVING

    @property
    def why(self) -> str:
        """Why it does not serve, one sentence; or what a person should know although it does."""
        if self._is_drained:
            return "a person has drained it"
        if self._why_failed:
            return self._why_failed
        period = self.spending.exceeded
        return f"more was spent than its budget of the last {period}" if period is not None else ""

    @property
    def counters(self) -> DeploymentCounts:
        """What became of its requests since ggtui began."""
        return self.tally.counts

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

    # The way in

    async def enter(self, facts: RequestFacts) -> Passage:
        """Let a request in: breaker, slot, limits, budget, in this order; a refusal takes nothing.

        Whoever is cancelled while it waits leaves no trace. The passage must be left: `async with`.
        Raises: EndpointNotReady when it is drained, PolicyRefusal.
        """
        passage = Passage(self, facts)
        try:
            await self._take_all(passage)
        except BaseException as error:
            passage.leave(error)
            raise
        self._open.add(passage)
        self.retry_budget.requested(self.clock.monotonic())
        self._around.changed()
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
            self._fails(failure.message)
            raise EndpointNotReady(self.name, EndpointStatus.ERROR, hint=failure.message) from failure
        return self._key

    # What a person does

    def drain(self) -> None:
        """Take no new request: those who wait are turned away, those who are served end."""
        self._is_drained = True
        self._turn_away(self._drained())
        self._around.changed()

    def resume(self) -> None:
        """Take requests again."""
        self._is_drained = False
        self._around.changed()

    # What a reload does

    async def load(self) -> None:
        """Take over what was spent before."""
        await self.spending.load()

    def adapt(self, rules: Deployment) -> None:
        """Serve by other rules from the next request on; counts, limits used and money spent stay."""
        before, self.rules = self.rules, rules
        self._is_removed = False
        if (before.model, before.runtime, before.runtime_config) != (
            rules.model,
            rules.runtime,
            rules.runtime_config,
        ):
            self.breaker = CircuitBreaker(rules.circuit_breaker)
            self._key, self._why_failed = None, ""
            self.limits.shared_name = _shared_name(rules)
        self.breaker.policy = rules.circuit_breaker
        self.limits.adapt(rules.rate_limits, rules.serving)
        self.spending.adapt(rules.budget)
        self.adapt_slots()

    def remove(self) -> None:
        """The configuration has it no more: nobody new is served, requests that run end normally."""
        self._is_removed = True
        self._turn_away(EndpointNotFound(self.name))

    # What its passages tell

    def breaker_heard(self, tell: Callable[[CircuitBreaker], None]) -> None:
        """Tell the breaker, and log when that opened or closed it."""
        before = self.breaker.state(self.clock.monotonic())
        tell(self.breaker)
        now = self.breaker.state(self.clock.monotonic())
        if now is not before:
            level = logging.WARNING if now is BreakerState.OPEN else logging.INFO
            _LOG.log(level, "the circuit breaker of deployment '%s' is %s", self.name, now.replace("_", " "))
            self._around.changed()

    def works(self) -> None:
        """Its server has answered."""
        self._fails("")

    def works_not(self, failure: Failure) -> None:
        """An attempt failed; a start that failed is the deployment's own failure."""
        if isinstance(failure, (SpawnFailed, HealthCheckFailed)):
            self._fails(failure.message)

    def forget_key(self) -> None:
        """The key was refused: the next attempt reads it again."""
        self._key = None

    def left(self, passage: Passage) -> None:
        """A request has ended, or was not let in."""
        self._open.discard(passage)
        self.adapt_slots()
        self._around.changed()

    def leave_all(self) -> None:
        """The end of ggtui: settle what is still open."""
        self._turn_away(EndpointNotReady(self.name, EndpointStatus.DISABLED, hint="ggtui is stopping"))
        for passage in list(self._open):
            passage.leave()

    def adapt_slots(self) -> None:
        """Let in as many as may be now: a spent budget halves their number."""
        slots = self._slots_by_rule()
        if slots is None and self.spending.is_throttled:
            slots = self._around.server_slots(self.rules.model)
        self.room.adapt(self.rules.serving, self.spending.slots(slots))

    # How

    async def _take_all(self, passage: Passage) -> None:
        rules, facts = passage.rules, passage.facts
        self._check()
        deadline = self.clock.monotonic() + rules.serving.queue_timeout_s
        self.adapt_slots()
        passage.ticket = await self.room.enter(facts.priority, deadline)
        reserved = passage.reserved
        passage.grant = await self.limits.enter(
            reserved.total_tokens,
            facts.priority,
            deadline,
            may_wait=rules.serving.on_capacity_exhausted is CapacityPolicy.QUEUE,
        )
        passage.hold = self.spending.reserve(rules.pricing.cost_pusd(reserved))

    def _check(self) -> None:
        if self._is_removed:
            raise EndpointNotFound(self.name)
        if self._is_drained:
            raise self._drained()
        if retry_after_s := self.breaker.retry_after_s(self.clock.monotonic()):
            raise CircuitOpen(self.name, retry_after_s=retry_after_s)

    def _drained(self) -> EndpointNotReady:
        return EndpointNotReady(self.name, EndpointStatus.DISABLED, hint="a person has drained it")

    def _turn_away(self, failure: Failure) -> None:
        self.room.turn_away(failure)
        self.limits.turn_away(failure)

    def _fails(self, why: str) -> None:
        if why != self._why_failed:
            self._why_failed = why
            self._around.changed()

    def _choice(self) -> tuple[RuntimeKind, str]:
        return self.rules.choose_runtime(is_local=self._around.is_local(self.rules.model))

    def _slots_by_rule(self) -> int | None:
        return self.rules.serving.slots(self.kind)


def _shared_name(rules: Deployment) -> str:
    """What two processes must agree on to serve the same deployment: its name, and what stands behind it."""
    config = rules.runtime_config
    return " ".join((rules.name, rules.model, config.endpoint, config.resource, config.deployment))
