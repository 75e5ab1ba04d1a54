"""Who calls the cycle: every so many seconds, at once after a change, and not while it fails in a row."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from ggtui.core.deployment.breaker import CircuitBreaker
from ggtui.core.deployment.policies import CircuitBreakerPolicy
from ggtui.core.errors import EngineStopping, Failure, Internal
from ggtui.services.deployments.clock import SystemClock

if TYPE_CHECKING:
    from ggtui.services.backends.book import Backends
    from ggtui.services.deployments.clock import Alarm, Clock

_LOG = logging.getLogger(__name__)

INTERVAL_S: Final = 10.0
OLD_S: Final = 15.0
"""Whoever reads what is older than this has a cycle run."""
POLICY: Final = CircuitBreakerPolicy(failure_threshold=3, open_duration_s=10.0, half_open_max_probes=1)


class ReconcileLoop:
    """A part of the engine, on its loop. At most one cycle runs; while none is due there is no task.

    A backend that is in error is no failure of a cycle: it is what the cycle has found.
    """

    def __init__(self, book: Backends, *, interval_s: float = INTERVAL_S, clock: Clock | None = None) -> None:
        """interval_s: from the begin of one cycle to the begin of the next."""
        self.breaker = CircuitBreaker(POLICY)
        self._book = book
        self._interval_s = interval_s
        self._clock = clock or SystemClock()
        self._alarm: Alarm | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_running = False
        self._is_due = False
        """A cycle is to begin as soon as the one that runs has ended."""
        self._began = float("-inf")
        """Monotonic moment at which the last cycle began."""
        self._failure: Failure | None = None
        """Why the last cycle failed; None after one that went well."""
        self._waiting: list[asyncio.Future[None]] = []
        """Who waits for a cycle that has not begun."""
        book.triggered, book.was_read = self.trigger, self.refresh

    async def start(self) -> None:
        """Begin with a cycle at once, when there is anything to look at."""
        self._is_running = True
        self.trigger()

    async def stop(self) -> None:
        """End the cycle that runs, and begin no other."""
        self._is_running = False
        self._disarm()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._tell(self._heard(), EngineStopping("ggtui is stopping"))

    def adapt(self, interval_s: float) -> None:
        """From now on a cycle begins this often."""
        if interval_s != self._interval_s:
            self._interval_s = interval_s
            self._arm()

    def trigger(self) -> None:
        """Have a cycle begin now; after the one that runs, once, however often this is called.

        While the breaker is open it begins when the breaker lets one through.
        """
        self._is_due = True
        self._begin()

    def refresh(self) -> None:
        """Have a cycle begin when the last one is old."""
        if self._task is None and self._clock.monotonic() - self._began > OLD_S:
            self.trigger()

    async def run(self) -> None:
        """Wait for the end of a cycle that begins from now on.

        Raises: what the cycle raised; what the last one raised when the breaker is open.
        """
        if not self._is_running:
            raise EngineStopping("ggtui is stopping")
        ended = asyncio.get_running_loop().create_future()
        self._waiting.append(ended)
        self.trigger()
        await ended

    # How

    def _begin(self) -> None:
        if not self._is_running or self._task is not None:
            return
        if self._book.is_idle:
            self._is_due = False
            self._disarm()
            self._tell(self._heard(), None)
            return
        taken = self.breaker.take(self._clock.monotonic())
        if taken is None:
            self._arm()
            self._tell(self._heard(), self._failure)
            return
        self._disarm()
        self._is_due = False
        self._began = self._clock.monotonic()
        heard = self._heard()
        self._task = asyncio.get_running_loop().create_task(self._cycle(taken, heard))

    async def _cycle(self, taken: int, heard: list[asyncio.Future[None]]) -> None:
        failure: Failure | None = EngineStopping("ggtui is stopping")
        try:
            failure = await self._run(taken)
        finally:
            self._tell(heard, failure)
            self._task = None
            self._next()

    async def _run(self, taken: int) -> Failure | None:
        try:
            await self._book.run_backend_cycle()
        except Failure as failure:
            if self._failure is None:
                _LOG.warning("backends: %s: %s", failure.title, failure.message)
            self._failure = failure
        except Exception as error:
            _LOG.exception("backends cannot be looked at")
            self._failure = Internal(type(error).__name__)
        else:
            self._failure = None
            self.breaker.succeeded(taken)
            return None
        self.breaker.failed(taken, self._clock.monotonic())
        return self._failure

    def _next(self) -> None:
        if self._is_due:
            self._begin()
        else:
            self._arm()

    def _arm(self) -> None:
        """Wake when the next cycle is due and the breaker lets it through."""
        self._disarm()
        if not self._is_running or self._task is not None or self._book.is_idle:
            return
        now = self._clock.monotonic()
        due = now if self._is_due else self._began + self._interval_s
        self._alarm = self._clock.call_at(max(due, now + self.breaker.retry_after_s(now)), self._begin)

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _heard(self) -> list[asyncio.Future[None]]:
        """Who waits until now; none of them waits any more."""
        heard, self._waiting = self._waiting, []
        return heard

    @staticmethod
    def _tell(waiting: list[asyncio.Future[None]], failure: Failure | None) -> None:
        for each in waiting:
            if each.done():
                continue
            if failure is None:
                each.set_result(None)
            else:
                each.set_exception(failure)
