"""Opens the catalog's SQLite file: private, checked, migrated; moved aside when it is broken."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from ggtui.core.text import plain

if TYPE_CHECKING:
    from pathlib import Path

BUSY_TIMEOUT_S = 5.0

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE models (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            canonical_path BLOB NOT NULL UNIQUE,
            launch_path BLOB NOT NULL,
            public_id TEXT NOT NULL UNIQUE,
            size_bytes INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            device INTEGER NOT NULL,
            inode INTEGER NOT NULL,
            n_files INTEGER NOT NULL,
            edition INTEGER NOT NULL,
            facts BLOB NOT NULL,
            is_present INTEGER NOT NULL
        )""",
        "CREATE TABLE settings (model_id INTEGER PRIMARY KEY REFERENCES models (id), n_ctx INTEGER)",
        """CREATE TABLE folders (
            path BLOB PRIMARY KEY,
            scanned_at REAL NOT NULL,
            n_files INTEGER NOT NULL,
            problems BLOB NOT NULL
        )""",
    ),
    ("CREATE TABLE loads (model_id INTEGER PRIMARY KEY REFERENCES models (id), loaded_at REAL NOT NULL)",),
    (
        "ALTER TABLE models ADD COLUMN places BLOB NOT NULL DEFAULT '[]'",
        "ALTER TABLE models ADD COLUMN digest TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE folders ADD COLUMN unfinished BLOB NOT NULL DEFAULT '[]'",
        "ALTER TABLE folders ADD COLUMN is_absent INTEGER NOT NULL DEFAULT 0",
    ),
    (
        """CREATE TABLE load_records (
            model_id INTEGER NOT NULL REFERENCES models (id),
            at REAL NOT NULL,
            size_bytes INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            record BLOB NOT NULL
        )""",
        "CREATE INDEX load_records_by_model ON load_records (model_id, at)",
    ),
    (
        """CREATE TABLE labels (
            model_id INTEGER PRIMARY KEY REFERENCES models (id),
            name TEXT NOT NULL,
            tags BLOB NOT NULL,
            is_favourite INTEGER NOT NULL
        )""",
    ),
)
"""Statements that lead from schema n to n + 1; `PRAGMA user_version` holds n."""

_PROBES = (
    """SELECT id, canonical_path, launch_path, public_id, size_bytes, mtime_ns, device, inode, n_files,
              edition, facts, is_present, places, digest FROM models LIMIT 1""",
    "SELECT model_id, n_ctx FROM settings LIMIT 1",
    "SELECT path, scanned_at, n_files, problems, unfinished, is_absent FROM folders LIMIT 1",
    "SELECT model_id, loaded_at FROM loads LIMIT 1",
    "SELECT model_id, at, size_bytes, mtime_ns, record FROM load_records LIMIT 1",
    "SELECT model_id, name, tags, is_favourite FROM labels LIMIT 1",
)


def open_database(database: Path) -> tuple[sqlite3.Connection, str | None]:
    """A connection with the current schema, and what a person should know about it.

    A damaged or newer file is renamed and begun anew; a place that cannot be written gives a copy in memory.
    Raises: sqlite3.Error when not even that can be had.
    """
    try:
        return _opened_or_rebuilt(database)
    except (OSError, sqlite3.OperationalError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        problem = f"the catalog is kept in memory only: {plain(str(database))}: {reason}"
        return _memory_copy(database), problem


def _opened_or_rebuilt(database: Path) -> tuple[sqlite3.Connection, str | None]:
    _create_private(database)
    try:
        return _ready(_connected(database)), None
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        aside = _moved_aside(database)
        _create_private(database)
        problem = f"the catalog was damaged or is from a newer ggtui; it is kept as {aside} and built anew"
        return _ready(_connected(database)), problem


def _connected(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(database, timeout=BUSY_TIMEOUT_S)


def _create_private(database: Path) -> None:
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if not os.access(database.parent, os.W_OK):
        raise PermissionError(13, "Folder is not writable")


def _ready(connection: sqlite3.Connection) -> sqlite3.Connection:
    """The connection with a sound schema; closed when that fails.

    Raises: sqlite3.DatabaseError when it is damaged or from a newer ggtui, OperationalError when busy.
    """
    try:
        if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("quick_check failed")
        _migrate(connection)
        _probe(connection)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    if _version(connection) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        # Another ggtui may have migrated while this one waited for the lock.
        version = _version(connection)
        if not 0 <= version <= len(MIGRATIONS):
            raise sqlite3.DatabaseError(f"schema {version} is not known")
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _probe(connection: sqlite3.Connection) -> None:
    for query in _PROBES:
        try:
            connection.execute(query).fetchone()
        except sqlite3.OperationalError as error:
            if str(error).startswith("no such"):
                raise sqlite3.DatabaseError(str(error)) from error
            raise


def _moved_aside(database: Path) -> str:
    """Rename the database and its journals; returns the new name."""
    aside = database.with_name(f"{database.name}.{time.strftime('%Y%m%d-%H%M%S')}.bad")
    for suffix in ("-journal", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.replace(f"{database}{suffix}", f"{aside}{suffix}")
    os.replace(database, aside)
    return aside.name


def _memory_copy(database: Path) -> sqlite3.Connection:
    """A database in memory, filled from the file where that can be read."""
    memory = sqlite3.connect(":memory:")
    try:
        with closing(_read_only(database)) as source:
            source.backup(memory)
        return _ready(memory)
    except (OSError, sqlite3.Error):
        memory.close()
        return _ready(sqlite3.connect(":memory:"))


def _read_only(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
