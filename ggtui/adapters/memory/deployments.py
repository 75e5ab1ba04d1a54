"""What deployments spend and count, kept as long as the process lives; keys from a table; time by hand."""

from __future__ import annotations

import heapq
import time
from itertools import count
from typing import TYPE_CHECKING

from ggtui.core.deployment.limits import RateLimiter, Wait
from ggtui.core.deployment.secret import Secret
from ggtui.core.deployment.spend import SpendEntry
from ggtui.core.errors import ConfigInvalid, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ggtui.core.deployment.limits import Moment
    from ggtui.core.deployment.policies import RateLimits
    from ggtui.core.deployment.secret import SecretRef


class MemorySpend:
    """The SpendPort of tests; what one instance keeps, the next can begin with."""

    def __init__(self, kept: Mapping[str, list[SpendEntry]] | None = None, *, failure: str = "") -> None:
        """kept: of an earlier run, by deployment. failure: why nothing can be kept; may be set later."""
        self.kept = {name: list(entries) for name, entries in (kept or {}).items()}
        self.failure = failure
        self.is_closed = False

    async def load(self, name: str, since: float) -> tuple[SpendEntry, ...]:
        """See SpendPort."""
        self._check()
        entries = sorted(self.kept.get(name, ()), key=lambda each: each.at)
        return tuple(each for each in entries if each.at >= since)

    async def add(self, name: str, at: float, cost_pusd: int) -> None:
        """See SpendPort."""
        self._check()
        self.kept.setdefault(name, []).append(SpendEntry(at, cost_pusd))

    async def prune(self, before: float) -> None:
        """See SpendPort."""
        self._check()
        for name, entries in self.kept.items():
            self.kept[name] = [each for each in entries if each.at >= before]

    async def close(self) -> None:
        """Nothing more is kept."""
        self.is_closed = True

    def _check(self) -> None:
        if self.is_closed or self.failure:
            raise StoreUnavailable(self.failure or "the spending is closed")


class MemoryCounters:
    """The CountersPort of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, failure: str = "") -> None:
        """failure: why nothing can be counted; may be set at any time."""
        self.failure = failure
        self._clock = clock
        self._limiters: dict[str, RateLimiter] = {}
        self._open: dict[int, tuple[RateLimiter, Moment, int]] = {}
        """By number; the tokens that it reserved last."""
        self._numbers = count(1)

    @property
    def n_open(self) -> int:
        """Reservations that were neither settled nor given back."""
        return len(self._open)

    async def reserve(self, name: str, tokens: int, limits: RateLimits) -> int | Wait:
        """See CountersPort."""
        if self.failure:
            raise StoreUnavailable(self.failure)
        limiter = self._limiters.setdefault(name, RateLimiter(limits))
        limiter.limits = limits
        found = limiter.reserve(tokens, self._clock())
        if isinstance(found, Wait):
            return found
        number = next(self._numbers)
        self._open[number] = limiter, found, tokens
        return number

    async def settle(self, reservation: int, tokens: int) -> None:
        """See CountersPort."""
        if (held := self._open.pop(reservation, None)) is not None:
            limiter, moment, reserved = held
            limiter.settle(moment, reserved, tokens)

    async def give_back(self, reservation: int) -> None:
        """See CountersPort."""
        if (held := self._open.pop(reservation, None)) is not None:
            limiter, moment, reserved = held
            limiter.give_back(moment, reserved)

    async def close(self) -> None:
        """There is nothing to release."""


class MemorySecrets:
    """The SecretsPort of tests: keys by the name that a reference has."""

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        """texts: may be changed at any time, as a person would rotate a key."""
        self.texts = dict(texts or {})

    async def read(self, ref: SecretRef) -> Secret:
        """See SecretsPort."""
        if ref.value is not None:
            return ref.value
        if ref.name not in self.texts:
            raise ConfigInvalid(f"there is no key in {ref.described}")
        return Secret(self.texts[ref.name])


class Alarm:
    """A call that a ManualClock makes, unless it was cancelled."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call
        self.is_cancelled = False

    def cancel(self) -> None:
        """Do not call it."""
        self.is_cancelled = True


class ManualClock:
    """Time that passes when it is told to; both of its times begin at the same number."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now
        self._alarms: list[tuple[float, int, Alarm]] = []
        self._numbers = count()

    def monotonic(self) -> float:
        """Now."""
        return self.now

    def unix(self) -> float:
        """Now."""
        return self.now

    def call_at(self, moment: float, call: Callable[[], None]) -> Alarm:
        """Call this when time has passed so far."""
        alarm = Alarm(call)
        heapq.heappush(self._alarms, (moment, next(self._numbers), alarm))
        return alarm

    def advance(self, seconds: float) -> None:
        """Let time pass; what is due is called, in order and each at its moment."""
        until = self.now + seconds
        while self._alarms and self._alarms[0][0] <= until:
            moment, _, alarm = heapq.heappop(self._alarms)
            self.now = max(self.now, moment)
            if not alarm.is_cancelled:
                alarm.call()
        self.now = until

    @property
    def n_alarms(self) -> int:
        """Calls that are still to be made."""
        return sum(not alarm.is_cancelled for _, _, alarm in self._alarms)
