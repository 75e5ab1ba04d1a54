"""Opens a SQLite file: private, with the current schema; moved aside when it is broken.

The journal is a rollback journal: SQLite before 3.51.3 can lose what two writers wrote to a WAL file at the
same moment, and one of these files has many writers.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.core.text import plain

if TYPE_CHECKING:
    from pathlib import Path

_LOG = logging.getLogger(__name__)

LARGEST = 2**63 - 1
"""Integer that SQLite holds."""
BUSY_TIMEOUT_S = 5.0
"""How long a call waits for another process that writes."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What a file holds."""

    what: str
    """In words, for whoever reads the log."""
    version: int
    """`PRAGMA user_version` of a file that was made by these statements."""
    statements: tuple[str, ...]
    probe: str
    """A question that fails where a table is missing or another one."""
    synchronous: str
    """`FULL` for what must outlive a loss of power, `OFF` for what need not; a kill harms neither."""


def open_database(database: Path, schema: Schema) -> sqlite3.Connection:
    """A connection with the current schema. A file that is damaged or newer is renamed and begun anew.

    Raises: sqlite3.Error, OSError where it cannot be written.
    """
    _create_private(database)
    try:
        return _ready(database, schema)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        aside = _moved_aside(database)
        _LOG.warning("%s was damaged or is from a newer ggtui; it is kept as %s", schema.what, plain(aside))
        _create_private(database)
        return _ready(database, schema)


def _create_private(database: Path) -> None:
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _ready(database: Path, schema: Schema) -> sqlite3.Connection:
    """A connection whose transactions begin where they are told to, used by one thread at a time.

    Raises: sqlite3.DatabaseError when it is damaged or from a newer ggtui, OperationalError when busy.
    """
    connection = sqlite3.connect(
        database, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute(f"PRAGMA synchronous = {schema.synchronous}")
        if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("quick_check failed")
        _make(connection, schema)
        _probe(connection, schema)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _make(connection: sqlite3.Connection, schema: Schema) -> None:
    if _version(connection) == schema.version:
        return
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        if (version := _version(connection)) == schema.version:
            return
        if version != 0:
            raise sqlite3.DatabaseError(f"schema {version} is not known")
        for statement in schema.statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {schema.version}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _probe(connection: sqlite3.Connection, schema: Schema) -> None:
    """Raises: sqlite3.DatabaseError when a table is another one, or its pages are damaged."""
    try:
        connection.execute(schema.probe).fetchone()
    except sqlite3.OperationalError as error:
        if str(error).startswith("no such"):
            raise sqlite3.DatabaseError(str(error)) from error
        raise


def _moved_aside(database: Path) -> str:
    """Rename the database and its journal; returns the new name."""
    aside = database.with_name(f"{database.name}.{time.strftime('%Y%m%d-%H%M%S')}.bad")
    for suffix in ("-journal", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.replace(f"{database}{suffix}", f"{aside}{suffix}")
    os.replace(database, aside)
    return aside.name
