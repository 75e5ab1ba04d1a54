"""What a deployment has to give to requests: slots, limits, money and retries."""

from __future__ import annotations

import math
from hashlib import blake2s
from typing import TYPE_CHECKING

from ggtui.core.deployment.limits import TOGETHER_S
from ggtui.core.deployment.policies import CapacityPolicy
from ggtui.core.deployment.retry import RetryBudget
from ggtui.services.deployments.lane import Lane
from ggtui.services.deployments.limits import Limits
from ggtui.services.deployments.quotas import Quotas
from ggtui.services.deployments.room import Room
from ggtui.services.deployments.spending import Spending
from ggtui.services.deployments.tally import Tally

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from ggtui.core.deployment.deployment import Deployment
    from ggtui.core.errors import Failure
    from ggtui.core.snapshot import DeploymentCounts
    from ggtui.services.deployments.passage import Passage
    from ggtui.services.deployments.surroundings import Surroundings


class Resources:
    """Taken and settled one by one, or through the lane while requests come fast; exact for whoever looks."""

    def __init__(self, rules: Deployment, around: Surroundings, slots: Callable[[], int | None]) -> None:
        """slots: requests served at once by the rules; None for any number."""
        self._rules = rules
        self._around = around
        self._slots = slots
        self._clock = around.clock
        self._room = Room(rules.name, rules.serving, slots(), around.clock)
        self._quotas = Quotas(self._made, rules.rate_limits)
        self._spending = Spending(rules.name, rules.budget, around.spend, around.clock, around.writes)
        self._retry_budget = RetryBudget()
        self._tally = Tally()
        self.lane = Lane(self._room, self._quotas.common, self._spending, self._retry_budget, self._tally)
        self._busy_until = -math.inf
        """A request that comes before this comes fast."""
        self._know()

    @property
    def room(self) -> Room:
        """Its slots, and who waits for one."""
        self.lane.close()
        return self._room

    @property
    def limits(self) -> Quotas:
        """Its rate limits."""
        self.lane.close()
        return self._quotas

    @property
    def spending(self) -> Spending:
        """What it spends."""
        self.lane.close()
        return self._spending

    @property
    def retry_budget(self) -> RetryBudget:
        """How many retries it may make."""
        self.lane.close()
        return self._retry_budget

    @property
    def counts(self) -> DeploymentCounts:
        """What became of the requests since ggtui began."""
        self.lane.close()
        return self._tally.counts

    # For a request

    def limits_of(self, client: str) -> Limits:
        """What counts for whoever asks."""
        return self._quotas.of(client)

    async def take(self, passage: Passage, now: float) -> None:
        """Ask for each thing: slot, limits, budget. Whoever is refused or cancelled holds but a part.

        Where each key has limits of its own these come first: who waits for them keeps no slot from others.
        Raises: PolicyRefusal, and what `turn_away` was given.
        """
        rules, n_input = passage.rules, passage.facts.input_tokens
        cost_pusd = rules.pricing.most_pusd(n_input, passage.tokens - n_input)
        deadline = now + rules.serving.queue_timeout_s
        if self._quotas.is_per_key:
            now = await self._take_limits(passage, now, deadline)
            now = await self._take_slot(passage, now, deadline)
        else:
            now = await self._take_slot(passage, now, deadline)
            now = await self._take_limits(passage, now, deadline)
        self.spending.reserve(cost_pusd)
        passage.held_pusd = cost_pusd
        self.retry_budget.requested(now)
        if now < self._busy_until and not (self._may_throttle or self._quotas.is_per_key):
            self.lane.open(now)
        self._busy_until = now + TOGETHER_S

    def settle(self, passage: Passage, now: float) -> Sequence[asyncio.Future[None]]:
        """A request has ended, or holds but a part, and its lane has not settled it.

        The tasks are still to be written.
        """
        held_pusd, moment, was_sent = passage.held_pusd, passage.moment, passage.was_sent
        n_input, n_output = passage.n_input, passage.n_output
        tokens, cost_pusd = n_input + n_output, 0
        if held_pusd >= 0:
            cost_pusd = passage.rules.pricing.cost_pusd(n_input, n_output, passage.n_cached)
        is_more = tokens > passage.tokens or cost_pusd > max(0, held_pusd)
        if is_more or now >= self.lane.until:
            # It has less to hand out than it knows; or what has ended in it must be settled before this.
            self.lane.close()
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
            outcome = passage.outcome
            self._tally.took(int(outcome is True), n_input, n_output, cost_pusd)
            if outcome is not None and outcome is not True:
                self._tally.failed(outcome)
            if self._may_throttle:
                self.adapt_slots()
        return tasks

    # For all

    def adapt(self, rules: Deployment) -> None:
        """Give by other rules from the next request on; what was taken still counts."""
        self._rules = rules
        self.limits.adapt(rules.rate_limits, rules.serving)
        for each in self.limits.all:
            each.shared_name = _shared_name(rules, each.client)
        self.spending.adapt(rules.budget)
        self._know()
        self.adapt_slots()

    def adapt_slots(self) -> None:
        """Let in as many as may be now: a spent budget halves their number."""
        if not self.spending.may_throttle:
            self.room.adapt(self._rules.serving, self._slots())
            return
        slots = self._slots()
        if slots is None and self.spending.is_throttled:
            slots = self._around.server_slots(self._rules.model)
        self.room.adapt(self._rules.serving, self.spending.slots(slots))

    def turn_away(self, failure: Failure) -> None:
        """Whoever waits hears this."""
        self.room.turn_away(failure)
        self.limits.turn_away(failure)

    # How

    async def _take_slot(self, passage: Passage, now: float, deadline: float) -> float:
        """Returns the time after that."""
        if self._slots_vary:
            self.adapt_slots()
        if not self.room.decided.admits_at_once(passage, now):
            await self.room.enter(passage, passage.facts.priority, deadline)
            now = self._clock.monotonic()
        passage.has_slot = True
        return now

    async def _take_limits(self, passage: Passage, now: float, deadline: float) -> float:
        """Returns the time after that."""
        self.lane.close()  # it may have been opened while this one waited
        passage.moment = passage.limits.enter_at_once(passage.tokens, now)
        if passage.moment is not None:
            return now
        may_wait = passage.rules.serving.on_capacity_exhausted is CapacityPolicy.QUEUE
        grant = await passage.limits.enter(
            passage.tokens, passage.facts.priority, deadline, may_wait=may_wait
        )
        passage.moment, passage.shared = grant
        return self._clock.monotonic()

    def _made(self, client: str) -> Limits:
        rules, around = self._rules, self._around
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

    def _know(self) -> None:
        """What follows from the rules alone, and each request asks."""
        rules = self._rules
        self._may_throttle = self.spending.may_throttle
        """True when each end of a request may change how many are let in."""
        self._slots_vary = rules.serving.max_concurrent is None or self._may_throttle
        """By what was spent, or by what serves it; else a reload alone changes their number."""


def _shared_name(rules: Deployment, client: str) -> str:
    """What two processes must agree on to count together: the deployment, what stands behind it, and the key.

    A digest: a URL can hold what is nobody's business, and the file of the counts keeps what it is given.
    """
    config = rules.runtime_config
    parts = [rules.name, rules.model, config.endpoint, config.resource, config.deployment]
    if client:
        parts.append(client)
    return blake2s("\0".join(parts).encode(), digest_size=16).hexdigest()
