"""Carries a download to its end, or to where somebody stops it, and tries again what may pass."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ggtui.core.downloads.jobs import JobKind, JobState
from ggtui.core.downloads.order import wait_s
from ggtui.core.errors import BackendNotFound, Failure, Internal
from ggtui.services.downloads.run import Run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from ggtui.core.backends.backend import Backend
    from ggtui.core.deployment.secret import Secret
    from ggtui.core.downloads.jobs import FilePart, Job
    from ggtui.core.ports.backends import PullerPort
    from ggtui.core.ports.downloads import HubPort
    from ggtui.services.deployments.clock import Alarm, Clock
    from ggtui.services.downloads.allowance import Allowance
    from ggtui.services.downloads.kept import KeptJobs

_LOG = logging.getLogger(__name__)

TICK_S: Final = 1.0
"""How often it is said anew how fast a download goes, also when nothing comes."""
WRITE_S: Final = 5.0
"""How often the progress of a download goes to the queue's file; nothing depends on it."""
END_S: Final = 5.0
"""How long whoever stops a download waits for its end."""


@dataclass(frozen=True, slots=True)
class Fetchers:
    """Who fetches, and what they need for it."""

    hub: HubPort
    puller: PullerPort
    backend_of: Callable[[str], Backend | None]
    key_of: Callable[[str], Awaitable[Secret | None]]


