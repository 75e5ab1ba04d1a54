"""The file of the history: private, begun anew when it is broken, read without being changed."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.history.database import MIGRATIONS, open_database
from ggtui.adapters.history.store import SqliteHistory, read_history
from ggtui.core.history import ENDED_WITH_GGTUI, Generation, HistoryUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SERVING = Generation(1, "alpha", "/models/alpha.gguf", 4096, 1000.0, "asked for by a request")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A history with one generation that still serves."""
    path = tmp_path / "data" / "history.sqlite3"

    async def keep() -> None:
        history = SqliteHistory(path)
        await history.open()
        await history.keep([SERVING])
        await history.close()

    asyncio.run(keep())
    return path


def numbers(path: Path) -> list[int]:
    with closing(open_database(path)) as connection:
        return [number for (number,) in connection.execute("SELECT number FROM generations")]


def test_file_and_folder_are_private(path: Path) -> None:
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)


def test_the_schema_has_a_number(path: Path) -> None:
    with closing(open_database(path)) as connection:
        assert (len(MIGRATIONS),) == connection.execute("PRAGMA user_version").fetchone()


def _no_database(path: Path) -> None:
    path.write_text("this is a text file, long enough to be looked at\n" * 50)


def _zero_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(bytes(range(256)) * 16)


def _newer_schema(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def _other_table(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE generations (x)")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


@pytest.mark.parametrize("break_it", [_no_database, _zero_page, _newer_schema, _other_table])
def test_a_broken_or_newer_file_is_moved_aside_and_begun_anew(
    path: Path, break_it: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    break_it(path)
    with caplog.at_level(logging.WARNING):
        assert [] == numbers(path)

    (aside,) = [file.name for file in path.parent.iterdir() if file.name.endswith(".bad")]
    assert [f"the history was damaged or is from a newer ggtui; it is kept as {aside}"] == caplog.messages
    assert [] == numbers(path)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")

    async def scenario() -> None:
        history = SqliteHistory(tmp_path / "data" / "history.sqlite3")
        with pytest.raises(HistoryUnavailable, match=r"history\.sqlite3"):
            await history.open()
        with pytest.raises(HistoryUnavailable):
            await history.keep([SERVING])
        await history.close()

    asyncio.run(scenario())


def test_reading_changes_nothing_and_knows_that_nobody_serves_any_more(path: Path) -> None:
    before = path.read_bytes()
    (found,) = read_history(path, 32)

    assert ENDED_WITH_GGTUI == found.how_ended
    assert before == path.read_bytes()
    assert () == read_history(path.with_name("no such file"), 32)
    assert () == read_history(path, 0)


def test_a_file_whose_last_write_was_cut_off_is_read_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA cache_spill = 1")
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE generations SET why = ?", ("x" * 100_000,))
        cut_off = path.with_name("cut-off.sqlite3")
        shutil.copy(path, cut_off)
        shutil.copy(f"{path}-journal", f"{cut_off}-journal")
        writer.rollback()
    with (
        closing(sqlite3.connect(f"{cut_off.as_uri()}?mode=ro", uri=True)) as reader,
        pytest.raises(sqlite3.OperationalError),
    ):
        reader.execute("SELECT * FROM generations")

    assert [1] == [each.number for each in read_history(cut_off, 32)]


def test_a_file_that_is_no_history_is_told(path: Path) -> None:
    _no_database(path)
    with pytest.raises(HistoryUnavailable, match="not a database"):
        read_history(path, 32)


@pytest.mark.parametrize("adapters", [b"{", 7, "text", b'[{"name": 1}]'])
def test_adapters_that_another_hand_has_written_are_left_out(path: Path, adapters: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE generations SET adapters = ?", (adapters,))

    assert [()] == [each.adapters for each in read_history(path, 32)]
