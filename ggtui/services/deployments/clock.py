"""The time by which deployments wait and count."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Alarm(Protocol):
    """What was asked to be called later."""

    def cancel(self) -> None:
        """Do not call it; may be called at any time."""


class Clock(Protocol):
    """Two times, and calls at a moment of the first."""

    def monotonic(self) -> float:
        """Seconds that only grow, for waits and rates."""

    def unix(self) -> float:
        """Unix seconds, for what must survive a restart."""

    def call_at(self, moment: float, call: Callable[[], None]) -> Alarm:
        """Call this on the loop at a monotonic moment, or a trifle before it; soon for one that is past."""


class SystemClock:
    """The machine's."""

    # Each request asks several times, so nothing stands between.
    monotonic = staticmethod(time.monotonic)
    unix = staticmethod(time.time)

    def call_at(self, moment: float, call: Callable[[], None]) -> Alarm:
        """See Clock."""
        return asyncio.get_running_loop().call_later(max(0.0, moment - time.monotonic()), call)
