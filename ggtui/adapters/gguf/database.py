"""Opens the catalog's SQLite file, or a copy in memory where the file cannot be written."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from ggtui.adapters.sqlite.file import Schema, connected, open_file, sound
from ggtui.core.text import plain

if TYPE_CHECKING:
    from pathlib import Path

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
SCHEMA = Schema("the catalog", MIGRATIONS, _PROBES)


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
    connection, aside = open_file(database, SCHEMA, _connected)
    if aside is None:
        return connection, None
    return connection, (
        f"{SCHEMA.what} was damaged or is from a newer ggtui; it is kept as {aside} and built anew"
    )


def _connected(database: Path) -> sqlite3.Connection:
    if not os.access(database.parent, os.W_OK):
        raise PermissionError(13, "Folder is not writable")
    return connected(database)


def _memory_copy(database: Path) -> sqlite3.Connection:
    """A database in memory, filled from the file where that can be read."""
    memory = sqlite3.connect(":memory:")
    try:
        with closing(_read_only(database)) as source:
            source.backup(memory)
        return sound(memory, SCHEMA)
    except (OSError, sqlite3.Error):
        memory.close()
        return sound(sqlite3.connect(":memory:"), SCHEMA)


def _read_only(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
