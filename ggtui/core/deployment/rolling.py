"""Amounts of the last so many seconds: what counts now, and when there is room for more."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

_CLOCK_SLACK_S = 1.0
"""Entries lie this far ahead at most; whatever lies further was noted by a clock that was wrong."""


@dataclass(slots=True, eq=False)
class _Second:
    """All amounts of one second."""

    at: float
    """Its end."""
    amount: int


class RollingWindow:
    """Each amount counts from its moment until `length_s` after the end of its second. None is negative.

    Moments are of any clock, always the same one. One that is set back loses nothing: what lies in its
    future counts as of now.
    """

    def __init__(self, length_s: float) -> None:
        self.length_s = length_s
        self._entries: deque[_Second] = deque()
        self._total = 0

    def total(self, now: float) -> int:
        """The sum of what counts now."""
        entries = self._entries
        if entries and (entries[0].at + self.length_s <= now or entries[-1].at > now + _CLOCK_SLACK_S):
            self._drop(now)
        return self._total

    def add(self, amount: int, now: float) -> None:
        """Note an amount."""
        newest = self._entries[-1] if self._entries else None
        if newest is None or not now <= newest.at <= now + _CLOCK_SLACK_S:
            self._drop(now)
            newest = _Second(math.ceil(now), 0)
            self._entries.append(newest)
        newest.amount += amount
        self._total += amount

    def fits_at(self, amount: int, limit: int, now: float) -> float:
        """The first moment from `now` at which this much more is within the limit; infinite for never."""
        excess = self.total(now) + amount - limit
        if excess <= 0:
            return now
        for entry in self._entries:
            excess -= entry.amount
            if excess <= 0:
                return entry.at + self.length_s
        return math.inf

    def _drop(self, now: float) -> None:
        entries = self._entries
        if entries and entries[-1].at > now + _CLOCK_SLACK_S:
            for entry in entries:
                entry.at = min(entry.at, now)
        while entries and entries[0].at + self.length_s <= now:
            entry = entries.popleft()
            self._total -= entry.amount


def seconds_until(moment: float, now: float) -> float:
    """Seconds that lead from `now` to the moment or, where floats cannot say it exactly, just past it."""
    seconds = max(0.0, moment - now)
    return seconds if now + seconds >= moment else seconds + math.ulp(moment)
