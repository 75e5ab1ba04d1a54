"""What was spent, on disk: settlements that come while one is written are written together."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ggtui.adapters.spending.database import Schema, open_database
from ggtui.adapters.spending.file_thread import FileThread, ended
from ggtui.core.deployment.spend import SpendEntry

if TYPE_CHECKING:
    import sqlite3
    from concurrent.futures import Future
    from pathlib import Path

SCHEMA = Schema(
    what="the record of what was spent",
    version=1,
    statements=(
        "CREATE TABLE spending (deployment TEXT NOT NULL, at REAL NOT NULL, cost_pusd INTEGER NOT NULL)",
        "CREATE INDEX spending_by_time ON spending (deployment, at)",
    ),
    probe="SELECT deployment, at, cost_pusd FROM spending LIMIT 1",
    synchronous="FULL",
)


@dataclass(slots=True, eq=False)
class _Batch:
    rows: list[tuple[str, float, int]] = field(default_factory=list)
    written: Future[None] | None = None


class SqliteSpend:
    """The SpendPort of a data folder, which one ggtui owns at a time."""

    def __init__(self, database: Path) -> None:
        """Nothing is opened yet."""
        self._thread = FileThread(database, partial(open_database, schema=SCHEMA))
        self._lock = threading.Lock()
        self._batch: _Batch | None = None
        """What the thread has not begun to write; more may be put into it."""
        self._unwritten: list[tuple[str, float, int]] = []
        """Rows of batches that could not be written: they go with the next. The thread's own."""

    async def load(self, name: str, since: float) -> tuple[SpendEntry, ...]:
        """See SpendPort."""
        return await self._thread.run(partial(_load, name=name, since=since))

    async def add(self, name: str, entry: SpendEntry) -> None:
        """See SpendPort."""
        with self._lock:
            if self._batch is None:
                begun = _Batch()
                begun.written = self._thread.begin(partial(self._write, begun))
                self._batch = begun
            batch = self._batch
            batch.rows.append((name, entry.at, entry.cost_pusd))
        assert batch.written is not None
        await ended(batch.written)

    async def prune(self, before: float) -> None:
        """See SpendPort."""
        await self._thread.run(partial(_prune, before=before))

    async def close(self) -> None:
        """See SpendPort."""
        await self._thread.close(self._write_late)

    def _write(self, batch: _Batch, connection: sqlite3.Connection) -> None:
        with self._lock:  # whoever comes from now on begins another one
            if self._batch is batch:
                self._batch = None
        self._unwritten += batch.rows
        self._write_late(connection)

    def _write_late(self, connection: sqlite3.Connection) -> None:
        if not self._unwritten:
            return
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            connection.executemany("INSERT INTO spending VALUES (?, ?, ?)", self._unwritten)
        self._unwritten.clear()


def _load(connection: sqlite3.Connection, name: str, since: float) -> tuple[SpendEntry, ...]:
    rows = connection.execute(
        "SELECT at, cost_pusd FROM spending WHERE deployment = ? AND at >= ? ORDER BY at", (name, since)
    )
    return tuple(SpendEntry(at, cost) for at, cost in rows)


def _prune(connection: sqlite3.Connection, before: float) -> None:
    connection.execute("DELETE FROM spending WHERE at < ?", (before,))
