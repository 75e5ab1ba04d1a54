"""How long one look at a backend may last, and what it may bring; it ends at once when it is called back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ggtui.adapters.remote.budget import Budget
from ggtui.core.errors import RemoteUnreachable

if TYPE_CHECKING:
    import socket

    from ggtui.adapters.remote.downloads.stopping import Stop


class Limit(Budget):
    """For the thread of one look. Unlike other budgets it lets one byte be waited for until its end."""

    def __init__(self, stop: Stop, time_s: float, n_bytes: int) -> None:
        super().__init__(time_s, n_bytes)
        self._stop = stop

    def wait_s(self) -> float:
        """How long the next byte may be waited for. Raises: Stopped, RemoteUnreachable."""
        self._stop.check()
        if self.left_s <= 0:
            raise RemoteUnreachable(f"no whole answer within {self.time_s:g} s")
        return self.left_s

    def meet(self, sock: socket.socket) -> None:
        """What is read from now on. Raises: Stopped."""
        self._stop.meet(sock)

    def renew(self, time_s: float) -> None:
        """From now on it lasts so long."""
        self.time_s = time_s
        self._deadline = time.monotonic() + time_s
