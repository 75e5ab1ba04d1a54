"""What was spent, on disk: private, never less than what was settled, begun anew when it is broken."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.spending.database import open_database
from ggtui.adapters.spending.spend import SCHEMA, SqliteSpend
from ggtui.core.deployment.spend import SpendEntry
from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

CHILD = """
import asyncio, sys
from pathlib import Path
from ggtui.adapters.memory.deployments import MemoryCounters, MemorySecrets
from ggtui.adapters.spending.spend import SqliteSpend
from ggtui.core.deployment.deployment import Deployment
from ggtui.core.deployment.policies import Priority
from ggtui.core.deployment.pricing import Pricing
from ggtui.proxy.forward_request import Ruled
from ggtui.services.deployments.book import Deployments

async def main():
    rules = Deployment("a", "gpt-4o", pricing=Pricing(output_pusd=1))
    spend = SqliteSpend(Path(sys.argv[1]))
    book = Deployments([rules], spend=spend, counters=MemoryCounters(), secrets=MemorySecrets())
    await book.start()
    live, total = book.get("a"), 0

    async def ask():
        nonlocal total
        while True:
            passage = await live.enter(Ruled((), 0, 3, Priority.NORMAL, ""))
            passage.was_sent = True
            passage.used(0, 3)
            for write in passage.leave():
                await write
            await asyncio.sleep(0)  # some are let in while others are served
            total += 3
            print(total, flush=True)

    await asyncio.gather(*(ask() for _ in range(8)))

asyncio.run(main())
"""
"""Settles in a loop, eight at a time, and prints the sum of what was settled each time."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file in which 7 were spent."""
    path = tmp_path / "data" / "spending.sqlite3"
    _add(path, 7)
    return path


async def _kept(work: Coroutine[Any, Any, None] | None) -> None:
    if work is not None:
        await work


def _add(path: Path, cost: int) -> None:
    async def add() -> None:
        spend = SqliteSpend(path)
        await _kept(spend.add("a", 1000.0, cost))
        await spend.close()

    asyncio.run(add())


def _spent(path: Path) -> int:
    async def load() -> int:
        spend = SqliteSpend(path)
        entries = await spend.load("a", 0.0)
        await spend.close()
        return sum(each.cost_pusd for each in entries)

    return asyncio.run(load())


def test_file_and_folder_are_private(path: Path) -> None:
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)


@pytest.mark.parametrize("n_lines", [1, 50, 400])
def test_what_was_settled_is_known_after_a_kill(tmp_path: Path, n_lines: int) -> None:
    path = tmp_path / "spending.sqlite3"
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    with child:
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(n_lines)]
        child.kill()
        told += [int(line) for line in child.stdout if line.endswith("\n")]

    assert told[-1] <= _spent(path) <= (told[-1] + 8 * 3 * 2) * 25 // 16


