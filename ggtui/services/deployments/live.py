"""One deployment as it runs: its rules, whether it takes requests, and the way in."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ggtui.core.backends.serving import WHY_BY_BACKENDS, is_by_backends
from ggtui.core.deployment.breaker import BreakerState, CircuitBreaker
from ggtui.core.errors import CircuitOpen, ConfigInvalid, EndpointNotReady, EngineStopping
from ggtui.core.routing.endpoints import EndpointStatus
from ggtui.services.deployments.passage import Passage
from ggtui.services.deployments.pauses import Pauses
from ggtui.services.deployments.resources import Resources
from ggtui.services.deployments.standing import Standing

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
UNSAID_TOKENS = 1024
"""Reserved for an answer whose length the client does not limit."""


class LiveDeployment:
    """Lives on the engine's loop. Invariant: whoever is not let in, or has left, holds nothing of it."""

    def __init__(self, rules: Deployment, around: Surroundings) -> None:
        self.rules = rules
        self.counts_tokens = _counts_tokens(rules)
        """True when something is counted by tokens: a price, or a limit."""
        self.clock = around.clock
        self._monotonic = around.clock.monotonic
        self.random = around.random
        self.breaker = CircuitBreaker(rules.circuit_breaker)
        self._around = around
        self.resources = Resources(rules, around, self._slots)
        self._lane = self.resources.lane
        self.pauses = Pauses(around.clock)
        self._open: set[Passage] = set()
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
        period = self.resources.spending.exceeded
        return f"more was spent than its budget of the last {period}" if period is not None else ""

    @property
    def counters(self) -> DeploymentCounts:
        """What became of its requests since ggtui began."""
        return self.resources.counts

    @property
    def in_flight(self) -> int:
        """Requests that were let in and have not left."""
        return len(self._open)

    @property
    def n_waiting(self) -> int:
        """Requests that wait for a slot or for the limits."""
        return self.resources.room.n_waiting + self.resources.limits.n_waiting

    @property
    def replicas(self) -> tuple[Replica, ...]:
        """Its servers, where it has several of this machine."""
        return self._around.replicas(self.rules.model) if self.kind.is_local else ()

    # The way in

    async def enter(self, facts: RequestFacts) -> Passage:
        """Let a request in: breaker, slot, limits, budget, in this order; a refusal takes nothing.

        Whoever is cancelled while it waits leaves no trace. The passage must be left.
        Raises: EndpointNotReady when it is drained, PolicyRefusal.
        """
        passage = self.enter_at_once(facts)
        if passage is None:
            passage, now = self._passage(facts), self._monotonic()
            try:
                self._check(now)
                await self.resources.take(passage, now)
            except BaseException as error:
                passage.leave(error)
                raise
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
        await self.resources.spending.load()

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
        self.breaker.policy = rules.circuit_breaker
        self.counts_tokens = _counts_tokens(rules)
        self.resources.adapt(rules)

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
            return self.resources.settle(passage, now)
        finally:
            self._around.changed()

    def leave_all(self) -> None:
        """The end of ggtui: settle what is still open."""
        self._turn_away(EngineStopping("ggtui is stopping"))
        for passage in list(self._open):
            passage.leave()

    # How

    def _passage(self, facts: RequestFacts) -> Passage:
        n_output = facts.max_tokens
        tokens = facts.input_tokens + (UNSAID_TOKENS if n_output is None else n_output)
        return Passage(self, facts, self.rules, tokens, self.resources.limits_of(facts.client))

    def _check(self, now: float) -> None:
        if (refusal := self.standing.refusal()) is not None:
            raise refusal
        if retry_after_s := self.breaker.retry_after_s(now):
            raise CircuitOpen(self.name, retry_after_s=retry_after_s)

    def _turn_away(self, failure: Failure | None = None) -> None:
        """Whoever waits hears this, or why no new request is taken."""
        failure = failure or self.standing.refusal()
        assert failure is not None
        self.resources.turn_away(failure)

    def _choice(self) -> tuple[RuntimeKind, str]:
        return self.rules.choose_runtime(is_local=self._around.is_local(self.rules.model))

    def _slots(self) -> int | None:
        """Requests served at once by the rules; None for any number."""
        serving = self.rules.serving
        return serving.max_concurrent or serving.slots(self.kind)


def _counts_tokens(rules: Deployment) -> bool:
    return not rules.pricing.is_free or rules.rate_limits.tokens_per_minute is not None
