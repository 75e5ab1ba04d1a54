"""What was spent, on disk: noted at once, and written together with what comes while others are written."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ggtui.adapters.spending.database import open_database, schema_of
from ggtui.adapters.spending.notes import INSERT, NOTED, Notes, take_over
from ggtui.adapters.sqlite.file import LARGEST
from ggtui.adapters.sqlite.thread import FileThread, ended
from ggtui.core.deployment.spend import SpendEntry

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Coroutine, Iterable
    from concurrent.futures import Future
    from pathlib import Path

    from ggtui.adapters.spending.notes import Row

PAUSE_S = 0.1
"""From a note until it goes to the database, so that others go with it: each commit waits for the disk."""

SCHEMA = schema_of(
    what="the record of what was spent",
    statements=(
        "CREATE TABLE spending (deployment TEXT NOT NULL, at REAL NOT NULL, cost_pusd INTEGER NOT NULL)",
        "CREATE INDEX spending_by_time ON spending (deployment, at)",
        NOTED,
    ),
    probe="SELECT deployment, at, cost_pusd, run, number FROM spending LEFT JOIN noted LIMIT 1",
    synchronous="FULL",
)


@dataclass(slots=True, eq=False)
class _Batch:
    rows: list[Row] = field(default_factory=list)
    written: Future[None] | None = None


class SqliteSpend:
    """The SpendPort of a data folder, which one ggtui owns at a time."""

    def __init__(self, database: Path) -> None:
        """Nothing is opened yet."""
        self._thread = FileThread(database, self._open, "spending")
        self._lock = threading.Lock()
        self._notes = Notes(database)
        self._is_well = False
        """True while the database takes what it is given; until then each caller waits for it."""
        self._is_ending = threading.Event()
        self._batch: _Batch | None = None
        """What the thread has not begun to write; more may be put into it."""
        self._unwritten: list[Row] = []
        """Rows of batches that could not be written: they go with the next. The thread's own."""

    async def load(self, name: str, since: float) -> tuple[SpendEntry, ...]:
        """See SpendPort."""
        return await self._thread.run(partial(_load, name=name, since=since))

    def add(self, name: str, entry: SpendEntry) -> Coroutine[Any, Any, None] | None:
        """See SpendPort."""
        row = (name, entry.at, min(entry.cost_pusd, LARGEST))
        with self._lock:
            if self._batch is not None and self._is_well and self._note(row):
                self._batch.rows.append(row)
                return None
        return self._add(row)

    async def _add(self, row: Row) -> None:
        with self._lock:
            if self._batch is None:
                begun = _Batch()
                begun.written = self._thread.begin(partial(self._write, begun))
                self._batch = begun
            batch = self._batch
            batch.rows.append(row)
            is_noted = self._is_well and self._note(row)
        if not is_noted:
            assert batch.written is not None
            await ended(batch.written)

    async def prune(self, before: float) -> None:
        """See SpendPort."""
        await self._thread.run(partial(_prune, before=before))

    async def close(self) -> None:
        """See SpendPort."""
        self._is_ending.set()
        await self._thread.close(self._end)

    def _open(self, database: Path) -> sqlite3.Connection:
        connection = open_database(database, SCHEMA)
        try:
            take_over(connection, database)
        except BaseException:
            connection.close()
            raise
        self._is_well = True
        return connection

    def _note(self, row: Row) -> bool:
        try:
            self._notes.add(row)
        except OSError:  # as when the disk is full: the database may say more of it
            return False
        return True

    def _write(self, batch: _Batch, connection: sqlite3.Connection) -> None:
        if self._is_well:
            self._is_ending.wait(PAUSE_S)
        with self._lock:  # whoever comes from now on begins another one
            if self._batch is batch:
                self._batch = None
            self._notes.turn()
            number = self._notes.number
        self._unwritten += _merged(batch.rows)
        try:
            self._write_all(connection, number)
        except BaseException:
            self._is_well = False
            raise
        self._is_well = True
        with suppress(OSError):
            self._notes.forget()

    def _write_all(self, connection: sqlite3.Connection, number: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            connection.executemany(INSERT, self._unwritten)
            self._notes.are_written(connection, number)
        self._unwritten.clear()

    def _end(self, connection: sqlite3.Connection) -> None:
        if self._unwritten:
            self._write_all(connection, self._notes.number)
        self._notes.end(connection)


def _merged(rows: Iterable[Row]) -> list[Row]:
    """One row for all that a deployment spent within a second: nobody looks closer."""
    merged: dict[tuple[str, int], Row] = {}
    too_large: list[Row] = []
    for row in rows:
        name, at, cost_pusd = row
        key = (name, int(at))
        _, former_at, former_pusd = merged.get(key, (name, at, 0))
        if former_pusd + cost_pusd <= LARGEST:
            merged[key] = (name, max(at, former_at), former_pusd + cost_pusd)
        else:
            too_large.append(row)
    return [*merged.values(), *too_large]


def _load(connection: sqlite3.Connection, name: str, since: float) -> tuple[SpendEntry, ...]:
    rows = connection.execute(
        "SELECT at, cost_pusd FROM spending WHERE deployment = ? AND at >= ? ORDER BY at", (name, since)
    )
    return tuple(SpendEntry(at, cost) for at, cost in rows)


def _prune(connection: sqlite3.Connection, before: float) -> None:
    connection.execute("DELETE FROM spending WHERE at < ?", (before,))
