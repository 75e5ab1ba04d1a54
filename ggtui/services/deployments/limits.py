"""The rate limits of a deployment as callers see them: refused, or let through when it is their turn."""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ggtui.core.deployment.limits import Limit, Moment, RateLimiter, Wait
from ggtui.core.deployment.policies import CapacityPolicy
from ggtui.core.errors import QueueTimeout, RateLimitExceeded, StoreUnavailable
from ggtui.core.snapshot import LimitUse
from ggtui.services.deployments.room import Room

if TYPE_CHECKING:
    from ggtui.core.deployment.limits import Block
    from ggtui.core.deployment.policies import Priority, RateLimits, Serving
    from ggtui.core.errors import Failure
    from ggtui.core.ports.deployments import CountersPort
    from ggtui.services.deployments.clock import Clock
    from ggtui.services.deployments.writes import Writes

_LOG = logging.getLogger(__name__)


class Grant(NamedTuple):
    """What one request holds of the limits."""

    own: Moment | None = None
    """Of this process."""
    shared: int | None = None
    """Of all processes, where they count together."""


class Limits:
    """Lets requests through within the limits. Those who may wait do so in one line.

    Where all processes count together this one counts too, so that its limits hold when that fails.
    """

    def __init__(
        self,
        name: str,
        shared_name: str,
        limits: RateLimits,
        serving: Serving,
        counters: CountersPort,
        clock: Clock,
        writes: Writes,
        client: str = "",
    ) -> None:
        """shared_name: what all processes call the deployment that count it together.

        client: who holds the key that has these limits for itself; empty for the limits of all.
        """
        self.shared_name = shared_name
        self._name = name
        self._limits = limits
        self._own = RateLimiter(limits)
        self._counters = counters
        self._clock = clock
        self._writes = writes
        self._line = Room(name, _in_line(serving), 1, clock)
        """Who may be let through next has its one slot."""
        self._n_in_line = 0
        """Those who wait there, and who is let through just now."""
        self._news: asyncio.Future[Failure | None] | None = None
        """What the first of the line waits for: None when there may be room, or why it must not wait."""
        self._has_warned = False
        self.client = client

    @property
    def n_waiting(self) -> int:
        """Requests that wait to be let through."""
        return self._line.n_waiting + (self._news is not None)

    @property
    def in_flight(self) -> int:
        """Requests of this process that were let through and have not ended."""
        return self._own.in_flight

    @property
    def uses(self) -> tuple[LimitUse, ...]:
        """The limits that are set, and what this process uses of them."""
        n_requests, n_tokens = self._own.used(self._clock.monotonic())
        limits = self._limits
        uses = (
            (Limit.REQUESTS, n_requests, limits.requests_per_minute),
            (Limit.TOKENS, n_tokens, limits.tokens_per_minute),
            (Limit.CONCURRENT, self._own.in_flight, limits.concurrent_requests),
        )
        return tuple(
            LimitUse(limit, used, most, self.client) for limit, used, most in uses if most is not None
        )

    def adapt(self, limits: RateLimits, serving: Serving) -> None:
        """Other limits from now on; what was let through still counts."""
        self._limits = self._own.limits = limits
        self._line.adapt(_in_line(serving), 1)
        self._tell()

    def enter_at_once(self, tokens: int, now: float) -> Moment | None:
        """As `enter` where nobody is in front and there is room; None where not, and nothing is taken.

        Whoever was let through comes back once, with what it was given: to settle or to give back.
        """
        if self._n_in_line or self._limits.strict:
            return None
        return self._own.take(tokens, now)

    def take(self, most: int, now: float) -> Block | None:
        """Let many through at once, where nobody is in front and all may be counted here; None for nobody."""
        if self._n_in_line or self._limits.strict:
            return None
        return self._own.take_all(most, now)

    def give_rest_back(self, rest: Block, newest: float, n_ended: int) -> None:
        """What is left of a block; newest: when the last of it was used. n_ended: of its requests."""
        self._own.give_rest_back(rest, newest, n_ended)

    async def enter(self, tokens: int, priority: Priority, deadline: float, *, may_wait: bool) -> Grant:
        """Be let through. tokens: what the request may use at most. deadline: monotonic seconds.

        Raises: RateLimitExceeded, CapacityExhausted when too many wait, and what `turn_away` was given.
        """
        if not _has_any(self._limits):
            return Grant()
        if not may_wait:
            return await self._at_once(tokens)
        self._n_in_line += 1
        try:
            return await self._when_in_front(tokens, priority, deadline)
        finally:
            self._n_in_line -= 1

    async def _when_in_front(self, tokens: int, priority: Priority, deadline: float) -> Grant:
        try:
            await self._line.enter(turn := object(), priority, deadline)
        except QueueTimeout:
            return await self._at_once(tokens)
        try:
            return await self._in_turn(tokens, deadline)
        finally:
            self._line.leave(turn)

    def settle(self, moment: Moment, reserved: int, used: int) -> None:
        """A request has ended, and used so many tokens in place of those that it had reserved."""
        self._own.settle(moment, reserved, used)
        if self._news is not None:
            self._tell()

    def give_back(self, moment: Moment, reserved: int) -> None:
        """A request was not sent after all."""
        self._own.give_back(moment, reserved)
        self._tell()

    def settle_shared(self, number: int, used: int | None) -> asyncio.Task[None]:
        """The same for what all processes count; the task is what is still to be written.

        used: None for a request that was not sent.
        """
        counters = self._counters
        return self._writes.begin(
            counters.give_back(number) if used is None else counters.settle(number, used)
        )

    def turn_away(self, failure: Failure) -> None:
        """Everybody who waits hears this."""
        self._line.turn_away(failure)
        self._tell(failure)

    async def _at_once(self, tokens: int) -> Grant:
        found = await self._reserve(tokens)
        if isinstance(found, Wait):
            raise self._refusal(found)
        return found

    async def _in_turn(self, tokens: int, deadline: float) -> Grant:
        while isinstance(found := await self._reserve(tokens), Wait):
            if self._clock.monotonic() + found.seconds > deadline:
                raise self._refusal(found)
            await self._pause(found.seconds)
        return found

    async def _pause(self, seconds: float) -> None:
        """Until the time is over, or somebody has given something back."""
        self._news = asyncio.get_running_loop().create_future()
        alarm = self._clock.call_at(self._clock.monotonic() + seconds, self._tell)
        try:
            if (failure := await self._news) is not None:
                raise failure
        finally:
            alarm.cancel()
            self._news = None

    def _tell(self, failure: Failure | None = None) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(failure)

    async def _reserve(self, tokens: int) -> Grant | Wait:
        shared = await self._reserve_shared(tokens) if self._limits.strict else None
        if isinstance(shared, Wait):
            return shared
        if shared is None:
            return self._reserve_own(tokens)
        own = self._own.reserve(tokens, self._clock.monotonic())
        # all processes together have decided
        return Grant(own if isinstance(own, Moment) else None, shared)

    def _reserve_own(self, tokens: int) -> Grant | Wait:
        own = self._own.reserve(tokens, self._clock.monotonic())
        return own if isinstance(own, Wait) else Grant(own)

    async def _reserve_shared(self, tokens: int) -> int | Wait | None:
        """None where the common count cannot be reached: then this process alone decides."""
        try:
            return await self._counters.reserve(self.shared_name, tokens, self._limits)
        except StoreUnavailable as failure:
            if not self._has_warned:
                self._has_warned = True
                _LOG.warning(
                    "deployment '%s' counts its limits in this process alone: %s", self._name, failure.message
                )
            return None

    def _refusal(self, wait: Wait) -> RateLimitExceeded:
        is_per_key = bool(self.client)
        return RateLimitExceeded(self._name, wait.limit, retry_after_s=wait.seconds, is_per_key=is_per_key)


def _has_any(limits: RateLimits) -> bool:
    return not (limits.requests_per_minute is limits.tokens_per_minute is limits.concurrent_requests is None)


def _in_line(serving: Serving) -> Serving:
    """How requests wait for limits: as for a slot, with the patience that each of them has left."""
    return replace(serving, on_capacity_exhausted=CapacityPolicy.QUEUE, queue_timeout_s=math.inf)
