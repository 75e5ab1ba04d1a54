"""How long bytes are waited for: no end for the whole, but silence and drips end it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ggtui.adapters.remote.budget import Budget
from ggtui.core.errors import RemoteUnreachable
from ggtui.core.units import KIB, MIB

if TYPE_CHECKING:
    import socket

    from ggtui.adapters.remote.downloads.stopping import Stop

LEAST_BYTES = 16 * KIB
"""What must come within the time in which silence ends a download, so that a drip ends it too."""
ANY = 1 << 62


class Patience(Budget):
    """The budget of one question by a thread that can be called back.

    Only the time spent in reading counts, not that in which nothing was asked of the other side.
    """

    def __init__(self, stop: Stop, stall_s: float, time_s: float = float("inf"), n_bytes: int = ANY) -> None:
        super().__init__(time_s, n_bytes)
        self._stop = stop
        self._stall_s = stall_s
        self._waited_s = 0.0
        self._n_bytes = 0
        self._began = time.monotonic()

    @classmethod
    def short(cls, stop: Stop, stall_s: float) -> Patience:
        """For a listing."""
        return cls(stop, stall_s, time_s=30.0, n_bytes=64 * MIB)

    def wait_s(self) -> float:
        """How long the next byte may be waited for. Raises: Stopped, RemoteUnreachable."""
        self._stop.check()
        left_s = min(self._stall_s - self._waited_s, self.left_s)
        if left_s <= 0:
            raise RemoteUnreachable("hardly a byte comes any more", hint="try again later")
        self._began = time.monotonic()
        return left_s

    def take(self, n_bytes: int) -> None:
        """Count bytes that came in. Raises: RemoteRefused when they are too many."""
        self._waited_s += time.monotonic() - self._began
        self._n_bytes += n_bytes
        if self._n_bytes >= LEAST_BYTES:
            self._waited_s, self._n_bytes = 0.0, 0
        super().take(n_bytes)

    def meet(self, sock: socket.socket) -> None:
        """Raises: Stopped."""
        self._stop.meet(sock)
