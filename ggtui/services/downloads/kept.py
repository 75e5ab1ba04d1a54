"""The jobs in memory and in the queue's file: what could not be written is written with the next."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ggtui.core.downloads.jobs import JobState
from ggtui.core.downloads.order import at_rest, in_order
from ggtui.core.errors import DownloadNotFound, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ggtui.core.downloads.jobs import Job
    from ggtui.core.ports.downloads import DownloadQueuePort

_LOG = logging.getLogger(__name__)


class KeptJobs:
    """Lives on the engine's loop. What is shown is what is in memory: a disk that is full delays no view."""

    def __init__(self, queue: DownloadQueuePort, changed: Callable[[], None]) -> None:
        """changed: called after every change in memory."""
        self.problem = ""
        """Why the queue is not kept now; empty when it is."""
        self._queue = queue
        self._changed = changed
        self._jobs: dict[int, Job] = {}
        self._in_order: tuple[Job, ...] | None = ()
        self._unwritten: set[int] = set()
        self._before_shown: dict[int, Job] = {}
        """What goes to the queue's file in place of what is shown."""
        self._is_loaded = False
        self._loading = asyncio.Lock()
        self._writing = asyncio.Lock()

    @property
    def all(self) -> tuple[Job, ...]:
        """All jobs in order; the same object until something changes."""
        if self._in_order is None:
            self._in_order = in_order(self._jobs.values())
        return self._in_order

    def get(self, number: int) -> Job:
        """The job of this number. Raises: DownloadNotFound."""
        job = self._jobs.get(number)
        if job is None:
            raise DownloadNotFound(f"there is no download {number}", hint="ggtui downloads lists them")
        return job

    def has(self, number: int) -> bool:
        """False for one that was removed."""
        return number in self._jobs

    async def load(self) -> None:
        """Read what is kept, once. Raises: StoreUnavailable; then the next call tries again."""
        async with self._loading:
            if self._is_loaded:
                return
            with self._noting():
                loaded = await self._queue.load()
            self._is_loaded = True
            self._jobs = {job.number: job for job in loaded}
            self._told()

    def put(self, *jobs: Job) -> None:
        """Show these as they are now. Whoever changed them writes them soon."""
        self._jobs |= {job.number: job for job in jobs}
        self._unwritten |= {job.number for job in jobs}
        self._told()

    async def add(self, job: Job) -> Job:
        """Keep a new job; it has its number then. Raises: StoreUnavailable; then it is not added."""
        with self._noting():
            added = await self._queue.add(job)
        self._jobs[added.number] = added
        self._told()
        return added

    async def write_then_put(self, number: int, change: Callable[[Job], Job]) -> None:
        """Change a job as put does, and show that only when no kill can take it back any more.

        change: made of the job as it is before the write, and once more after it.
        Raises: DownloadNotFound; StoreUnavailable, and then it is shown all the same.
        """
        self._before_shown[number] = change(self.get(number))
        self._unwritten.add(number)
        try:
            await self.write()
        finally:
            del self._before_shown[number]
            if self.has(number):
                self.put(change(self.get(number)))

    async def remove(self, number: int) -> None:
        """Forget a job. Raises: StoreUnavailable; then it is still there."""
        with self._noting():
            await self._queue.remove(number)
        self._jobs.pop(number, None)
        self._told()

    async def write(self) -> None:
        """Write what is not written yet. Raises: StoreUnavailable; then the next call has it too."""
        async with self._writing:
            numbers, self._unwritten = self._unwritten, set()
            shown = [self._jobs[number] for number in sorted(numbers) if number in self._jobs]
            jobs = [self._before_shown.get(job.number, job) for job in shown]
            if not jobs:
                return
            try:
                with self._noting():
                    await self._queue.keep(*jobs)
            except BaseException:
                self._unwritten |= numbers
                raise

    async def write_if_possible(self) -> None:
        """The same where nobody waits for it; what went wrong is in the log and in `problem`."""
        try:
            await self.write()
        except StoreUnavailable as error:
            _LOG.warning("the queue of downloads is not kept: %s", error.message)

    async def close(self) -> None:
        """Write the rest and release the queue."""
        if self._is_loaded:
            self.put(*(at_rest(job) for job in self.all if job.state is JobState.RUNNING))
            await self.write_if_possible()
        await self._queue.close()

    def _told(self) -> None:
        self._in_order = None
        self._changed()

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Keep in `problem` how an access to the queue's file went."""
        try:
            yield
        except StoreUnavailable as error:
            self.problem = error.message
            raise
        self.problem = ""
