"""The schedule of downloads: several at once, as soon as there is work, behind a breaker."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ggtui.core.deployment.breaker import CircuitBreaker
from ggtui.core.deployment.policies import CircuitBreakerPolicy
from ggtui.services.deployments.clock import SystemClock

if TYPE_CHECKING:
    from ggtui.services.deployments.clock import Alarm, Clock
    from ggtui.services.downloads.book import Downloads

_LOG = logging.getLogger(__name__)

POLICY = CircuitBreakerPolicy(failure_threshold=3, open_duration_s=10.0)


class DownloadLoop:
    """A part of the engine, started after the downloads and stopped before them."""

    def __init__(self, downloads: Downloads, clock: Clock | None = None) -> None:
        self._downloads = downloads
        self._clock = clock or SystemClock()
        self._breaker = CircuitBreaker(POLICY)
        self._cycles: set[asyncio.Task[None]] = set()
        self._alarm: Alarm | None = None
        self._is_running = False

    async def start(self) -> None:
        """Work from now on."""
        self._is_running = True
        self._downloads.due = self.trigger
        self.trigger()

    async def stop(self) -> None:
        """End the work; what runs goes on with the next start."""
        self._is_running = False
        if self._alarm is not None:
            self._alarm.cancel()
        for cycle in self._cycles:
            cycle.cancel()
        if self._cycles:
            await asyncio.wait(self._cycles)

    def trigger(self) -> None:
        """Begin what may begin now; while the breaker is open, nothing may."""
        if not self._is_running:
            return
        n_free = self._downloads.parallel - len(self._cycles)
        for _ in range(min(n_free, self._downloads.n_due())):
            if not self._begin():
                break

    def _begin(self) -> bool:
        now = self._clock.monotonic()
        taken = self._breaker.take(now)
        if taken is None:
            self._try_later(now + self._breaker.retry_after_s(now))
            return False
        cycle = asyncio.get_running_loop().create_task(self._cycle(taken))
        self._cycles.add(cycle)
        cycle.add_done_callback(self._ended)
        return True

    async def _cycle(self, taken: int) -> None:
        try:
            await self._downloads.run_download_cycle()
        except Exception:
            _LOG.exception("a cycle of downloads failed")
            self._breaker.failed(taken, self._clock.monotonic())
        else:
            self._breaker.succeeded(taken)
        finally:
            self._breaker.give_back(taken)

    def _ended(self, cycle: asyncio.Task[None]) -> None:
        self._cycles.discard(cycle)
        self.trigger()

    def _try_later(self, moment: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._clock.call_at(moment, self.trigger)
