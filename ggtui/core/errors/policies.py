"""Why a deployment holds a request back: its slots, its limits, its budget, or its circuit breaker."""

from __future__ import annotations

import math

from ggtui.core.errors.failure import Failure

NEVER_RETRY_AFTER_S = 60.0
"""Told to a client whose request will never be let through as it is: a header must hold a number."""


class PolicyRefusal(Failure):
    """The policies of a deployment hold a request back; its server was not asked.

    `retry_after_s` is finite and not negative: seconds after which the same request may pass.
    """

    title = "Request held back"
    status = 429
    error_type = "rate_limit_error"
    code = "rate_limit_exceeded"
    retryable = True

    def __init__(self, detail: str, *, retry_after_s: float, hint: str = "") -> None:
        """retry_after_s: infinite for a request that cannot pass at any time."""
        super().__init__(detail, hint=hint)
        self.retry_after_s = max(0.0, retry_after_s) if math.isfinite(retry_after_s) else NEVER_RETRY_AFTER_S


class RateLimitExceeded(PolicyRefusal):
    """The deployment's own limit of requests or tokens is reached."""

    title = "Rate limit reached"

    def __init__(self, name: str, limit: str, *, retry_after_s: float, is_per_key: bool = False) -> None:
        """limit: which, by the name of its setting. is_per_key: of the key that the client has sent."""
        hint = "" if math.isfinite(retry_after_s) else "the request alone is larger than the limit"
        whose = " for this key" if is_per_key else ""
        super().__init__(
            f"deployment '{name}' has reached its {limit}{whose}", retry_after_s=retry_after_s, hint=hint
        )


class CapacityExhausted(PolicyRefusal):
    """Every slot is taken and the request may not wait, or as many wait as may."""

    title = "No free slot"
    error_type = "overloaded_error"
    code = "capacity_exhausted"

    def __init__(self, name: str, *, retry_after_s: float, is_queue_full: bool = False) -> None:
        busy = f"deployment '{name}' serves as many requests as it may"
        super().__init__("engine queue full" if is_queue_full else busy, retry_after_s=retry_after_s)


class QueueTimeout(PolicyRefusal):
    """The request waited for a slot as long as it may."""

    title = "Waited too long for a slot"
    status = 503
    error_type = "service_unavailable"
    code = "queue_timeout"

    def __init__(self, name: str, waited_s: float, *, retry_after_s: float) -> None:
        super().__init__(
            f"deployment '{name}' had no free slot within {waited_s:g} s", retry_after_s=retry_after_s
        )


class CircuitOpen(PolicyRefusal):
    """Its server failed so often in a row that it is left alone for a while."""

    title = "Circuit breaker is open"
    status = 503
    error_type = "service_unavailable"
    code = "circuit_open"

    def __init__(self, name: str, *, retry_after_s: float) -> None:
        super().__init__(
            f"deployment '{name}' is left alone after failures in a row", retry_after_s=retry_after_s
        )


class BudgetExceeded(PolicyRefusal):
    """The money for the hour or the day is spent."""

    title = "Budget is spent"
    error_type = "budget_error"
    code = "budget_exceeded"

    def __init__(self, name: str, period: str, *, retry_after_s: float) -> None:
        """period: "hour" or "day"."""
        super().__init__(
            f"deployment '{name}' has spent its budget of the last {period}", retry_after_s=retry_after_s
        )
