"""How many requests and tokens a deployment lets through within a minute, and how many requests at once."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from ggtui.core.deployment.rolling import seconds_until

if TYPE_CHECKING:
    from ggtui.core.deployment.policies import RateLimits

MINUTE_S: Final = 60.0
SOMEBODY_ENDS_S: Final = 1.0
"""When to ask again while too many are served at once: when one of them ends is not known."""
TOGETHER_S: Final = 0.05
"""Requests that come this close to each other are counted as one: thousands a second take little room."""


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
class Moment:
    """What was let through at one moment, or within TOGETHER_S of it."""

    at: float
    """Of the last of them: until a minute after it they all count."""
    n_requests: int = 0
    n_tokens: int = 0
    is_counted: bool = True
    """False when its minute is over, or nothing was counted."""


class Block(NamedTuple):
    """What many requests may take together."""

    moment: Moment
    n: int
    """Requests."""
    tokens: int
    until: float
    """When its moment is over."""


_ALL_TOKENS: Final = 1 << 60
_UNCOUNTED: Final = Moment(0.0, is_counted=False)


class RateLimiter:
    """Counts for one deployment. Times are seconds of a clock that is hardly ever set back.

    Within any 60 seconds, from the first moment up to and without the last, no more is let through than the
    limits say. A request counts from when it was let through, with the tokens it might use, and once it has
    ended with those it used; only a request that used more than it reserved can go past the limit of tokens.

    Whoever is let through gets the moment, and comes back with it once: it has ended, or was not sent.
    """

    def __init__(self, limits: RateLimits) -> None:
        self._counted: deque[Moment] = deque()
        """Those of the last minute, the oldest first."""
        self._newest = _UNCOUNTED
        self._until = -math.inf
        """Until then the newest moment takes what comes, and the oldest one counts."""
        self._n_requests = 0
        self._n_tokens = 0
        self._n_in_flight = 0
        self.limits = limits

    @property
    def limits(self) -> RateLimits:
        """Those in force; others may be set at any time, and what was let through still counts."""
        return self._limits

    @limits.setter
    def limits(self, limits: RateLimits) -> None:
        self._limits = limits
        self._most_requests = _or_any(limits.requests_per_minute)
        self._most_tokens = _or_any(limits.tokens_per_minute)
        self._most_at_once = _or_any(limits.concurrent_requests)
        self._counts = self._most_requests < math.inf or self._most_tokens < math.inf

    @property
    def in_flight(self) -> int:
        """Requests that were let through and have not ended."""
        return self._n_in_flight

    def used(self, now: float) -> tuple[int, int]:
        """Requests and tokens of the last minute; none are counted while neither has a limit."""
        self._drop(now)
        return self._n_requests, self._n_tokens

    def reserve(self, tokens: int, now: float) -> Moment | Wait:
        """Let a request through, or say how long it must wait; nothing is taken then.

        tokens: what it might use at most, input and output; not negative.
        """
        return self.take(tokens, now) or self._wait(tokens, now)

    def take(self, tokens: int, now: float) -> Moment | None:
        """As `reserve`; None when it must wait."""
        if self._n_in_flight >= self._most_at_once:
            return None
        if not self._counts:
            self._n_in_flight += 1
            return _UNCOUNTED  # also when a limit comes before its end
        moment = self._newest
        if not moment.at <= now < self._until:
            moment = self._begin(now)
        n_tokens = self._n_tokens + tokens
        if self._n_requests >= self._most_requests or n_tokens > self._most_tokens:
            return None
        self._n_in_flight += 1
        self._n_requests += 1
        self._n_tokens = n_tokens
        moment.at = now
        moment.n_requests += 1
        moment.n_tokens += tokens
        return moment

    def take_all(self, most: int, now: float) -> Block | None:
        """Let many through at once: as many as may be, with all tokens that are left; None for nobody.

        What is not used of it goes back soon.
        """
        moment = _UNCOUNTED if not self._counts else self._begin(now)
        left = self._most_requests - self._n_requests, self._most_at_once - self._n_in_flight
        n, tokens = int(min(most, *left)), int(min(_ALL_TOKENS, self._most_tokens - self._n_tokens))
        if n <= 0 or tokens <= 0:
            return None
        self._n_in_flight += n
        if self._counts:
            self._add(moment, n, tokens)
        return Block(moment, n, tokens, self._until if self._counts else now + TOGETHER_S)

    def give_rest_back(self, rest: Block, newest: float, n_ended: int) -> None:
        """So much of a block was not used, or was given back by those of its requests that have ended.

        newest: when the last of it was used.
        """
        moment = rest.moment
        self._n_in_flight -= rest.n + n_ended
        if moment.is_counted:
            moment.at = max(moment.at, newest)
            self._add(moment, -rest.n, -rest.tokens)

    def settle(self, moment: Moment, reserved: int, used: int) -> None:
        """A request has ended and used so many tokens in place of those that it reserved at this moment."""
        self._n_in_flight -= 1
        if moment.is_counted:
            more = used - reserved
            moment.n_tokens += more
            self._n_tokens += more

    def give_back(self, moment: Moment, reserved: int) -> None:
        """A request was not sent after all: it never counted."""
        self._n_in_flight -= 1
        if moment.is_counted:
            self._add(moment, -1, -reserved)

    def _add(self, moment: Moment, n_requests: int, n_tokens: int) -> None:
        moment.n_requests += n_requests
        moment.n_tokens += n_tokens
        self._n_requests += n_requests
        self._n_tokens += n_tokens

    def _begin(self, now: float) -> Moment:
        self._drop(now)
        self._newest = Moment(now)
        self._counted.append(self._newest)
        self._until = min(now + TOGETHER_S, self._counted[0].at + MINUTE_S)
        return self._newest

    def _drop(self, now: float) -> None:
        counted = self._counted
        if counted and counted[-1].at > now:  # a clock that was set back: nothing counts longer than a minute
            for each in counted:
                each.at = min(each.at, now)
            self._until = -math.inf
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


def _or_any(most: int | None) -> float:
    return math.inf if most is None else most
