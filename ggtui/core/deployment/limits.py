"""How many requests and tokens a deployment lets through within a minute, and how many requests at once."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ggtui.core.deployment.rolling import seconds_until

if TYPE_CHECKING:
    from ggtui.core.deployment.policies import RateLimits

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
    """What one request holds of the limits, until it is settled or given back. Zero where there is none."""

    at: float
    n_requests: int
    n_tokens: int
    is_open: bool = True
    is_counted: bool = True
    """False when its minute is over, or nothing was counted when it came."""


class RateLimiter:
    """Counts for one deployment. Times are seconds of a clock that is hardly ever set back.

    Within any 60 seconds, from the first moment up to and without the last, no more is let through than the
    limits say. A request counts from when it was let through, with the tokens it might use, and once it has
    ended with those it used; only a request that used more than it reserved can go past the limit of tokens.
    """

    def __init__(self, limits: RateLimits) -> None:
        self.limits = limits
        self._counted: deque[Reservation] = deque()
        """Those of the last minute, the oldest first."""
        self._n_requests = 0
        self._n_tokens = 0
        self._n_in_flight = 0

    @property
    def in_flight(self) -> int:
        """Requests that were let through and have not ended."""
        return self._n_in_flight

    def used(self, now: float) -> tuple[int, int]:
        """Requests and tokens of the last minute; those without a limit are not counted."""
        self._drop(now)
        return self._n_requests, self._n_tokens

    def reserve(self, tokens: int, now: float) -> Reservation | Wait:
        """Let a request through, or say how long it must wait; nothing is taken then.

        tokens: what it might use at most, input and output.
        """
        limits, counted = self.limits, self._counted
        if counted and not counted[-1].at <= now < counted[0].at + MINUTE_S:
            self._drop(now)
        most_requests, most_tokens = limits.requests_per_minute, limits.tokens_per_minute
        n_requests = 0 if most_requests is None else 1
        n_tokens = 0 if most_tokens is None or tokens < 0 else tokens
        if (
            (limits.concurrent_requests is not None and self._n_in_flight >= limits.concurrent_requests)
            or (most_requests is not None and self._n_requests >= most_requests)
            or (most_tokens is not None and self._n_tokens + n_tokens > most_tokens)
        ):
            return self._wait(n_tokens, now)
        self._n_in_flight += 1
        self._n_requests += n_requests
        self._n_tokens += n_tokens
        reservation = Reservation(now, n_requests, n_tokens)
        if most_requests is None and most_tokens is None:
            reservation.is_counted = False  # also when a limit comes before its end
        else:
            counted.append(reservation)
        return reservation

    def settle(self, reservation: Reservation, tokens: int) -> None:
        """The request has ended and used this many tokens. Nothing happens the second time."""
        if self._close(reservation) and self.limits.tokens_per_minute is not None and reservation.is_counted:
            n_tokens = tokens if tokens > 0 else 0
            self._n_tokens += n_tokens - reservation.n_tokens
            reservation.n_tokens = n_tokens

    def give_back(self, reservation: Reservation) -> None:
        """The request was not sent after all: it never counted. Nothing happens once it was settled."""
        if self._close(reservation) and reservation.is_counted:
            self._n_requests -= reservation.n_requests
            self._n_tokens -= reservation.n_tokens
            reservation.n_requests = reservation.n_tokens = 0

    def _close(self, reservation: Reservation) -> bool:
        was_open, reservation.is_open = reservation.is_open, False
        self._n_in_flight -= was_open
        return was_open

    def _drop(self, now: float) -> None:
        counted = self._counted
        if counted and counted[-1].at > now:  # a clock that was set back: nothing counts longer than a minute
            for each in counted:
                each.at = min(each.at, now)
        while counted and counted[0].at + MINUTE_S <= now:
            over = counted.popleft()
            over.is_counted = False
            self._n_requests -= over.n_requests
            self._n_tokens -= over.n_tokens

    def _wait(self, tokens: int, now: float) -> Wait:
        """For one that would go past a limit."""
        limits = self.limits
        waits = []
        if limits.concurrent_requests is not None and self._n_in_flight >= limits.concurrent_requests:
            waits.append(Wait(SOMEBODY_ENDS_S, Limit.CONCURRENT))
        if limits.requests_per_minute is not None:
            excess = self._n_requests + 1 - limits.requests_per_minute
            waits += self._waits(Limit.REQUESTS, excess, now)
        if limits.tokens_per_minute is not None:
            excess = self._n_tokens + tokens - limits.tokens_per_minute
            waits += self._waits(Limit.TOKENS, excess, now)
        return max(waits, key=lambda each: each.seconds)

    def _waits(self, limit: Limit, excess: int, now: float) -> list[Wait]:
        """Until so much has rolled off, if anything must."""
        if excess <= 0:
            return []
        for each in self._counted:
            excess -= each.n_requests if limit is Limit.REQUESTS else each.n_tokens
            if excess <= 0:
                return [Wait(seconds_until(each.at + MINUTE_S, now), limit)]
        return [Wait(math.inf, limit)]
