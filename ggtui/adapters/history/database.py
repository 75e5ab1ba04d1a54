"""Opens the SQLite file of the history: private, with the current schema; moved aside when it is broken."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ggtui.core.text import plain

if TYPE_CHECKING:
    from pathlib import Path

_LOG = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 5.0
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE generations (
            number INTEGER PRIMARY KEY,
            public_id TEXT NOT NULL,
            path TEXT NOT NULL,
            adapters BLOB NOT NULL,
            n_ctx INTEGER NOT NULL,
            began REAL NOT NULL,
            why TEXT NOT NULL,
            ended REAL,
            how_ended TEXT NOT NULL,
            n_requests INTEGER
        )""",
    ),
)
"""Statements that lead from schema n to n + 1; `PRAGMA user_version` holds n."""

COLUMNS = "number, public_id, path, adapters, n_ctx, began, why, ended, how_ended, n_requests"


def open_database(database: Path) -> sqlite3.Connection:
    """A connection with the current schema. A file that is damaged or newer is renamed and begun anew.

    Raises: sqlite3.Error, OSError where it cannot be written.
    """
    _create_private(database)
    try:
        return _ready(sqlite3.connect(database, timeout=BUSY_TIMEOUT_S))
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        aside = _moved_aside(database)
        _LOG.warning("the history was damaged or is from a newer ggtui; it is kept as %s", plain(aside))
        _create_private(database)
        return _ready(sqlite3.connect(database, timeout=BUSY_TIMEOUT_S))


def open_to_read(database: Path) -> sqlite3.Connection:
    """A connection that changes nothing. Raises: sqlite3.Error, when there is no such file too.

    Where a write was cut off by a kill, SQLite would have to finish it first: then the file is read as it is.
    """
    address = f"{database.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(address, timeout=BUSY_TIMEOUT_S, uri=True)
    try:
        _probe(connection)
    except sqlite3.OperationalError:
        connection.close()
        connection = sqlite3.connect(f"{address}&immutable=1", uri=True)
    return connection


def _create_private(database: Path) -> None:
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


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
    """Raises: sqlite3.DatabaseError when the table is another one, or its pages are damaged."""
    try:
        connection.execute(f"SELECT {COLUMNS} FROM generations ORDER BY number DESC LIMIT 1").fetchone()
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
