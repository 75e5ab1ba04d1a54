"""One request on its way through a deployment: its attempts, and the settlement at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.deployment.outcomes import Retry, outcome_of
from ggtui.core.deployment.pricing import Usage
from ggtui.core.deployment.retry import delay_s, may_retry
from ggtui.core.errors import CircuitOpen, Failure, UpstreamRateLimited

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from ggtui.core.deployment.deployment import Deployment
    from ggtui.core.deployment.facts import RequestFacts
    from ggtui.core.deployment.limits import Moment
    from ggtui.services.deployments.live import LiveDeployment

UNSAID_TOKENS = 1024
"""Reserved for an answer whose length the client does not limit."""


class Passage:
    """What one request holds of a deployment, given back or settled exactly once: when it is left.

    What it is billed for: the tokens that its server counted (`used`). Where it did not count and part of the
    answer had come – the client cut the stream, or the server tells no usage – the tokens of the input by our
    estimate, and those of the answer that `answered` was told of; when it was told of none, as many as were
    reserved. Nothing when no byte of an answer came.
    """

    # What most requests never set, or set once: a default of the class costs nothing.
    has_slot: bool = False
    """By a ticket, which it is itself."""
    in_lane_since: float = 0.0
    """Monotonic moment at which a lane gave it a slot, without a ticket; 0 when none did."""
    moment: Moment | None = None
    """Of the limits; None where it holds nothing of them."""
    held_pusd: int = -1
    """Of the budget; -1 where it holds nothing of it."""
    taken: int | None = None
    """Of the breaker, for the attempt that runs."""
    _was_sent: bool = False
    _is_answered: bool = False
    _n_answered: int = 0
    _usage: Usage | None = None
    _has_new_key: bool = False
    _outcome: Failure | bool | None = None
    """How the last attempt went: True, or its failure; None before its end."""

    def __init__(self, live: LiveDeployment, facts: RequestFacts) -> None:
        """Made by LiveDeployment.enter alone, which hands over what it takes."""
        self.live = live
        self.rules: Deployment = live.rules
        """As they were when it came; a reload does not change what it was promised."""
        self.facts = facts
        n_output = facts.max_tokens
        self.tokens = facts.input_tokens + (UNSAID_TOKENS if n_output is None else n_output)
        """What it might use."""
        self.shared: int | None = None
        """Its number where all processes count the limits."""
        self._is_left = False

    @property
    def reserved(self) -> Usage:
        """The tokens it might use."""
        return Usage(self.facts.input_tokens, self.tokens - self.facts.input_tokens)

    # Attempts

    def take_breaker(self) -> None:
        """Before each attempt, retries too. Raises: CircuitOpen."""
        if self.taken is not None:
            self._give_pass_back()
        breaker, now = self.live.breaker, self.live.clock.monotonic()
        self._outcome = None
        self.taken = breaker.take(now)
        if self.taken is None:
            raise CircuitOpen(self.rules.name, retry_after_s=breaker.retry_after_s(now))

    def sent(self) -> None:
        """The request is on its way to a server: it counts from now on, whatever becomes of it."""
        self._was_sent = True

    def answered(self, n_tokens: int = 0) -> None:
        """A part of the answer has come, with so many tokens more where that can be seen."""
        self._is_answered = True
        self._n_answered += n_tokens

    def used(self, usage: Usage) -> None:
        """The server has counted; what it says last counts."""
        self._usage = usage

    def attempt_succeeded(self) -> None:
        """The whole answer has come."""
        taken, self.taken, self._outcome = self.taken, None, True
        live = self.live
        if taken is not None and not live.breaker.is_calm and live.breaker.succeeded(taken):
            live.breaker_changed()
        if live.standing.why_failed:
            live.standing.works()

    def attempt_failed(self, failure: Failure) -> None:
        """The attempt has ended with this."""
        taken, self.taken, self._outcome = self.taken, None, failure
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
        if delay is None or not live.retry_budget.take(live.clock.monotonic()):
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
        outcome = error if isinstance(error, Failure) else self._outcome
        usage = self._usage or self._billed()
        return self.live.settle(self, usage, outcome, was_sent=self._was_sent)

    def _billed(self) -> Usage:
        if self._usage is not None:
            return self._usage
        if not self._is_answered:
            return Usage()
        return Usage(self.facts.input_tokens, self._n_answered) if self._n_answered else self.reserved

    def _give_pass_back(self) -> None:
        if self.taken is not None:
            self.live.breaker.give_back(self.taken)
            self.taken = None
