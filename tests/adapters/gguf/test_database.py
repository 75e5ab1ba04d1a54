"""The database file: private, checked when opened, moved aside when broken, in memory where it cannot be."""

from __future__ import annotations

import os
import sqlite3
import stat
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.gguf.database import MIGRATIONS, open_database
from ggtui.adapters.sqlite import file as sqlite_file

if TYPE_CHECKING:
    from pathlib import Path

INSERT = "INSERT INTO settings (model_id, n_ctx) VALUES (1, ?)"


def settings(path: Path) -> tuple[list[int], str | None]:
    """All contexts in the database, and what is said about it."""
    connection, problem = open_database(path)
    values = [row[0] for row in connection.execute("SELECT n_ctx FROM settings")]
    connection.close()
    return values, problem


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with one setting of 42."""
    path = tmp_path / "data" / "catalog.sqlite3"
    connection, problem = open_database(path)
    with connection:
        connection.execute(INSERT, (42,))
    connection.close()

    assert problem is None
    return path


def asides(path: Path) -> list[str]:
    return [file.name for file in path.parent.iterdir() if file.name.endswith(".bad")]


def test_file_and_folder_are_private(path: Path) -> None:
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)


def test_what_was_written_is_there_again(path: Path) -> None:
    assert ([42], None) == settings(path)


def test_the_schema_has_a_number(path: Path) -> None:
    connection, _ = open_database(path)

    assert (len(MIGRATIONS),) == connection.execute("PRAGMA user_version").fetchone()
    connection.close()


def _zero_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(100))


def _random_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(bytes(range(256)) * 16)


def _no_database(path: Path) -> None:
    path.write_text("this is a text file, long enough to be looked at\n" * 50)


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _newer_schema(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def _other_tables(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE models (x)")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.close()


BREAKAGES = [_zero_header, _random_page, _no_database, _cut, _newer_schema, _other_tables]


@pytest.mark.parametrize("break_it", BREAKAGES, ids=lambda function: function.__name__.strip("_"))
def test_a_broken_or_newer_file_is_moved_aside_and_begun_anew(path: Path, break_it: object) -> None:
    assert callable(break_it)
    break_it(path)

    values, problem = settings(path)

    assert [] == values
    (aside,) = asides(path)
    assert (
        f"the catalog was damaged or is from a newer ggtui; it is kept as {aside} and built anew" == problem
    )
    assert ([], None) == settings(path)


@pytest.mark.parametrize("suffix", ["-wal", "-journal", "-shm"])
def test_garbage_beside_the_file_does_no_harm(path: Path, suffix: str) -> None:
    path.with_name(path.name + suffix).write_bytes(b"garbage" * 1000)

    assert ([42], None) == settings(path)


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite3"
    path.write_bytes(b"")

    assert ([], None) == settings(path)
    assert [] == asides(path)


def test_a_file_that_cannot_be_written_is_copied_to_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sqlite_file, "create_private", refuse)

    assert ([42], f"the catalog is kept in memory only: {path}: Permission denied") == settings(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_leads_to_memory(path: Path) -> None:
    path.chmod(0o400)
    path.parent.chmod(0o500)

    values, problem = settings(path)

    assert [42] == values
    assert problem is not None
    path.parent.chmod(0o700)


def test_a_place_that_cannot_be_leads_to_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "data" / "catalog.sqlite3"

    assert ([], f"the catalog is kept in memory only: {path}: Not a directory") == settings(path)


def test_a_folder_in_the_place_of_the_file_leads_to_memory(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite3"
    path.mkdir()

    assert ([], f"the catalog is kept in memory only: {path}: Is a directory") == settings(path)


def test_two_that_open_a_new_file_at_once_share_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one sees no schema, and finds it made when its turn comes."""
    path = tmp_path / "catalog.sqlite3"
    open_database(path)[0].close()
    stale = [0]
    real = sqlite_file._version

    def version(connection: sqlite3.Connection) -> int:
        return stale.pop() if stale else real(connection)

    monkeypatch.setattr(sqlite_file, "_version", version)

    assert ([], None) == settings(path)
    assert [] == stale
    assert [] == asides(path)
