"""Amounts of the last so many seconds: what counts now, and when there is room for more."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

_CLOCK_SLACK_S = 1.0
"""Merged entries lie this far ahead at most; whatever lies further was noted by a clock that was wrong."""


@dataclass(slots=True, eq=False)
class Entry:
    """One amount and its moment."""

    at: float
    amount: int
    is_counted: bool = True
    """False when its time in the window is over."""


class RollingWindow:
    """Each amount counts from its moment until exactly `length_s` later. Amounts are not negative.

    Moments are of any clock, always the same one. One that is set back loses nothing: what lies in its
    future counts as of now.
    """

    def __init__(self, length_s: float) -> None:
        self.length_s = length_s
        self._entries: deque[Entry] = deque()
        self._total = 0

    def total(self, now: float) -> int:
        """The sum of what counts now."""
        entries = self._entries
        if entries and (entries[0].at + self.length_s <= now or entries[-1].at > now + _CLOCK_SLACK_S):
            self._drop(now)
        return self._total

    def add(self, amount: int, now: float) -> Entry:
        """Note an amount; the entry lets it be corrected."""
        entries = self._entries
        if entries and entries[-1].at > now:
            self.total(now)
            now = max(now, entries[-1].at) if entries else now
        entry = Entry(now, amount)
        entries.append(entry)
        self._total += amount
        return entry

    def merge(self, amount: int, now: float) -> None:
        """Note an amount with all others of its second: it counts until that second is over, too."""
        self.total(now)
        if not self._entries or self._entries[-1].at < now:
            self._entries.append(Entry(math.ceil(now), 0))
        self._entries[-1].amount += amount
        self._total += amount

    def correct(self, entry: Entry, amount: int) -> None:
        """The amount of an entry was another one. Nothing happens when its time is over."""
        if entry.is_counted:
            self._total += amount - entry.amount
            entry.amount = amount

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
            entry.is_counted = False
            self._total -= entry.amount


def seconds_until(moment: float, now: float) -> float:
    """Seconds that lead from `now` to the moment or, where floats cannot say it exactly, just past it."""
    seconds = max(0.0, moment - now)
    return seconds if now + seconds >= moment else seconds + math.ulp(moment)
