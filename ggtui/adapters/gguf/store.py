"""The catalog's memory between runs: models with their ids, chosen contexts, looks into folders."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ggtui.adapters.gguf import label_rows, load_records
from ggtui.adapters.gguf.database import open_database
from ggtui.adapters.gguf.facts import ModelFacts, broken_facts
from ggtui.adapters.gguf.found import Place
from ggtui.core.errors import StoreUnavailable
from ggtui.core.labels import UNLABELLED
from ggtui.core.naming import public_id
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ggtui.adapters.gguf.found import FoundModel
    from ggtui.core.labels import LabelChange, Labels
    from ggtui.core.load_history import LoadRecord
    from ggtui.core.memory.compute import MeasuredCompute

T = TypeVar("T")
FACTS_EDITION = 3
"""Raised whenever facts are drawn from headers in another way, so that all files are read again."""

_NO_PLACE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
"""Errors of a place that cannot be written; low byte of SQLite's code."""

_SELECT = """
    SELECT id, canonical_path, launch_path, public_id, facts, places, digest, n_ctx,
           loaded_at, size_bytes, mtime_ns, device, inode, n_files, edition
    FROM models LEFT JOIN settings ON settings.model_id = id LEFT JOIN loads ON loads.model_id = id
"""
_SELECT_PRESENT = f"{_SELECT} WHERE is_present"
# Another ggtui may have found the same file a moment before.
_MOVE = "UPDATE OR IGNORE models SET canonical_path = ? WHERE id = ?"
_UPSERT = """
    INSERT INTO models (canonical_path, launch_path, public_id, facts, places, digest,
                        size_bytes, mtime_ns, device, inode, n_files, edition, is_present)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
    ON CONFLICT (canonical_path) DO UPDATE SET
        launch_path = excluded.launch_path, facts = excluded.facts, places = excluded.places,
        digest = excluded.digest, size_bytes = excluded.size_bytes,
        mtime_ns = excluded.mtime_ns, device = excluded.device, inode = excluded.inode,
        n_files = excluded.n_files, edition = excluded.edition, is_present = 1
"""
_UPSERT_FOLDER = """
    INSERT OR REPLACE INTO folders (path, scanned_at, n_files, problems, unfinished, is_absent)
    VALUES (?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A row of the catalog."""

    id: int
    canonical: str
    path: str
    public_id: str
    facts: ModelFacts
    places: tuple[Place, ...]
    digest: str
    """Of its content; empty until another file of the same size was found."""
    n_ctx: int | None
    loaded_at: float | None
    stamp: tuple[int, ...]
    measured: tuple[MeasuredCompute, ...] = ()
    """What earlier loads have taught of it, the newest first."""
    labels: Labels = UNLABELLED

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return self.stamp[0]

    @property
    def n_files(self) -> int:
        """Files that make up the model; 0 for a damaged row."""
        return self.stamp[4] if len(self.stamp) > 4 else 0

    @property
    def file_id(self) -> tuple[int, ...]:
        """Device and inode of the first file; zeros for a file that could not be looked at."""
        return self.stamp[2:4]


@dataclass(frozen=True, slots=True)
class Reading:
    """A model that was found, with what was read of it."""

    model: FoundModel
    facts: ModelFacts
    digest: str = ""


@dataclass(frozen=True, slots=True)
class FolderScan:
    """The last finished look into one folder."""

    scanned_at: float
    n_files: int
    problems: tuple[str, ...]
    unfinished: tuple[str, ...] = ()
    is_absent: bool = False
    """True for a store that does not exist."""


def stamp_of(model: FoundModel) -> tuple[int, ...]:
    """What tells a changed model from an unchanged one: size, time, device, inode, files, edition."""
    first = model.first
    place = (_signed(first.device), _signed(first.inode))
    return (model.size_bytes, model.mtime_ns, *place, len(model.files), FACTS_EDITION)


def _signed(number: int) -> int:
    """SQLite's integers have 63 bits and a sign; some file systems use the 64th bit for inodes."""
    return number - (1 << 64) if number >= 1 << 63 else number


