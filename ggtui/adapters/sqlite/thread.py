"""One thread that works on one SQLite file, in the order in which it is asked to."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from ggtui.core.errors import StoreUnavailable
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")


class FileThread:
    """Opens the file for the first work, so that a ggtui that keeps nothing makes no file."""

    def __init__(self, database: Path, opening: Callable[[Path], sqlite3.Connection], name: str) -> None:
        """opening: opens the file; may raise sqlite3.Error and OSError, as the work may.

        name: of the thread, for whoever looks at all of them.
        """
        self._database = database
        self._opening = opening
        self._name = name
        self._connection: sqlite3.Connection | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._is_closed = False

    def begin(self, work: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Let the thread do this; the future, or this call once it is closed, may raise StoreUnavailable."""
        if self._is_closed:
            raise StoreUnavailable(f"{plain(self._database.name)} is closed")
        if self._worker is None:
            self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=self._name)
        return self._worker.submit(self._translated, work)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The same, awaited; a caller that is cancelled does not keep it from being done."""
        return await ended(self.begin(work))

    async def close(self, last: Callable[[sqlite3.Connection], None] | None = None) -> None:
        """End when everything is done. last: done at the very end, when the file was opened at all."""
        self._is_closed = True
        worker, self._worker = self._worker, None
        if worker is not None:
            await ended(worker.submit(self._release, last))
            worker.shutdown(wait=False)

    def _translated(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._connection is None:
                self._connection = self._opening(self._database)
            return work(self._connection)
        except (sqlite3.Error, OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise StoreUnavailable(f"{plain(str(self._database))}: {reason}") from error

    def _release(self, last: Callable[[sqlite3.Connection], None] | None) -> None:
        if self._connection is None:
            return
        try:
            if last is not None:
                last(self._connection)
        except (sqlite3.Error, OSError):
            pass  # what is left behind is found by the others when they need it
        finally:
            self._connection.close()
            self._connection = None


async def ended(future: Future[T]) -> T:
    """Wait for what a thread does; being cancelled does not cancel it."""
    return await asyncio.shield(asyncio.wrap_future(future))
