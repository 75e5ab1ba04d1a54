"""How many requests and tokens a deployment lets through within a minute, and how many requests at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ggtui.core.deployment.rolling import RollingWindow, seconds_until

if TYPE_CHECKING:
    from ggtui.core.deployment.policies import RateLimits
    from ggtui.core.deployment.rolling import Entry

MINUTE_S: Final = 60.0
SOMEBODY_ENDS_S: Final = 1.0
"""When to ask again while too many are served at once: when one of them ends is not known."""


class Limit(StrEnum):
    """Which limit holds a request back, by the name of its setting."""

    REQUESTS = "requests_per_minute"
    TOKENS = "tokens_per_minute"
    CONCURRENT = "concurrent_requests"


@dataclass(frozen=True, slots=True)
class Wait:
    """The request must wait."""

    seconds: float
    """Until it would be let through if nobody came before it; infinite when it is too large by itself."""
    limit: Limit
    """The one that lasts longest."""


@dataclass(slots=True, eq=False)
class Reservation:
    """What one request holds of the limits, until it is settled or given back."""

    request: Entry | None
    tokens: Entry | None
    is_open: bool = True


class RateLimiter:
    """Counts for one deployment. Times are monotonic seconds.

    Within any 60 seconds, from the first moment up to and without the last, no more is let through than the
    limits say. A request counts from when it was let through, with the tokens it might use, and once it has
    ended with those it used; only a request that used more than it reserved can go past the limit of tokens.
    """

    def __init__(self, limits: RateLimits) -> None:
        self.limits = limits
        self._requests = RollingWindow(MINUTE_S)
        self._tokens = RollingWindow(MINUTE_S)
        self._n_in_flight = 0

    @property
    def in_flight(self) -> int:
        """Requests that were let through and have not ended."""
        return self._n_in_flight

    def used(self, now: float) -> tuple[int, int]:
        """Requests and tokens of the last minute; those without a limit are not counted."""
        return self._requests.total(now), self._tokens.total(now)

    def reserve(self, tokens: int, now: float) -> Reservation | Wait:
        """Let a request through, or say how long it must wait; nothing is taken then.

        tokens: what it might use at most, input and output.
        """
        tokens = max(0, tokens)
        if self._is_over(tokens, now):
            return self._wait(tokens, now)
        self._n_in_flight += 1
        limits = self.limits
        return Reservation(
            self._requests.add(1, now) if limits.requests_per_minute is not None else None,
            self._tokens.add(tokens, now) if limits.tokens_per_minute is not None else None,
        )

    def settle(self, reservation: Reservation, tokens: int) -> None:
        """The request has ended and used this many tokens. Nothing happens the second time."""
        if self._close(reservation) and reservation.tokens is not None:
            self._tokens.correct(reservation.tokens, max(0, tokens))

    def give_back(self, reservation: Reservation) -> None:
        """The request was not sent after all: it never counted. Nothing happens once it was settled."""
        if not self._close(reservation):
            return
        if reservation.request is not None:
            self._requests.correct(reservation.request, 0)
        if reservation.tokens is not None:
            self._tokens.correct(reservation.tokens, 0)

    def _close(self, reservation: Reservation) -> bool:
        was_open, reservation.is_open = reservation.is_open, False
        self._n_in_flight -= was_open
        return was_open

    def _is_over(self, tokens: int, now: float) -> bool:
        """True when one more with so many tokens would go past a limit."""
        limits = self.limits
        n_at_once, n_requests = limits.concurrent_requests, limits.requests_per_minute
        n_tokens = limits.tokens_per_minute
        return (
            (n_at_once is not None and self._n_in_flight >= n_at_once)
            or (n_requests is not None and self._requests.total(now) >= n_requests)
            or (n_tokens is not None and self._tokens.total(now) + tokens > n_tokens)
        )

    def _wait(self, tokens: int, now: float) -> Wait:
        """For one that would go past a limit."""
        limits = self.limits
        waits = []
        if limits.concurrent_requests is not None and self._n_in_flight >= limits.concurrent_requests:
            waits.append(Wait(SOMEBODY_ENDS_S, Limit.CONCURRENT))
        for limit, most, window, amount in (
            (Limit.REQUESTS, limits.requests_per_minute, self._requests, 1),
            (Limit.TOKENS, limits.tokens_per_minute, self._tokens, tokens),
        ):
            moment = window.fits_at(amount, most, now) if most is not None else now
            if moment > now:
                waits.append(Wait(seconds_until(moment, now), limit))
        return max(waits, key=lambda each: each.seconds)