class Store:
    """One connection, made and used by one thread."""

    def __init__(self, database: Path) -> None:
        """Open or create the database.

        Raises: StoreUnavailable when not even a database in memory can be had.
        """
        try:
            self._connection, self.problem = open_database(database)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"{plain(str(database))}: {error}") from error

    def models(self) -> list[StoredModel]:
        """All models that were there at the last look.

        Raises: StoreUnavailable.
        """
        with self._translated():
            taught = load_records.measured(self._connection)
            labels = label_rows.of_all(self._connection)
            return [
                replace(_stored(row, taught.get(row[0], ())), labels=labels.get(row[0], UNLABELLED))
                for row in self._connection.execute(_SELECT_PRESENT)
            ]

    def remembered(self) -> list[StoredModel]:
        """All models that were ever there, without what is known of them beside their files.

        Raises: StoreUnavailable.
        """
        with self._translated():
            return [_stored(row, ()) for row in self._connection.execute(_SELECT)]

    def folders(self) -> dict[str, FolderScan]:
        """The last look into each folder ever looked into, by absolute path.

        Raises: StoreUnavailable.
        """
        with self._translated():
            rows = self._connection.execute(
                "SELECT path, scanned_at, n_files, problems, unfinished, is_absent FROM folders"
            )
            return {
                os.fsdecode(path): FolderScan(at, n_files, _lines(problems), _lines(unfinished), bool(absent))
                for path, at, n_files, problems, unfinished, absent in rows
            }

    def set_context(self, model_id: int, n_ctx: int | None) -> None:
        """Keep the context of a model; ids that do not exist are ignored.

        Raises: StoreUnavailable.
        """

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO settings (model_id, n_ctx) SELECT id, ? FROM models WHERE id = ?",
                (n_ctx, model_id),
            )

        self._write(write)

    def change_labels(self, model_id: int, change: LabelChange) -> Labels:
        """Change what a person calls a model; returns what is kept then. Unknown ids keep nothing.

        Raises: StoreUnavailable, InvalidRequest.
        """
        return self._write(lambda connection: label_rows.change(connection, model_id, change))

    def note_loaded(self, model_id: int, loaded_at: float) -> None:
        """Keep when a model was loaded; ids that do not exist are ignored.

        Raises: StoreUnavailable.
        """

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO loads (model_id, loaded_at) SELECT id, ? FROM models WHERE id = ?",
                (loaded_at, model_id),
            )

        self._write(write)

    def note_load(self, model_id: int, record: LoadRecord) -> None:
        """Keep what a load took; ids that do not exist are ignored.

        Raises: StoreUnavailable.
        """
        self._write(lambda connection: load_records.add(connection, model_id, record))

    def newest_overhead(self) -> int | None:
        """What the driver took on each device in the newest load that tells; None when none does.

        Raises: StoreUnavailable.
        """
        with self._translated():
            return load_records.newest_overhead(self._connection)

    def load_history(self, model_id: int) -> tuple[LoadRecord, ...]:
        """What the loads of a model took, the newest first.

        Raises: StoreUnavailable.
        """
        with self._translated():
            return load_records.of_model(self._connection, model_id)

    def keep(
        self,
        seen: Sequence[Reading],
        gone: Iterable[int],
        scans: Mapping[str, FolderScan],
        moved: Mapping[str, int] | None = None,
    ) -> None:
        """Write a finished scan, all of it or nothing.

        seen: models that are new or changed. gone: ids whose file has vanished; they keep their names.
        moved: ids that go over to another file, by its canonical path.
        Raises: StoreUnavailable.
        """
        absent = [(model_id,) for model_id in gone]
        paths = [(os.fsencode(canonical), model_id) for canonical, model_id in (moved or {}).items()]
        looks = [
            (os.fsencode(path), scan.scanned_at, scan.n_files, *_encoded(scan), scan.is_absent)
            for path, scan in scans.items()
        ]

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("UPDATE models SET is_present = 0 WHERE id = ?", absent)
            connection.executemany(_MOVE, paths)
            connection.executemany(_UPSERT, self._rows(seen))
            connection.executemany(_UPSERT_FOLDER, looks)

        self._write(write)

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._translated():
            try:
                with self._connection as connection:
                    return work(connection)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in _NO_PLACE:
                    raise
                self._move_to_memory(str(error))
                with self._connection as connection:
                    return work(connection)

    def _move_to_memory(self, reason: str) -> None:
        """Go on without the file, which keeps what it had."""
        memory = sqlite3.connect(":memory:")
        self._connection.backup(memory)
        self._connection.close()
        self._connection = memory
        self.problem = f"the catalog is kept in memory only: {reason}"

    def _rows(self, seen: Sequence[Reading]) -> list[tuple[object, ...]]:
        known = dict(self._connection.execute("SELECT canonical_path, public_id FROM models"))
        taken = set(known.values())
        rows = []
        for reading in seen:
            model, facts, first = reading.model, reading.facts, reading.model.first
            canonical = os.fsencode(first.canonical)
            name = known.get(canonical) or public_id(first.name, facts.quantisation, first.canonical, taken)
            taken.add(name)
            data = (msgspec.json.encode(facts), msgspec.json.encode(model.places), reading.digest)
            rows.append((canonical, os.fsencode(first.path), name, *data, *stamp_of(model)))
        return rows

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreUnavailable(f"catalog database: {error}") from error

    def close(self) -> None:
        """Release the file."""
        self._connection.close()


def _stored(row: tuple[Any, ...], measured: tuple[MeasuredCompute, ...]) -> StoredModel:
    model_id, canonical, path, name, data, places, digest, n_ctx, loaded_at, *stamp = row
    file = os.fsdecode(path)
    try:
        facts = msgspec.json.decode(data, type=ModelFacts)
        where = msgspec.json.decode(places, type=tuple[Place, ...])
    except msgspec.MsgspecError:
        facts = broken_facts(os.path.basename(file), "its catalog entry is damaged; rescan the catalog")
        stamp, where = [stamp[0], 0], ()
    settings = (n_ctx, loaded_at, tuple(stamp), measured)
    return StoredModel(model_id, os.fsdecode(canonical), file, name, facts, where, digest, *settings)


def _encoded(scan: FolderScan) -> tuple[bytes, bytes]:
    return msgspec.json.encode(scan.problems), msgspec.json.encode(scan.unfinished)


def _lines(data: bytes) -> tuple[str, ...]:
    try:
        return msgspec.json.decode(data, type=tuple[str, ...])
    except msgspec.MsgspecError:
        return ()
