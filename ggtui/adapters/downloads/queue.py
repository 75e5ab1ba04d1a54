"""The queue of downloads on disk: one ggtui works on it at a time, in a thread of its own."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import TYPE_CHECKING

from ggtui.adapters.downloads import rows
from ggtui.adapters.sqlite.file import connected_by_hand, open_anew
from ggtui.adapters.sqlite.thread import FileThread
from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.core.downloads.jobs import Job


class SqliteDownloads:
    """The DownloadQueuePort of a data folder. The file is made by the first call.

    While one process has it open every call of another raises StoreUnavailable; the first call after the
    end of the one, however it ended, opens it.
    """

    def __init__(self, database: Path) -> None:
        """Nothing is opened yet."""
        self._thread = FileThread(database, _open, "downloads")

    async def load(self) -> tuple[Job, ...]:
        """See DownloadQueuePort."""
        return await self._thread.run(rows.all_jobs)

    async def add(self, job: Job) -> Job:
        """See DownloadQueuePort."""
        return await self._thread.run(partial(rows.add, job=job))

    async def keep(self, *jobs: Job) -> None:
        """See DownloadQueuePort."""
        await self._thread.run(partial(rows.keep, jobs=jobs))

    async def remove(self, number: int) -> None:
        """See DownloadQueuePort."""
        await self._thread.run(partial(rows.remove, number=number))

    async def close(self) -> None:
        """See DownloadQueuePort."""
        await self._thread.close()


def _open(database: Path) -> sqlite3.Connection:
    """Raises: StoreUnavailable when another ggtui has it; sqlite3.Error, OSError."""
    try:
        return open_anew(database, rows.SCHEMA, connected_by_hand)
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise StoreUnavailable("another ggtui works on the queue of downloads") from error
        raise
