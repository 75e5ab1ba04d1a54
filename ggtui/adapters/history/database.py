"""Opens the SQLite file of the history, to write or only to read."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from ggtui.adapters.sqlite.file import BUSY_TIMEOUT_S, Schema, open_anew, probe

if TYPE_CHECKING:
    from pathlib import Path

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
COLUMNS = "number, public_id, path, adapters, n_ctx, began, why, ended, how_ended, n_requests"
SCHEMA = Schema(
    "the history", MIGRATIONS, (f"SELECT {COLUMNS} FROM generations ORDER BY number DESC LIMIT 1",)
)


def open_database(database: Path) -> sqlite3.Connection:
    """A connection with the current schema. A file that is damaged or newer is renamed and begun anew.

    Raises: sqlite3.Error, OSError where it cannot be written.
    """
    return open_anew(database, SCHEMA)


def open_to_read(database: Path) -> sqlite3.Connection:
    """A connection that changes nothing. Raises: sqlite3.Error, when there is no such file too.

    Where a write was cut off by a kill, SQLite would have to finish it first: then the file is read as it is.
    """
    address = f"{database.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(address, timeout=BUSY_TIMEOUT_S, uri=True)
    try:
        probe(connection, SCHEMA)
    except sqlite3.OperationalError:
        connection.close()
        connection = sqlite3.connect(f"{address}&immutable=1", uri=True)
    return connection
