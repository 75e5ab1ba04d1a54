"""Downloads without a network or a disk: a queue, a hub and a puller for tests and for a look around."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ggtui.core.downloads.order import at_rest, in_order
from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.downloads.jobs import Job


class MemoryDownloads:
    """The DownloadQueuePort of tests; what one instance keeps, the next can begin with."""

    def __init__(self, kept: Iterable[Job] = (), *, last_number: int = 0, failure: str = "") -> None:
        """kept: of an earlier run, whose last number was this one.

        failure: why nothing can be read or kept; may be set at any time.
        """
        self.kept = {each.number: each for each in kept}
        self.last_number = max([last_number, *self.kept])
        self.failure = failure
        self.n_writes = 0
        self._is_closed = False

    async def load(self) -> tuple[Job, ...]:
        """See DownloadQueuePort."""
        self._check()
        self.kept = {number: at_rest(each) for number, each in self.kept.items()}
        return in_order(self.kept.values())

    async def add(self, job: Job) -> Job:
        """See DownloadQueuePort."""
        self._check()
        self.last_number += 1
        position = max((each.position for each in self.kept.values()), default=-1) + 1
        kept = replace(job, number=self.last_number, position=position)
        self.kept[kept.number] = kept
        self.n_writes += 1
        return kept

    async def keep(self, *jobs: Job) -> None:
        """See DownloadQueuePort."""
        self._check()
        self.kept |= {job.number: job for job in jobs if job.number in self.kept}
        self.n_writes += 1

    async def remove(self, number: int) -> None:
        """See DownloadQueuePort."""
        self._check()
        self.kept.pop(number, None)
        self.n_writes += 1

    async def close(self) -> None:
        """See DownloadQueuePort."""
        self._is_closed = True

    def _check(self) -> None:
        if self.failure or self._is_closed:
            raise StoreUnavailable(self.failure or "the queue of downloads is closed")
