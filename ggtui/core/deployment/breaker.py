"""Leaves a server alone that fails in a row, and lets a few requests find out when it is well again."""

from __future__ import annotations

from enum import StrEnum

from ggtui.core.deployment.policies import CircuitBreakerPolicy
from ggtui.core.deployment.rolling import seconds_until

PROBES_OUT_S = 1.0
"""When to ask again while all probes are out: how long they take is not known."""


class BreakerState(StrEnum):
    """Whether requests pass."""

    CLOSED = "closed"
    """All pass."""
    OPEN = "open"
    """None passes."""
    HALF_OPEN = "half_open"
    """A few pass, and what becomes of them decides."""


class CircuitBreaker:
    """One for each pair of a deployment and its server. Times are monotonic seconds.

    Each attempt takes a pass, an int, and hands it in once: as succeeded, as failed, or given back when it
    proves nothing (see outcomes). A pass is the number of the state that it was taken in: from before the
    last change it is void, and handing it in changes nothing, for late news of requests that began in better
    times does not judge the probes.
    """

    def __init__(self, policy: CircuitBreakerPolicy | None = None) -> None:
        self.policy = policy or CircuitBreakerPolicy()
        self.is_closed = True
        """True when it would let any number pass."""
        self._state = BreakerState.CLOSED
        self._is_forced = False
        self._n_failures = 0
        self.is_calm = True
        """True while it is closed and nothing has failed since a success: one more changes nothing."""
        self._open_until = 0.0
        self.number = 0
        """Changes of state so far; the pass of whoever comes while it is closed."""
        self._n_probes = 0
        """Passes of half open that were not handed in."""

    @property
    def is_forced(self) -> bool:
        """True while a person holds it in its state."""
        return self._is_forced

    @property
    def failures_in_a_row(self) -> int:
        """Failures since the last success or change of state."""
        return self._n_failures

    def state(self, now: float) -> BreakerState:
        """The state it would judge a request by."""
        is_due = self._state is BreakerState.OPEN and not self._is_forced and now >= self._open_until
        return BreakerState.HALF_OPEN if is_due else self._state

    def retry_after_s(self, now: float) -> float:
        """Seconds until a request may pass; 0 when one may now. Takes nothing."""
        if self.is_closed:
            return 0.0
        state = self.state(now)
        if state is BreakerState.OPEN:
            return self.policy.open_duration_s if self._is_forced else seconds_until(self._open_until, now)
        is_full = self._n_probes >= self.policy.half_open_max_probes
        return PROBES_OUT_S if self._state is BreakerState.HALF_OPEN and is_full else 0.0

    def take(self, now: float) -> int | None:
        """A pass for one attempt; None when none may be made."""
        if not self.is_closed:
            if self.retry_after_s(now) > 0:
                return None
            if self.state(now) is not self._state:
                self._change(BreakerState.HALF_OPEN)
            self._n_probes += 1
        return self.number

    def succeeded(self, taken: int) -> bool:
        """The server answered; returns whether that closed it."""
        if taken != self.number:
            return False
        self._n_failures = 0
        self.is_calm = self.is_closed
        if self._state is not BreakerState.HALF_OPEN:
            return False
        self._change(BreakerState.CLOSED)
        return True

    def failed(self, taken: int, now: float) -> bool:
        """The server failed in a way that counts; returns whether that opened it, as a failed probe does."""
        if taken != self.number or self._is_forced:
            return False
        self._n_failures += 1
        self.is_calm = False
        is_probe = self._state is BreakerState.HALF_OPEN
        if not is_probe and self._n_failures < self.policy.failure_threshold:
            return False
        self._change(BreakerState.OPEN)
        self._open_until = now + self.policy.open_duration_s
        return True

    def give_back(self, taken: int) -> None:
        """Nothing was learned: the client has gone, or the answer says nothing about the server's health."""
        if taken == self.number and self._state is BreakerState.HALF_OPEN:
            self._n_probes -= 1

    def force(self, state: BreakerState) -> None:
        """A person holds it open or closed until `reset`. Raises: ValueError for half open."""
        if state is BreakerState.HALF_OPEN:
            raise ValueError("a circuit breaker is held open or closed")
        self._change(state)
        self._is_forced = True

    def reset(self) -> None:
        """A person gives the server a fresh start: closed, nothing counted, nothing forced."""
        self._change(BreakerState.CLOSED)
        self._is_forced = False

    def _change(self, state: BreakerState) -> None:
        self._state = state
        self.is_closed = self.is_calm = state is BreakerState.CLOSED
        self.number += 1
        self._n_failures = self._n_probes = 0
