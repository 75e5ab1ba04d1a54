"""Lets requests in by sums while they come fast and every limit is far."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from ggtui.core.deployment.limits import Block

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from ggtui.core.deployment.limits import Moment
    from ggtui.core.deployment.retry import RetryBudget
    from ggtui.services.deployments.limits import Limits
    from ggtui.services.deployments.passage import Passage
    from ggtui.services.deployments.room import Room
    from ggtui.services.deployments.spending import Spending
    from ggtui.services.deployments.tally import Tally

MANY: Final = 1 << 60
"""So much is taken of what has no limit."""
WORTH: Final = 16
"""For fewer requests than this, asking is cheaper than opening a lane."""


class Lane:
    """Takes all that is free for a moment, hands it out by counting down, and keeps sums of what comes back:
    thousands of requests a second would otherwise spend more time on asking each limit than on being served.

    Invariant: while it is open nobody waits, and whoever looks at the room, the limits, the budget, the
    retries or the tally has closed it before: these are exact then. So nobody is told of what happens in it:
    the request before it was told of, and whoever looked after that has closed it.

    Of money it keeps a quarter more than was spent, which is taken back when it closes: so much too much is
    on record after a kill, and while nobody looks.
    """

    def __init__(
        self, room: Room, limits: Limits, spending: Spending, retries: RetryBudget, tally: Tally
    ) -> None:
        self.until = -math.inf
        """Monotonic moment at which it is over; past while it is closed."""
        self.n = self.tokens = self.pusd = 0
        """What is left to hand out: requests, tokens, and what they may cost."""
        self.newest = self.newest_end = 0.0
        """When the newest request was let in, and when the newest one has ended."""
        self.moment: Moment | None = None
        """Of the limits, for all that it lets in."""
        self.n_succeeded = self.n_others = self.n_earlier = 0
        """Requests that have ended meanwhile, well or otherwise; those of them that earlier lanes let in."""
        self.held_s = 0.0
        """How long all of them had their slots."""
        self.n_input = self.n_output = self.spent_pusd = 0
        """What they took: tokens and money."""
        self._room = room
        self._limits = limits
        self._spending = spending
        self._retries = retries
        self._tally = tally
        self._n_taken = 0
        self._kept_pusd = 0
        """What outlives ggtui already: more than was spent, so that most that end have nothing to write."""
        self._kept_at = self._kept_unix = 0.0
        """When the last of it was kept, by the monotonic clock and in Unix time."""
        self._keeping: Sequence[asyncio.Future[None]] = ()
        """Writes of it that run: whoever ends waits for all, as any of them may cover what it has cost."""

    def open(self, now: float) -> None:
        """Take what is free; nothing where there is something of which nothing is left."""
        self.close()
        n = self._room.decided.take(MANY)
        block = self._limits.take(n, now) if n >= WORTH else None
        pusd = self._spending.take(MANY) if block is not None and block.n >= WORTH else 0
        if block is None or not pusd:
            self._room.decided.give_back(n)
            if block is not None:
                self._limits.give_rest_back(block, now, 0)
            return
        self._room.decided.give_back(n - block.n)
        self.n = self._n_taken = block.n
        self.tokens, self.pusd = block.tokens, pusd
        self.n_succeeded = self.n_others = self.n_earlier = 0
        self.n_input = self.n_output = self.spent_pusd = self._kept_pusd = 0
        self.held_s, self._keeping = 0.0, ()
        self.moment, self.until, self.newest = block.moment, block.until, now

    def close(self) -> None:
        """Give back what was not handed out, and settle what has ended."""
        if self.until == -math.inf or self.moment is None:
            return
        rest = Block(self.moment, self.n, self.tokens, self.until)
        self.until = -math.inf
        self._room.decided.give_back(self.n)
        if n_ended := self.n_succeeded + self.n_others:
            self._room.decided.have_left(n_ended, self.held_s)
            self._tally.took(self.n_succeeded, self.n_input, self.n_output, self.spent_pusd)
        self._limits.give_rest_back(rest, self.newest, n_ended - self.n_earlier)
        if self.spent_pusd:
            at = self._kept_unix + self.newest_end - self._kept_at
            self._spending.settle_kept(self.pusd + self.spent_pusd, self.spent_pusd, at)
            if rest_pusd := self._kept_pusd - self.spent_pusd:
                self._spending.take_back(rest_pusd, self._kept_unix, self._keeping)
        else:
            self._spending.give_back(self.pusd)
        if n := self._n_taken - self.n:
            self._retries.requested(self.newest, n)

    def lets_in(self, passage: Passage, now: float) -> bool:
        """Let a request in, if all that it might use is left; else nothing has happened."""
        tokens, n_input = passage.tokens, passage.facts.input_tokens
        cost_pusd = passage.rules.pricing.most_pusd(n_input, tokens - n_input)
        if not self.n or tokens > self.tokens or cost_pusd > self.pusd:
            return False
        self.n -= 1
        self.tokens -= tokens
        self.pusd -= cost_pusd
        self.newest = passage.in_lane_since = now
        passage.moment = self.moment
        passage.held_pusd = cost_pusd
        return True

    def settle(self, passage: Passage, now: float) -> Sequence[asyncio.Future[None]] | None:
        """One that a lane of this deployment has let in, this one or an earlier, was sent and has ended.

        What is returned is still to be written; None when it must be settled by itself, and nothing has
        happened: the lane is over, or it has used more than it had reserved.
        """
        n_input, n_output = passage.n_input, passage.n_output
        tokens = n_input + n_output
        cost_pusd = passage.rules.pricing.cost_pusd(n_input, n_output, passage.n_cached)
        if now >= self.until or tokens > passage.tokens or cost_pusd > passage.held_pusd:
            return None
        outcome = passage.outcome
        if outcome is True:
            self.n_succeeded += 1
        else:
            self.n_others += 1
            if outcome:
                self._tally.failed(outcome)
        moment = passage.moment
        if moment is self.moment:
            self.tokens += passage.tokens - tokens
        elif moment is not None:
            self.n_earlier += 1
            self._limits.settle(moment, passage.tokens, tokens)
        self.held_s += now - passage.in_lane_since
        self.n_input += n_input
        self.n_output += n_output
        self.pusd += passage.held_pusd - cost_pusd
        self.spent_pusd += cost_pusd
        self.newest_end = now
        if self.spent_pusd > self._kept_pusd:
            self._keep(now)
        elif self._keeping:
            self._keeping = _running(self._keeping)
        return self._keeping

    def _keep(self, now: float) -> None:
        """Keep a quarter more than was spent so far: what of it is not spent is taken back at the end."""
        most = self.spent_pusd + self.spent_pusd // 4
        task = self._spending.keep(most - self._kept_pusd)
        self._kept_pusd, self._kept_at, self._kept_unix = most, now, self._spending.kept_at
        self._keeping = (*_running(self._keeping), *(() if task is None else (task,)))


def _running(writes: Sequence[asyncio.Future[None]]) -> Sequence[asyncio.Future[None]]:
    return tuple(each for each in writes if not each.done())
