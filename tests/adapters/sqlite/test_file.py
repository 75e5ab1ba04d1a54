"""A SQLite file is brought to the current schema from any former one, and kept when it is none of them."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.sqlite.file import Schema, connected_by_hand, open_anew, open_file

if TYPE_CHECKING:
    from pathlib import Path

FIRST = ("CREATE TABLE things (name TEXT NOT NULL)",)
SECOND = ("ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 7",)
OLD = Schema("the book", (FIRST,), ("SELECT name FROM things LIMIT 1",))
NEW = Schema("the book", (FIRST, SECOND), ("SELECT name, size FROM things LIMIT 1",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of the old schema with one thing."""
    path = tmp_path / "data" / "book.sqlite3"
    connection, aside = open_file(path, OLD)
    with closing(connection), connection:
        connection.execute("INSERT INTO things VALUES ('spoon')")

    assert aside is None
    return path


def test_an_older_file_gets_what_it_lacks_and_keeps_what_it_has(path: Path) -> None:
    connection, aside = open_file(path, NEW)
    with closing(connection):
        assert [("spoon", 7)] == connection.execute("SELECT name, size FROM things").fetchall()
        assert (2,) == connection.execute("PRAGMA user_version").fetchone()
    assert aside is None


def test_a_newer_file_is_kept_aside_and_told(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_file(path, NEW)[0].close()
    with caplog.at_level(logging.WARNING), closing(open_anew(path, OLD)) as connection:
        assert [] == connection.execute("SELECT * FROM things").fetchall()

    (aside,) = (each.name for each in path.parent.iterdir() if each.suffix == ".bad")
    assert [f"the book was damaged or is from a newer ggtui; it is kept as {aside}"] == caplog.messages


def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    broken = Schema("the book", (FIRST, (*SECOND, "CREATE TABLE things (x)")), ())
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        open_file(path, broken)

    with closing(open_file(path, OLD)[0]) as connection:
        assert [("spoon",)] == connection.execute("SELECT * FROM things").fetchall()


def test_a_transaction_by_hand_ends_where_it_is_told_to(path: Path) -> None:
    with closing(open_file(path, OLD, connected_by_hand)[0]) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM things")
        connection.execute("ROLLBACK")

        assert [("spoon",)] == connection.execute("SELECT * FROM things").fetchall()


@pytest.mark.parametrize("pragmas", [(), ("PRAGMA journal_mode = TRUNCATE",)])
def test_what_is_no_database_is_kept_aside(path: Path, pragmas: tuple[str, ...]) -> None:
    path.write_bytes(b"no database " * 500)
    schema = Schema("the book", (FIRST,), OLD.probes, pragmas)
    connection, aside = open_file(path, schema)
    connection.close()

    assert aside is not None
    assert path.with_name(aside).read_bytes().startswith(b"no database")
