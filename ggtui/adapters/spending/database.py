"""Opens a SQLite file of what was spent or counted.

The journal is a rollback journal: SQLite before 3.51.3 can lose what two writers wrote to a WAL file at the
same moment, and one of these files has many writers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.adapters.sqlite.file import Schema, connected_by_hand, open_anew

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path


def schema_of(what: str, statements: tuple[str, ...], probe: str, synchronous: str) -> Schema:
    """What a file holds, in its first version.

    synchronous: `FULL` for what must outlive a loss of power, `OFF` for what need not; a kill harms neither.
    """
    settings = ("PRAGMA journal_mode = TRUNCATE", f"PRAGMA synchronous = {synchronous}")
    return Schema(what, (statements,), (probe,), settings)


def open_database(database: Path, schema: Schema) -> sqlite3.Connection:
    """A connection with the current schema. A file that is damaged or newer is renamed and begun anew.

    Raises: sqlite3.Error, OSError where it cannot be written.
    """
    return open_anew(database, schema, connected_by_hand)
