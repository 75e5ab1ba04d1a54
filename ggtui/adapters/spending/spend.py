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
    from collections.abc import Coroutine
    from concurrent.futures import Future
    from pathlib import Path

    from ggtui.adapters.spending.notes import Row

PAUSE_S = 0.5
"""From a note until it goes to the database, and others with it: a commit takes some 7 ms of a core."""

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
class _Sum:
    """What a batch has spent with one deployment within a second, less what it takes back."""

    part: int
    """Its number within the batch."""
    at: float
    """Unix time of the newest amount."""
    until: float
    """The end of its second."""
    pusd: int = 0
    covered_pusd: int = 0
    """Up to this much a note tells of it."""


@dataclass(slots=True, eq=False)
class _Batch:
    """What goes to the database together."""

    rows: list[Row] = field(default_factory=list)
    sums: dict[str, _Sum] = field(default_factory=dict)
    written: Future[None] | None = None

    def add(self, name: str, at: float, cost_pusd: int) -> _Sum:
        known = self.sums.get(name)
        if known is None or int(known.at) != int(at) or known.pusd + cost_pusd > LARGEST:
            self._close(name)
            known = self.sums[name] = _Sum(len(self.rows) + len(self.sums), at, int(at) + 1.0)
        known.at = max(known.at, at)
        known.pusd += cost_pusd
        return known

    def ended(self) -> list[Row]:
        """All of it: nothing is added any more."""
        for name in list(self.sums):
            self._close(name)
        return self.rows

    def _close(self, name: str) -> None:
        known = self.sums.pop(name, None)
        if known is not None:
            self.rows.append((name, known.at, known.pusd))


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

    def add(self, name: str, at: float, cost_pusd: int) -> Coroutine[Any, Any, None] | None:
        """See SpendPort."""
        with self._lock:
            batch = self._batch
            if batch is None:
                return self._begun(name, at, cost_pusd)
            known = batch.sums.get(name)
            if (  # most that are spent with one deployment are covered by a note of those before
                self._is_well
                and known is not None
                and known.at <= at < known.until
                and (pusd := known.pusd + cost_pusd) <= known.covered_pusd
            ):
                known.at, known.pusd = at, pusd
                return None
            return self._added(batch, name, at, cost_pusd)

    async def _begun(self, name: str, at: float, cost_pusd: int) -> None:
        with self._lock:
            if self._batch is None:
                begun = _Batch()
                begun.written = self._thread.begin(partial(self._write, begun))
                self._batch = begun
            waits = self._added(self._batch, name, at, cost_pusd)
        if waits is not None:
            await waits

    def _added(self, batch: _Batch, name: str, at: float, cost_pusd: int) -> Coroutine[Any, Any, None] | None:
        added = batch.add(name, at, min(cost_pusd, LARGEST))
        if self._is_well and (added.pusd <= added.covered_pusd or self._cover(name, added)):
            return None
        assert batch.written is not None
        return ended(batch.written)

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

    def _cover(self, name: str, added: _Sum) -> bool:
        """Note more than there is where more is to be expected: each note is a write to a file."""
        most = min(added.pusd + added.pusd // 4 if added.covered_pusd else added.pusd, LARGEST)
        try:
            self._notes.cover(name, added.part, added.at, most)
        except OSError:  # as when the disk is full: the database may say more of it
            return False
        added.covered_pusd = most
        return True

    def _write(self, batch: _Batch, connection: sqlite3.Connection) -> None:
        if self._is_well:
            self._is_ending.wait(PAUSE_S)
        with self._lock:  # whoever comes from now on begins another one
            if self._batch is batch:
                self._batch = None
            number = self._notes.turn()
        self._unwritten += batch.ended()
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


def _load(connection: sqlite3.Connection, name: str, since: float) -> tuple[SpendEntry, ...]:
    rows = connection.execute(
        "SELECT at, cost_pusd FROM spending WHERE deployment = ? AND at >= ? ORDER BY at", (name, since)
    )
    return tuple(SpendEntry(at, cost) for at, cost in rows)


def _prune(connection: sqlite3.Connection, before: float) -> None:
    connection.execute("DELETE FROM spending WHERE at < ?", (before,))
