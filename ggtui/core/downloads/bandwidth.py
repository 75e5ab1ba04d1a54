"""A limit of bytes per second that all downloads share, as a token bucket."""

from __future__ import annotations

from typing import Final

BURST_S: Final = 0.1
"""What was not used within this time may be used at once later; more is lost."""


class Bandwidth:
    """Bytes are taken when they were read, so it may be in debt: who comes then waits until it is paid.

    Not for several threads at once. All times are monotonic seconds of the same clock.
    """

    def __init__(self, bytes_per_s: float, now: float) -> None:
        """bytes_per_s: 0 for no limit."""
        self._bytes_per_s = max(0.0, bytes_per_s)
        self._level = self._bytes_per_s * BURST_S
        """Bytes that may be read at once; below 0 they were read before their time."""
        self._at = now

    @property
    def bytes_per_s(self) -> float:
        """0 for no limit."""
        return self._bytes_per_s

    def set(self, bytes_per_s: float, now: float) -> None:
        """Another limit from now on; a debt is kept as the time that it takes to pay it."""
        self._refill(now)
        debt_s = max(0.0, -self._level) / self._bytes_per_s if self._bytes_per_s else 0.0
        self._bytes_per_s = max(0.0, bytes_per_s)
        self._level = -debt_s * self._bytes_per_s

    def take(self, n_bytes: int, now: float) -> float:
        """Take bytes that were just read; seconds to wait before more are read."""
        if not self._bytes_per_s:
            return 0.0
        self._refill(now)
        self._level -= max(0, n_bytes)
        return max(0.0, -self._level / self._bytes_per_s)

    def _refill(self, now: float) -> None:
        gained = max(0.0, now - self._at) * self._bytes_per_s
        self._level = min(self._level + gained, self._bytes_per_s * BURST_S)
        self._at = max(self._at, now)
