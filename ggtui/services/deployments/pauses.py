"""Waits between two tries of a request, which end early when there can be no other try."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ggtui.services.deployments.clock import Clock


class Pauses:
    """Those of one deployment. Lives on the engine's loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: set[asyncio.Future[None]] = set()

    async def wait(self, seconds: float) -> None:
        """Return when the time is over, or when all are ended."""
        pause = asyncio.get_running_loop().create_future()
        alarm = self._clock.call_at(self._clock.monotonic() + seconds, partial(_end, pause))
        self._running.add(pause)
        try:
            await pause
        finally:
            alarm.cancel()
            self._running.discard(pause)

    def end_all(self) -> None:
        """Whoever waits goes on now."""
        for pause in self._running:
            _end(pause)


def _end(pause: asyncio.Future[None]) -> None:
    if not pause.done():
        pause.set_result(None)
