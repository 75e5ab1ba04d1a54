"""Servers of this machine that died while requests ran: each death is one failure, whatever it took along."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

from ggtui.core.errors import UpstreamUnreachable

if TYPE_CHECKING:
    from ggtui.core.errors import Failure
    from ggtui.core.models import RunningTarget

MAX_KEPT: Final = 64
"""Far more than die while requests run on them."""


class Deaths:
    """Lives on the engine's loop. Times are monotonic seconds.

    A breaker that counted every request which a server takes along would be opened by the death of one of
    several replicas, though the others serve.
    """

    def __init__(self, notice_s: float) -> None:
        """notice_s: how long the notice of a server's death may take."""
        self._notice_s = notice_s
        self._told_at: dict[RunningTarget, float] = {}

    def is_news(self, server: RunningTarget, fault: Failure, began_at: float) -> bool:
        """True for a fault that is not part of one that this was asked of before.

        began_at: when the attempt began. One that was on its way at the last death belongs to it, and so does
        one that cannot reach the server until its death is noticed.
        """
        told_at = self._told_at.get(server, -math.inf)
        if began_at <= told_at + (self._notice_s if isinstance(fault, UpstreamUnreachable) else 0.0):
            return False
        self._told_at.pop(server, None)
        self._told_at[server] = time.monotonic()
        if len(self._told_at) > MAX_KEPT:
            del self._told_at[next(iter(self._told_at))]
        return True
