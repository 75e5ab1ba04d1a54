"""What a deployment has spent within the last hour and the last 24, and what follows when it is too much.

Amounts are pusd (see pricing). Times are Unix seconds, because what was spent outlives the process: the
ledger is made again from the settled entries that a database keeps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from ggtui.core.deployment.policies import Budget, BudgetAction
from ggtui.core.deployment.rolling import RollingWindow, seconds_until

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY_S: Final = 86_400.0
SOMEBODY_SETTLES_S: Final = 1.0
"""When to ask again while reservations fill the budget: when one of them settles is not known."""


class Period(StrEnum):
    """The length of time a limit is for."""

    HOUR = "hour"
    DAY = "day"

    @property
    def seconds(self) -> float:
        """Its length."""
        return 3600.0 if self is Period.HOUR else DAY_S


class SpendEntry(NamedTuple):
    """What requests have cost, as a database keeps it. Entries older than a day count no more."""

    at: float
    """When it was settled."""
    cost_pusd: int
    """Negative for what was kept at that time and not spent: the sum of a second never is."""


@dataclass(frozen=True, slots=True)
class OverBudget:
    """The request is refused: what it may cost is no longer there."""

    period: Period
    retry_after_s: float
    """Seconds until enough of it has rolled off; infinite when it costs more than the whole budget."""


class SpendLedger:
    """Reserves what a request may cost, and settles what it did cost.

    With the action reject, what is spent and reserved stays within the budget, and so what is spent goes
    past it by no more than the requests in flight cost above their reservations. An amount counts for up to
    a second longer than its period. Whoever has reserved comes back once, to settle or to give back.

    Far from every limit only sums are kept: the windows get what a second has brought when it is over, or
    when somebody must know exactly.
    """

    def __init__(self, budget: Budget, settled: Iterable[SpendEntry] = ()) -> None:
        self._windows = {period: RollingWindow(period.seconds) for period in Period}
        self._is_told = dict.fromkeys(Period, False)
        self.has_excess = False
        """True when an excess was told that may be over by now."""
        self._held_pusd = 0
        self._new_pusd = 0
        """What is in no window yet, all of one second."""
        self._newest = self._began = self._until = -math.inf
        """When the newest of it was settled; from when to when its second lasts."""
        self._free_pusd = math.inf
        """At least so much more than was in the windows then may be spent."""
        self.adapt(budget)
        for entry in sorted(settled, key=lambda each: each.at):
            self.settle(0, entry.cost_pusd, entry.at)

    def adapt(self, budget: Budget) -> None:
        """Another budget from now on; what was spent stays."""
        self.budget = budget
        self._rejects = budget.on_exceeded is BudgetAction.REJECT
        most = {Period.HOUR: budget.max_spend_per_hour_pusd, Period.DAY: budget.max_spend_per_day_pusd}
        self._limited = [
            (period, self._windows[period], limit) for period, limit in most.items() if limit is not None
        ]
        """The shorter period first."""
        for period, limit in most.items():
            self._is_told[period] &= limit is not None
        self.has_excess = True in self._is_told.values()
        self._free_pusd = -math.inf if self._limited else math.inf

    @property
    def held_pusd(self) -> int:
        """What the requests in flight may cost."""
        return self._held_pusd

    def spent_pusd(self, period: Period, unix_now: float) -> int:
        """What was settled within the period."""
        self._take_in(unix_now)
        return self._windows[period].total(unix_now)

    def exceeded(self, unix_now: float) -> Period | None:
        """The period, the longer first, in which more was spent than may be; None while all is well."""
        self._take_in(unix_now)
        for period, window, most in reversed(self._limited):
            if window.total(unix_now) > most:
                return period
        return None

    def new_excess(self, unix_now: float) -> Period | None:
        """The period whose limit was passed since the last call: each excess is told once."""
        self._take_in(unix_now)
        told = None
        for period, window, most in self._limited:
            is_over = window.total(unix_now) > most
            if is_over is not self._is_told[period]:
                told = period if is_over else told
                self._is_told[period] = is_over
                self.has_excess = True in self._is_told.values()
        return told

    def slots(self, slots: int | None, unix_now: float) -> int | None:
        """How many requests may be served at once: half, and at least one, while throttled. None: any number.

        Any number stays any number: whoever wants it throttled gives the slots of the server.
        """
        is_throttled = self.budget.on_exceeded is BudgetAction.THROTTLE and self.exceeded(unix_now)
        return max(1, slots // 2) if slots is not None and is_throttled else slots

    def reserve(self, cost_pusd: int, unix_now: float) -> OverBudget | None:
        """Reserve what a request may cost at most; None when that is done. Only the action reject refuses."""
        wanted = self._held_pusd + cost_pusd
        if self._rejects and self._new_pusd + wanted > self._free_pusd:
            over = self._refusal(cost_pusd, unix_now)
            if over is not None:
                return over
        self._held_pusd = wanted
        return None

    def take_all(self, most: int, unix_now: float) -> int:
        """Reserve for many at once: all that is left, or so much; 0 for nothing. The rest goes back soon."""
        self._take_in(unix_now)
        if self.has_excess:
            return 0
        taken = max(0, int(min(most, self._free_pusd - self._held_pusd)))
        self._held_pusd += taken
        return taken

    def settle(self, held_pusd: int, cost_pusd: int, unix_now: float) -> bool:
        """A request has ended and cost so much in place of what it had reserved.

        Returns whether new_excess may have something to tell.
        """
        self._held_pusd -= held_pusd
        if cost_pusd:
            if not self._began <= unix_now < self._until:
                self._take_in(unix_now)
            self._new_pusd += cost_pusd
            self._newest = unix_now
        return self.has_excess or self._new_pusd > self._free_pusd

    def give_back(self, held_pusd: int) -> None:
        """A request that had reserved so much cost nothing."""
        self._held_pusd -= held_pusd

    def _take_in(self, unix_now: float) -> None:
        """Have the windows know all, and see what they leave."""
        if self._new_pusd:
            for window in self._windows.values():
                window.add(self._new_pusd, self._newest)
            self._new_pusd = 0
        self._began, self._until = unix_now, math.floor(unix_now) + 1.0
        left = (most - window.total(unix_now) for _, window, most in self._limited)
        self._free_pusd = min(left, default=math.inf)

    def _refusal(self, cost_pusd: int, unix_now: float) -> OverBudget | None:
        """That which lasts longest; None for no refusal."""
        self._take_in(unix_now)
        wanted = self._held_pusd + cost_pusd
        refusals = [
            self._refusal_of(period, window, most, cost_pusd, unix_now)
            for period, window, most in self._limited
            if window.total(unix_now) + wanted > most
        ]
        return max(refusals, key=lambda each: each.retry_after_s, default=None)

    def _refusal_of(
        self, period: Period, window: RollingWindow, most: int, cost_pusd: int, unix_now: float
    ) -> OverBudget:
        moment = window.fits_at(self._held_pusd + cost_pusd, most, unix_now)
        if moment == math.inf and cost_pusd <= most:
            return OverBudget(period, SOMEBODY_SETTLES_S)
        return OverBudget(period, seconds_until(moment, unix_now))