class Carrier:
    """Lives on the engine's loop."""

    def __init__(self, kept: KeptJobs, fetchers: Fetchers, allowance: Allowance, clock: Clock) -> None:
        self.ended: Callable[[Job], None] = lambda _job: None
        """Called when one is done or has failed; must not fail."""
        self.due: Callable[[], None] = lambda: None
        """Called when one may begin that could not before; must not fail."""
        self._kept = kept
        self._fetchers = fetchers
        self._allowance = allowance
        self._clock = clock
        self._runs: dict[int, Run] = {}
        self._waiting: dict[int, Alarm] = {}
        """Those that failed and are tried again later."""
        self._n_failures: dict[int, int] = {}
        """In a row, without a byte between them."""
        self._tick: Alarm | None = None
        self._background: set[asyncio.Task[None]] = set()

    def is_free(self, job: Job) -> bool:
        """True when nobody works on it, and it need not wait."""
        return job.number not in self._runs and job.number not in self._waiting

    async def carry(self, job: Job) -> None:
        """Work on a pending job until it is done, has failed, waits, or was stopped.

        A caller that is cancelled stops it; it is pending then.
        """
        run = self._begun(job)
        task = run.task = asyncio.get_running_loop().create_task(self._work(run))
        try:
            await asyncio.wait([task])
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=END_S)
            self._settle(run, task)
        await self._kept.write_if_possible()

    async def stop(self, number: int) -> None:
        """Stop the work on a job, whose state is another already; returns when it has ended."""
        self.forget_failures(number)
        run = self._runs.get(number)
        if run is not None and run.task is not None:
            run.task.cancel()
            await asyncio.wait([run.task], timeout=END_S)

    def forget_failures(self, number: int) -> None:
        """It need not wait any more, and is tried as if for the first time."""
        self._n_failures.pop(number, None)
        if (alarm := self._waiting.pop(number, None)) is not None:
            alarm.cancel()

    async def close(self) -> None:
        """Stop all work; what ran is pending."""
        for number in list(self._waiting):
            self.forget_failures(number)
        for run in list(self._runs.values()):
            await self.stop(run.number)
        if self._tick is not None:
            self._tick.cancel()
        if self._background:
            await asyncio.wait(self._background)

    def _begun(self, job: Job) -> Run:
        run = self._runs[job.number] = Run(job.number, self._kept, self._allowance, self._clock)
        self._kept.put(
            replace(job, state=JobState.RUNNING, status="", why="", hint="", rate=None, left_s=None)
        )
        if self._tick is None:
            self._tick = self._clock.call_at(self._clock.monotonic() + TICK_S, self._ticked)
        return run

    async def _work(self, run: Run) -> None:
        await self._kept.write_if_possible()
        if run.job.kind is JobKind.HUB:
            await self._fetch(run)
        else:
            await self._pull(run)

    async def _fetch(self, run: Run) -> None:
        hub = self._fetchers.hub
        if not run.job.commit:
            offer = await hub.offer(run.job.model, run.job.revision)
            run.begin(offer)
            await self._kept.write_if_possible()
        loop = asyncio.get_running_loop()

        def progress(parts: Sequence[FilePart], status: str) -> None:
            with suppress(RuntimeError):  # the loop has ended, and with it whoever wants to know
                loop.call_soon_threadsafe(run.fetched, tuple(parts), status)

        await hub.fetch(run.job, progress, run.meter.allow)

    async def _pull(self, run: Run) -> None:
        job = run.job
        backend = self._fetchers.backend_of(job.backend)
        if backend is None:
            raise BackendNotFound(f"backend '{job.backend}' is not declared any more")
        self._kept.put(replace(job, base_url=backend.base_url))
        loop = asyncio.get_running_loop()

        def progress(status: str, digest: str, total: int, completed: int) -> None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(run.pulled, status, digest, total, completed)

        key = await self._fetchers.key_of(job.backend)
        await self._fetchers.puller.pull(backend, key, job.model, progress)

    def _settle(self, run: Run, task: asyncio.Task[None]) -> None:
        """What has come of it, in the job."""
        run.is_over = True
        self._runs.pop(run.number, None)
        if self._kept.has(run.number):
            error = task.exception() if task.done() and not task.cancelled() else None
            if error is not None:
                self._failed(run, error)
            elif task.done() and not task.cancelled():
                self._done(run.job)
            elif run.job.state is JobState.RUNNING:
                self._put(run.job, JobState.PENDING)
        self.due()

    def _done(self, job: Job) -> None:
        self.forget_failures(job.number)
        files = tuple(replace(part, completed_bytes=part.size_bytes) for part in job.files)
        total = job.total_bytes or job.completed_bytes
        ended = replace(
            job, files=files, completed_bytes=total, total_bytes=total, ended_at=self._clock.unix()
        )
        self._put(ended, JobState.DONE)
        self.ended(self._kept.get(job.number))

    def _failed(self, run: Run, error: BaseException) -> None:
        if not isinstance(error, Failure):
            _LOG.error("download %d failed", run.number, exc_info=error)
            error = Internal(type(error).__name__)
        if run.job.state is not JobState.RUNNING:
            return
        if error.is_retryable:
            self._wait(run, error)
            return
        job = replace(run.job, why=error.message, hint=error.hint, ended_at=self._clock.unix())
        self._put(job, JobState.FAILED)
        self.ended(self._kept.get(run.number))

    def _wait(self, run: Run, failure: Failure) -> None:
        """It keeps its place, and others go on meanwhile."""
        run.tick()
        n_failures = 1 if run.n_fetched else self._n_failures.get(run.number, 0) + 1
        self._n_failures[run.number] = n_failures
        seconds = wait_s(n_failures)
        again = f"it is tried again in {seconds:g} s"
        hint = f"{failure.hint}; {again}" if failure.hint else again
        self._put(replace(run.job, why=failure.message, hint=hint), JobState.PENDING)
        moment = self._clock.monotonic() + seconds
        self._waiting[run.number] = self._clock.call_at(moment, lambda: self._wake(run.number))

    def _wake(self, number: int) -> None:
        self._waiting.pop(number, None)
        self.due()

    def _put(self, job: Job, state: JobState) -> None:
        self._kept.put(replace(job, state=state, status="", digest="", rate=None, left_s=None))

    def _ticked(self) -> None:
        self._tick = None
        now = self._clock.monotonic()
        for run in self._runs.values():
            run.tick()
        if any(now - run.written_at >= WRITE_S for run in self._runs.values()):
            for run in self._runs.values():
                run.written_at = now
            self._begin(self._kept.write_if_possible())
        if self._runs:
            self._tick = self._clock.call_at(now + TICK_S, self._ticked)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
