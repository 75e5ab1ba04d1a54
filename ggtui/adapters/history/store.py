"""The history on disk: one thread of its own works on the file, so that the event loop never waits for it."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, TypeVar

from ggtui.adapters.history import rows
from ggtui.adapters.history.database import open_database, open_to_read
from ggtui.core.history import SHOWN, Generation, HistoryUnavailable, left_behind
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

T = TypeVar("T")


class SqliteHistory:
    """The HistoryPort of a data folder. What it is asked for is done in order."""

    def __init__(self, database: Path) -> None:
        """Nothing is opened yet."""
        self._database = database
        self._worker: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False

    async def open(self) -> tuple[Generation, ...]:
        """See HistoryPort."""
        return await self._run(self._open)

    async def keep(self, generations: Sequence[Generation]) -> None:
        """See HistoryPort."""
        kept = tuple(generations)
        await self._run(lambda: rows.write(self._opened, kept))

    async def close(self) -> None:
        """See HistoryPort."""
        self._is_closed = True
        worker, self._worker = self._worker, None
        if worker is not None:
            await asyncio.get_running_loop().run_in_executor(worker, self._release)
            worker.shutdown(wait=False)

    def _open(self) -> tuple[Generation, ...]:
        self._connection = open_database(self._database)
        rows.close_left_behind(self._connection)
        return rows.newest(self._connection, SHOWN)

    @property
    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise HistoryUnavailable("the history is not open")
        return self._connection

    async def _run(self, work: Callable[[], T]) -> T:
        if self._is_closed:
            raise HistoryUnavailable("the history is closed")
        if self._worker is None:
            self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="history")
        with _translated(self._database):
            return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    def _release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def read_history(database: Path, n: int) -> tuple[Generation, ...]:
    """The n newest of a data folder on which no ggtui runs, newest first; none without a file.

    Raises: HistoryUnavailable.
    """
    if not database.exists():
        return ()
    with _translated(database), closing(open_to_read(database)) as connection:
        return tuple(left_behind(each) for each in rows.newest(connection, n))


@contextmanager
def _translated(database: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise HistoryUnavailable(f"{plain(str(database))}: {reason}") from error
