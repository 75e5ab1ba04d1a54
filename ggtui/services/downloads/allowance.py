"""The limit of bytes per second as the threads that fetch see it, and what each of them has brought."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ggtui.core.downloads.bandwidth import Bandwidth

if TYPE_CHECKING:
    from collections.abc import Callable


class Allowance:
    """One for all downloads; may be asked from any thread."""

    def __init__(self, bytes_per_s: float, clock: Callable[[], float]) -> None:
        """bytes_per_s: 0 for no limit. clock: monotonic seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._bandwidth = Bandwidth(bytes_per_s, clock())

    def set(self, bytes_per_s: float) -> None:
        """Another limit, for what runs too."""
        with self._lock:
            self._bandwidth.set(bytes_per_s, self._clock())

    def take(self, n_bytes: int) -> float:
        """Seconds to wait after so many bytes were read."""
        with self._lock:
            return self._bandwidth.take(n_bytes, self._clock())


class Meter:
    """What one download brought over the network since it was last asked; may be told from any thread."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._lock = threading.Lock()
        self._n_bytes = 0

    def allow(self, n_bytes: int) -> float:
        """See HubPort.fetch."""
        self.add(n_bytes)
        return self._allowance.take(n_bytes)

    def add(self, n_bytes: int) -> None:
        """Bytes that ggtui does not read itself, and so does not hold back."""
        with self._lock:
            self._n_bytes += n_bytes

    def taken(self) -> int:
        """Bytes since the last call."""
        with self._lock:
            n_bytes, self._n_bytes = self._n_bytes, 0
        return n_bytes
