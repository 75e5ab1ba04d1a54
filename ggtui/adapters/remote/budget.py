"""The time and the bytes that one look at other machines may take, whatever they answer."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from ggtui.core.errors import RemoteRefused, RemoteUnreachable
from ggtui.core.units import MIB

if TYPE_CHECKING:
    import socket

STALL_S = 10.0
"""How long a single byte may be waited for."""


class Budget:
    """Shared by all the threads of one look."""

    def __init__(self, time_s: float, n_bytes: int) -> None:
        self.time_s = time_s
        self._most_bytes = n_bytes
        self._deadline = time.monotonic() + time_s
        self._spent = 0
        self._lock = threading.Lock()

    @property
    def spent_bytes(self) -> int:
        """What has come in so far, heads of answers included."""
        return self._spent

    @property
    def left_s(self) -> float:
        """Seconds until it is over, 0 afterwards."""
        return max(0.0, self._deadline - time.monotonic())

    def end(self) -> None:
        """Nobody waits any more: whoever reads stops at the next byte."""
        self._deadline = time.monotonic()

    def wait_s(self) -> float:
        """How long the next byte may be waited for. Raises: RemoteUnreachable when the time is over."""
        left_s = self.left_s
        if left_s <= 0:
            raise RemoteUnreachable(f"not read within {self.time_s:g} s", hint="try again later")
        return min(STALL_S, left_s)

    def take(self, n_bytes: int) -> None:
        """Count bytes that came in. Raises: RemoteRefused when they are too many."""
        with self._lock:
            self._spent += n_bytes
            is_over = self._spent > self._most_bytes
        if is_over:
            raise RemoteRefused(f"more than {self._most_bytes // MIB} MiB would have to be read")

    def meet(self, sock: socket.socket) -> None:
        """The connection that is read from now on; for those who may want to end the reading."""
