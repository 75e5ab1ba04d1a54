"""How fast a download goes and how long it will take: one estimator for all views."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

WINDOW_S: Final = 10.0
"""What came within this time says how fast it goes."""
SOON_S: Final = 1.0
"""Before this nothing is said: the first bytes come in bursts."""
_STEP_S: Final = 0.25
"""Bytes that came within this time are one sample."""


class RateEstimator:
    """Counts bytes that came over the network; what lay on the disk before is no part of it.

    All times are monotonic seconds of the same clock.
    """

    def __init__(self, now: float) -> None:
        """now: when the download began to run."""
        self._samples: deque[tuple[float, int]] = deque([(now, 0)])
        """Moments, with what had come by then, the oldest first; never empty."""
        self._n_bytes = 0

    def note(self, n_bytes: int, now: float) -> None:
        """So many bytes came since the last note. A number below 0 counts as none."""
        self._n_bytes += max(0, n_bytes)
        if now - self._samples[-1][0] >= _STEP_S:
            self._samples.append((now, self._n_bytes))

    def rate(self, now: float) -> float | None:
        """Bytes per second of the last ten seconds; None in the first second, 0.0 when nothing comes."""
        samples = self._samples
        while len(samples) > 1 and now - samples[1][0] >= WINDOW_S:
            samples.popleft()
        began, before = samples[0]
        if now - began < SOON_S:
            return None
        return (self._n_bytes - before) / (now - began)


def left_s(remaining_bytes: int, rate: float | None) -> float | None:
    """Seconds until the rest has come at this rate; None when nobody can say."""
    if rate is None or rate <= 0:
        return None
    seconds = max(0, remaining_bytes) / rate
    return seconds if math.isfinite(seconds) else None
