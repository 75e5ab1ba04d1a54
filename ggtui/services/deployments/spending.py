"""What a deployment spends: reserved before a request is sent, settled and kept when it has ended."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ggtui.core.deployment.policies import Budget, BudgetAction
from ggtui.core.deployment.spend import DAY_S, Period, SpendLedger
from ggtui.core.errors import BudgetExceeded, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.ports.deployments import SpendPort
    from ggtui.services.deployments.clock import Clock
    from ggtui.services.deployments.writes import Writes

_LOG = logging.getLogger(__name__)


class Spending:
    """The ledger of one deployment and what keeps it. Amounts are pusd."""

    def __init__(
        self, name: str, budget: Budget | None, port: SpendPort, clock: Clock, writes: Writes
    ) -> None:
        self._name = name
        self._port = port
        self._clock = clock
        self._writes = writes
        self.kept_at = 0.0
        """Unix time at which something was kept last."""
        self._ledger = SpendLedger(budget or Budget())
        self.adapt(budget)

    async def load(self) -> None:
        """Take over what was settled within the last day, before anything is reserved."""
        try:
            settled = await self._port.load(self._name, self._clock.unix() - DAY_S)
        except StoreUnavailable as failure:
            _LOG.warning("what deployment '%s' spent before is not known: %s", self._name, failure.message)
            return
        self._ledger = SpendLedger(self._ledger.budget, settled)
        self._ledger.new_excess(self._clock.unix())  # it was told when it came

    def adapt(self, budget: Budget | None) -> None:
        """Another budget from now on; what was spent stays."""
        self.may_throttle = budget is not None and budget.on_exceeded is BudgetAction.THROTTLE
        self._ledger.adapt(budget or Budget())

    @property
    def held_pusd(self) -> int:
        """What the requests in flight may cost."""
        return self._ledger.held_pusd

    def spent_pusd(self, period: Period) -> int:
        """What was settled within the period."""
        return self._ledger.spent_pusd(period, self._clock.unix())

    @property
    def exceeded(self) -> Period | None:
        """The period in which more was spent than may be; None while all is well."""
        return self._ledger.exceeded(self._clock.unix())

    @property
    def is_throttled(self) -> bool:
        """True while fewer requests are served at once, because too much was spent."""
        return self.slots(2) == 1

    def slots(self, slots: int | None) -> int | None:
        """How many requests may be served at once, with what a spent budget takes off."""
        return self._ledger.slots(slots, self._clock.unix())

    def reserve(self, cost_pusd: int) -> None:
        """Reserve what a request may cost at most, until it settles or gives back. Raises: BudgetExceeded."""
        now, ledger = self._clock.unix(), self._ledger
        if ledger.has_excess:
            self._tell_excess(now)  # one that has rolled off meanwhile may come again
        if (over := ledger.reserve(cost_pusd, now)) is not None:
            raise BudgetExceeded(self._name, over.period, retry_after_s=over.retry_after_s)

    def take(self, most: int) -> int:
        """Reserve for many at once: all that is left, or so much; 0 for nothing."""
        return self._ledger.take_all(most, self._clock.unix())

    def settle(self, held_pusd: int, cost_pusd: int) -> asyncio.Task[None] | None:
        """A request has ended and cost so much in place of what it had reserved.

        The task is what is still to be written.
        """
        if not cost_pusd:
            self.give_back(held_pusd)
            return None
        task = self.keep(cost_pusd)
        self.settle_kept(held_pusd, cost_pusd, self.kept_at)
        return task

    def settle_kept(self, held_pusd: int, cost_pusd: int, at: float) -> None:
        """Requests have ended whose cost was kept, the last of them at this Unix time."""
        if self._ledger.settle(held_pusd, cost_pusd, at):
            self._tell_excess(at)

    def keep(self, cost_pusd: int) -> asyncio.Task[None] | None:
        """Have a cost outlive ggtui; the task is what is still to be written."""
        self.kept_at = self._clock.unix()
        return self._add(cost_pusd, self.kept_at)

    def take_back(self, kept_pusd: int, at: float, writes: Sequence[asyncio.Future[None]]) -> None:
        """So much of what was kept at this Unix time was not spent after all.

        writes: those that keep it and still run. It is never taken off before it is there.
        """
        if writes:
            self._writes.begin(self._take_back_after(writes, kept_pusd, at))
        else:
            self._add(-kept_pusd, at)

    async def _take_back_after(
        self, writes: Sequence[asyncio.Future[None]], kept_pusd: int, at: float
    ) -> None:
        await asyncio.wait(writes)
        if (work := self._port.add(self._name, at, -kept_pusd)) is not None:
            await work

    def _add(self, cost_pusd: int, at: float) -> asyncio.Task[None] | None:
        work = self._port.add(self._name, at, cost_pusd)
        return None if work is None else self._writes.begin(work)

    def give_back(self, held_pusd: int) -> None:
        """A request that had reserved so much cost nothing."""
        self._ledger.give_back(held_pusd)

    def _tell_excess(self, now: float) -> None:
        if (period := self._ledger.new_excess(now)) is not None:
            _LOG.warning("deployment '%s' has spent more than its budget of the last %s", self._name, period)
