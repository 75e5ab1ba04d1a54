"""One request on its way through a deployment: its attempts, and the settlement at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.deployment.outcomes import Retry, outcome_of
from ggtui.core.deployment.retry import delay_s, may_retry
from ggtui.core.errors import CircuitOpen, Failure, UpstreamRateLimited

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from ggtui.core.deployment.deployment import Deployment
    from ggtui.core.deployment.facts import RequestFacts
    from ggtui.core.deployment.limits import Moment
    from ggtui.services.deployments.limits import Limits
    from ggtui.services.deployments.live import LiveDeployment


class Passage(msgspec.Struct, eq=False):
    """What one request holds of a deployment, given back or settled exactly once: when it is left.

    What it is billed for: the tokens that its server counted (`used`). Where it did not count and part of the
    answer had come – the client cut the stream, or the server tells no usage – the tokens of the input by our
    estimate, and those of the answer that `answered` was told of; when it was told of none, as many as were
    reserved. Nothing when no byte of an answer came.

    A struct: thousands a second are made, most of which use few of its fields.
    """

    live: LiveDeployment
    facts: RequestFacts
    rules: Deployment
    """As they were when it came; a reload does not change what it was promised."""
    tokens: int
    """What it might use."""
    limits: Limits
    """Those that count for whoever asks."""
    has_slot: bool = False
    """By a ticket, which it is itself."""
    in_lane_since: float = 0.0
    """Monotonic moment at which a lane gave it a slot, without a ticket; 0 when none did."""
    moment: Moment | None = None
    """Of its limits; None where it holds nothing of them."""
    held_pusd: int = -1
    """Of the budget; -1 where it holds nothing of it."""
    shared: int | None = None
    """Its number where all processes count the limits."""
    taken: int | None = None
    """Of the breaker, for the attempt that runs."""
    was_sent: bool = False
    """True when it counts, whatever becomes of it: something of it is on its way to a server."""
    n_input: int = -1
    """Tokens that its server has counted, the cached ones among them; -1 while it has not."""
    n_output: int = 0
    n_cached: int = 0
    outcome: Failure | Literal[True] | None = None
    """How it went: True, or its failure; None for neither."""
    _is_answered: bool = False
    _n_answered: int = 0
    _has_new_key: bool = False
    _is_left: bool = False

    # Attempts

    def take_breaker(self) -> None:
        """Before each attempt, retries too. Raises: CircuitOpen."""
        if self.taken is not None:
            self._give_pass_back()
        breaker, now = self.live.breaker, self.live.clock.monotonic()
        self.outcome = None
        self.taken = breaker.take(now)
        if self.taken is None:
            raise CircuitOpen(self.rules.name, retry_after_s=breaker.retry_after_s(now))

    def answered(self, n_tokens: int = 0) -> None:
        """A part of the answer has come, with so many tokens more where that can be seen."""
        self._is_answered = True
        self._n_answered += n_tokens

    def used(self, n_input: int, n_output: int, n_cached: int = 0) -> None:
        """The server has counted; what it says last counts."""
        self.n_input, self.n_output, self.n_cached = n_input, n_output, n_cached

    def attempt_succeeded(self) -> None:
        """The whole answer has come."""
        taken, self.taken, self.outcome = self.taken, None, True
        live = self.live
        if taken is not None and not live.breaker.is_calm and live.breaker.succeeded(taken):
            live.breaker_changed()
        if live.standing.why_failed:
            live.standing.works()

    def attempt_failed(self, failure: Failure) -> None:
        """The attempt has ended with this."""
        taken, self.taken, self.outcome = self.taken, None, failure
        if taken is not None:
            if outcome_of(failure).counts_for_breaker:
                if self.live.breaker.failed(taken, self.live.clock.monotonic()):
                    self.live.breaker_changed()
            else:
                self.live.breaker.give_back(taken)
        self.live.standing.works_not(failure)

    def learned_nothing(self) -> None:
        """The attempt has ended, and says nothing new of its server: the breaker does not judge it."""
        self._give_pass_back()

    def may_retry(self, failure: Failure, retries_done: int) -> float | None:
        """Seconds after which the same deployment is asked again; None when it is not.

        Asked once for each attempt that failed, before any byte has gone to the client. After a refused key
        LiveDeployment.key reads it again by itself.
        """
        outcome, live = outcome_of(failure), self.live
        policy = self.rules.retry
        if live.breaker.state(live.clock.monotonic()) is BreakerState.OPEN:
            return None
        if not may_retry(
            outcome,
            retries_done=retries_done,
            max_retries=policy.retries(live.kind),
            is_idempotent=self.rules.idempotent,
            has_new_secret=self._has_new_key,
        ):
            return None
        is_for_key = outcome.retry is Retry.WITH_NEW_SECRET
        asked_for_s = failure.retry_after_s if isinstance(failure, UpstreamRateLimited) else None
        delay = 0.0 if is_for_key else delay_s(policy, retries_done, live.random(), asked_for_s)
        if delay is None or not live.resources.retry_budget.take(live.clock.monotonic()):
            return None
        if is_for_key:
            self._has_new_key = True
            live.forget_key()
        return delay

    async def pause(self, seconds: float) -> None:
        """Wait before the next attempt, which is soon refused when the breaker opens meanwhile."""
        await self.live.pauses.wait(seconds)

    # Its end

    def leave(self, error: BaseException | None = None) -> Sequence[asyncio.Future[None]]:
        """Settle, and give the rest back; the tasks are what is still to be written. Twice does nothing."""
        if self._is_left:
            return ()
        self._is_left = True
        if self.taken is not None:
            self._give_pass_back()
        if error is not None and isinstance(error, Failure):
            self.outcome = error
        if self.n_input < 0:
            self._bill()
        return self.live.settle(self)

    def _bill(self) -> None:
        """Its server has not counted."""
        n_input = self.facts.input_tokens if self._is_answered else 0
        n_output = (self._n_answered or self.tokens - n_input) if self._is_answered else 0
        self.used(n_input, n_output)

    def _give_pass_back(self) -> None:
        if self.taken is not None:
            self.live.breaker.give_back(self.taken)
            self.taken = None
