"""The one thread that works on the catalog's database; it opens it with the first piece of work."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from ggtui.adapters.gguf.store import Store
from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")


class StoreThread:
    """Runs blocking work one piece after the other, so that the event loop never waits for the disk."""

    def __init__(self, database: Path, opened: Callable[[], object]) -> None:
        """opened: called in the thread once the database is open."""
        self.stopping = threading.Event()
        """Set when the end has begun; long work looks at it."""
        self._database = database
        self._on_opened = opened
        self._worker: ThreadPoolExecutor | None = None
        self._store: Store | None = None
        self._opening: asyncio.Task[None] | None = None

    @property
    def store(self) -> Store:
        """The open database, for work in this thread. Raises: StoreUnavailable before it is open."""
        if self._store is None:
            raise StoreUnavailable("the catalog is not open")
        return self._store

    async def opened(self) -> None:
        """Returns when the database is open. Raises: StoreUnavailable."""
        if self.stopping.is_set():
            raise StoreUnavailable("the catalog is closed")
        if self._opening is None or (self._opening.done() and self._store is None):
            self._opening = asyncio.create_task(self.run(self._open))
        await asyncio.shield(self._opening)

    async def run(self, work: Callable[[], T]) -> T:
        """Do this in the thread. Raises: StoreUnavailable after the end, and what the work raises."""
        if self.stopping.is_set():
            raise StoreUnavailable("the catalog is closed")
        if self._worker is None:
            self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="catalog")
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    async def close(self) -> None:
        """Let work that has begun end, and release the database."""
        self.stopping.set()
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._worker is not None:
            await asyncio.get_running_loop().run_in_executor(self._worker, self._close_store)
            self._worker.shutdown(wait=False)
            self._worker = None

    def _open(self) -> None:
        self._store = Store(self._database)
        self._on_opened()

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()
