"""Downloads without a running ggtui: the queue on this disk, and the same service that works on it there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ggtui.cli.own_reconciliation import opened_reconciliation, queue_file
from ggtui.cli.surroundings import look
from ggtui.core.downloads.jobs import JobState
from ggtui.core.downloads_json import ordered_document, queue_document, status_document
from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ggtui.config.schema import Config
    from ggtui.core.downloads.jobs import Job
    from ggtui.services.downloads.book import Downloads

T = TypeVar("T")
Document = dict[str, Any]
FIRST: Final = 0


class KeptDownloads:
    """The DownloadsDesk of the files. The same service decides here and in a running ggtui."""

    is_kept = True

    def __init__(self, config: Config) -> None:
        self._config = config

    def queue(self) -> Document:
        """See DownloadsDesk. Nothing is made where nothing was kept."""
        if not queue_file(self._config).exists():
            return queue_document(())

        async def read(downloads: Downloads) -> Document:
            if downloads.problem:
                raise StoreUnavailable(downloads.problem)
            return queue_document(downloads.jobs)

        return self._with(read)

    def add(self, model: str, backend: str, revision: str) -> Document:
        """See DownloadsDesk."""

        async def add(downloads: Downloads) -> Document:
            job = await downloads.add(model, backend=backend, revision=revision, by_person=True)
            return ordered_document((job,), job.number)

        return self._with(add)

    def order(self, number: int, action: str, to: int | None = None) -> Document:
        """See DownloadsDesk."""

        async def order(downloads: Downloads) -> Document:
            if to is not None:
                await downloads.move(number, to)
            else:
                await getattr(downloads, action)(number)
            return ordered_document(downloads.jobs, number)

        return self._with(order)

    def fetch(self, model: str, backend: str, revision: str, show: Callable[[Document], None]) -> Document:
        """See DownloadsDesk."""

        async def fetch(downloads: Downloads) -> Document:
            job = await downloads.add(model, backend=backend, revision=revision, by_person=True)
            return status_document(
                await carried(downloads, job.number, lambda now: show(status_document(now)))
            )

        return self._with(fetch, must_keep=False)

    def _with(self, work: Callable[[Downloads], Coroutine[Any, Any, T]], *, must_keep: bool = True) -> T:
        async def whole() -> T:
            async with opened_reconciliation(self._config, must_keep=must_keep) as services:
                return await work(services.downloads)

        return look(whole())


async def carried(downloads: Downloads, number: int, show: Callable[[Job], None]) -> Job:
    """Work on this download before all others, and on no other; returns it when it goes on no more.

    show: gets it after changes. A caller that is cancelled pauses it.
    """
    due = asyncio.Event()
    shown: list[Job] = []

    def tell() -> None:
        job = _job(downloads, number)
        if job is not None and shown[-1:] != [job]:
            shown[:] = [job]
            show(job)

    downloads.changed, downloads.due = tell, due.set
    try:
        await downloads.move(number, FIRST)
        await _until_ended(downloads, number, due)
    except asyncio.CancelledError:
        await downloads.pause(number)
        raise
    finally:
        downloads.changed = downloads.due = lambda: None
    tell()
    return shown[-1]


async def _until_ended(downloads: Downloads, number: int, due: asyncio.Event) -> None:
    while (job := _job(downloads, number)) is not None and job.state.is_open:
        await downloads.run_download_cycle()
        due.clear()
        job = _job(downloads, number)
        if job is not None and job.state is JobState.PENDING:
            # It failed in a way that may pass. Whoever cycles now would get the next one of the queue.
            await due.wait()


def _job(downloads: Downloads, number: int) -> Job | None:
    return next((job for job in downloads.jobs if job.number == number), None)