def test_a_journal_never_is_a_wal(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert ("delete",) == connection.execute("PRAGMA journal_mode").fetchone()
    with closing(open_database(path, SCHEMA)) as connection:
        assert ("truncate",) == connection.execute("PRAGMA journal_mode").fetchone()
        assert (2,) == connection.execute("PRAGMA synchronous").fetchone()


def _no_database(path: Path) -> None:
    path.write_text("this is a text file, long enough to be looked at\n" * 50)


def _newer_schema(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def _other_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE spending")


@pytest.mark.parametrize("break_it", [_no_database, _newer_schema, _other_table])
def test_a_broken_or_newer_file_is_moved_aside_and_begun_anew(
    path: Path, break_it: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    break_it(path)

    assert 0 == _spent(path)

    (aside,) = [file.name for file in path.parent.iterdir() if file.name.endswith(".bad")]
    text = f"the record of what was spent was damaged or is from a newer ggtui; it is kept as {aside}"
    assert [text] == caplog.messages

    _add(path, 5)

    assert 5 == _spent(path)


def test_what_could_not_be_written_goes_with_the_next(path: Path) -> None:
    async def scenario() -> None:
        spend = SqliteSpend(path)
        await spend.load("a", 0.0)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute(
                "CREATE TRIGGER full BEFORE INSERT ON spending BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
            await _kept(spend.add("a", 1000.0, 30))  # it is noted: nobody waits for the database
            await spend.load("a", 0.0)
            with pytest.raises(StoreUnavailable, match="full"):
                await _kept(spend.add("a", 1000.0, 200))
            other.execute("DROP TRIGGER full")
        await _kept(spend.add("a", 1000.0, 500))
        await spend.close()

    asyncio.run(scenario())

    assert 737 == _spent(path)
    assert [] == list(path.parent.glob("*-notes-*"))


def test_what_was_spent_within_a_second_is_one_row(path: Path) -> None:
    largest = 2**63 - 1
    spent = [("a", 5.1, 10), ("b", 5.2, 200), ("a", 5.9, 3000), ("a", 6.0, 1), ("b", 5.3, largest)]

    async def scenario() -> None:
        spend = SqliteSpend(path)
        await spend.load("a", 0.0)
        for name, at, cost in spent:
            await _kept(spend.add(name, at, cost))

        assert (SpendEntry(5.9, 3010), SpendEntry(6.0, 1)) == (await spend.load("a", 0.0))[:2]
        assert (SpendEntry(5.2, 200), SpendEntry(5.3, largest)) == await spend.load("b", 0.0)

        await spend.close()

    asyncio.run(scenario())


def test_what_the_database_never_took_is_noted_for_the_next_run(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON spending BEGIN SELECT RAISE(ABORT, 'full'); END")

    async def scenario() -> None:
        spend = SqliteSpend(path)
        await spend.load("a", 0.0)
        await _kept(spend.add("a", 1000.0, 30))
        await spend.close()

    asyncio.run(scenario())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("DROP TRIGGER full")

    assert 37 == _spent(path)
    assert 37 == _spent(path)
    assert [] == list(path.parent.glob("*-notes-*"))


def test_notes_count_once_although_the_database_has_some_of_them(path: Path) -> None:
    with closing(open_database(path, SCHEMA)) as connection:
        connection.execute("INSERT INTO noted VALUES ('run', 2)")
    notes = [["run", 1, "a", 1000.0, 10], ["run", 3, "a", 1000.0, 500], ["run", 2, "a", 1000.0, 20]]
    lines = [f"\n{json.dumps(note)}\n" for note in notes]
    (path.parent / f"{path.name}-notes-run-0").write_text("".join(lines) + '\n["run", 4, "a", 10')
    (path.parent / f"{path.name}-notes-run-1").write_text("\n".join(["", "{}", "[]", "7", '["run"]']))

    assert 507 == _spent(path)
    assert 507 == _spent(path)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")

    async def scenario() -> None:
        spend = SqliteSpend(tmp_path / "data" / "spending.sqlite3")
        with pytest.raises(StoreUnavailable, match=r"spending\.sqlite3"):
            await _kept(spend.add("a", 1000.0, 1))
        await spend.close()

    asyncio.run(scenario())


def test_nothing_is_made_for_nothing(tmp_path: Path) -> None:
    asyncio.run(SqliteSpend(tmp_path / "data" / "spending.sqlite3").close())

    assert [] == list(tmp_path.iterdir())


def test_a_cost_that_no_file_holds_does_not_stop_what_comes_after(tmp_path: Path) -> None:
    async def scenario() -> None:
        for _ in range(2):
            spend = SqliteSpend(tmp_path / "spending.sqlite3")
            for cost_pusd in (1 << 70, 7):
                if (work := spend.add("a", 1000.0, cost_pusd)) is not None:
                    await work
            await spend.close()
        spend = SqliteSpend(tmp_path / "spending.sqlite3")
        kept = await spend.load("a", 0.0)
        await spend.close()

        assert [7, 7, 2**63 - 1, 2**63 - 1] == sorted(entry.cost_pusd for entry in kept)

    asyncio.run(scenario())


def test_what_is_covered_by_a_note_is_no_more_than_a_row_holds(path: Path) -> None:
    largest = 2**63 - 1

    async def scenario() -> None:
        spend = SqliteSpend(path)
        await spend.load("a", 0.0)
        for share in (0.5, 0.4, 0.2):
            await _kept(spend.add("a", 1000.1, int(largest * share)))
        await _kept(spend.add("b", 1000.1, 5))
        await spend.close()

        assert (SpendEntry(1000.1, 5),) == await SqliteSpend(path).load("b", 0.0)

    asyncio.run(scenario())
