"""Opens a SQLite file: private, checked, with the current schema; moved aside when it is broken."""

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
    from collections.abc import Callable
    from pathlib import Path

_LOG = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 5.0
"""How long a call waits for another process that writes."""
LARGEST = 2**63 - 1
"""Integer that SQLite holds."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What a file holds."""

    what: str
    """In words, for whoever reads the log."""
    migrations: tuple[tuple[str, ...], ...]
    """Statements that lead from schema n to n + 1; `PRAGMA user_version` holds n."""
    probes: tuple[str, ...]
    """Questions that fail where a table is missing or another one, or its pages are damaged."""
    settings: tuple[str, ...] = ()
    """Said to each connection, before anything else."""


def connected(database: Path) -> sqlite3.Connection:
    """A connection for the thread that makes it; a transaction begins with the first change."""
    return sqlite3.connect(database, timeout=BUSY_TIMEOUT_S)


def connected_by_hand(database: Path) -> sqlite3.Connection:
    """A connection whose transactions begin where they are told to, used by one thread at a time."""
    return sqlite3.connect(database, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)


def open_anew(
    database: Path, schema: Schema, connect: Callable[[Path], sqlite3.Connection] = connected
) -> sqlite3.Connection:
    """The same as open_file; a file that was moved aside is told in the log."""
    connection, aside = open_file(database, schema, connect)
    if aside is not None:
        _LOG.warning("%s was damaged or is from a newer ggtui; it is kept as %s", schema.what, plain(aside))
    return connection


def open_file(
    database: Path, schema: Schema, connect: Callable[[Path], sqlite3.Connection] = connected
) -> tuple[sqlite3.Connection, str | None]:
    """A connection with the current schema, and the name that a damaged or newer file was given: it is kept.

    connect: called when the file is there, maybe empty; may raise as this does.
    Raises: sqlite3.Error, OSError where it cannot be written.
    """
    create_private(database)
    try:
        return sound(connect(database), schema), None
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        aside = _moved_aside(database)
        create_private(database)
        return sound(connect(database), schema), aside


def create_private(database: Path) -> None:
    """Make the file and its folder for this person alone where they are not there. Raises: OSError."""
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def sound(connection: sqlite3.Connection, schema: Schema) -> sqlite3.Connection:
    """The connection with a sound schema; closed when that fails.

    Raises: sqlite3.DatabaseError when it is damaged or from a newer ggtui, OperationalError when busy.
    """
    try:
        for statement in schema.settings:
            connection.execute(statement)
        if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("quick_check failed")
        _migrate(connection, schema.migrations)
        probe(connection, schema)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def probe(connection: sqlite3.Connection, schema: Schema) -> None:
    """Raises: sqlite3.DatabaseError when a table is another one, or its pages are damaged."""
    for query in schema.probes:
        try:
            connection.execute(query).fetchone()
        except sqlite3.OperationalError as error:
            if str(error).startswith("no such"):
                raise sqlite3.DatabaseError(str(error)) from error
            raise


def _migrate(connection: sqlite3.Connection, migrations: tuple[tuple[str, ...], ...]) -> None:
    if _version(connection) == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        # Another ggtui may have migrated while this one waited for the lock.
        version = _version(connection)
        if not 0 <= version <= len(migrations):
            raise sqlite3.DatabaseError(f"schema {version} is not known")
        for statements in migrations[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _moved_aside(database: Path) -> str:
    """Rename the database and its journals; returns the new name."""
    aside = database.with_name(f"{database.name}.{time.strftime('%Y%m%d-%H%M%S')}.bad")
    for suffix in ("-journal", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.replace(f"{database}{suffix}", f"{aside}{suffix}")
    os.replace(database, aside)
    return aside.name
