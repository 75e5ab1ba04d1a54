"""Lets requests in by sums while they come fast and every limit is far."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ggtui.core.deployment.limits import Moment
    from ggtui.core.deployment.retry import RetryBudget
    from ggtui.services.deployments.limits import Limits
    from ggtui.services.deployments.room import Room
    from ggtui.services.deployments.spending import Spending

MANY: Final = 1 << 60
"""So much is taken of what has no limit."""


class Lane:
    """Takes all that is free for a moment, and hands it out by counting down: thousands of requests a second
    would otherwise spend more time on asking each limit than on being served.

    Invariant: while it is open nobody waits, and whoever looks at the room, the limits, the budget or the
    retries has closed it before: these are exact then. What was let in is settled with them as ever.
    """

    def __init__(self, room: Room, limits: Limits, spending: Spending, retries: RetryBudget) -> None:
        self.until = -math.inf
        """Monotonic moment at which it is over; past while it is closed."""
        self.n = self.tokens = self.pusd = 0
        """What is left to hand out: requests, tokens, and what they may cost."""
        self.newest = 0.0
        """When the newest request was let in."""
        self.moment: Moment
        """Of the limits, for all of them."""
        self._room = room
        self._limits = limits
        self._spending = spending
        self._retries = retries
        self._n_taken = 0

    def open(self, now: float) -> None:
        """Take what is free; nothing where there is something of which nothing is left."""
        self.close()
        n = self._room.decided.take(MANY)
        block = self._limits.take(n, now) if n else None
        pusd = self._spending.take(MANY) if block is not None else 0
        if block is None or not pusd:
            self._room.decided.give_back(n)
            if block is not None:
                self._limits.give_back_rest(block.moment, block.n, block.tokens, now)
            return
        self._room.decided.give_back(n - block.n)
        self.n = self._n_taken = block.n
        self.tokens, self.pusd = block.tokens, pusd
        self.moment, self.until, self.newest = block.moment, block.until, now

    def close(self) -> None:
        """Give back what was not handed out."""
        if self.until == -math.inf:
            return
        self.until = -math.inf
        self._room.decided.give_back(self.n)
        self._limits.give_back_rest(self.moment, self.n, self.tokens, self.newest)
        self._spending.give_back(self.pusd)
        if n := self._n_taken - self.n:
            self._retries.requested(self.newest, n)
