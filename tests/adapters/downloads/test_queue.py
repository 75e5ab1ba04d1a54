"""The queue's file: for one ggtui at a time, whole after a kill at any moment, kept when it is broken."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.downloads.queue import SqliteDownloads
from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.downloads.jobs import Job, JobKind, JobState
from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
NEW = Job(0, JobKind.HUB, "owner/repo:Q4_K_M", THIS_MACHINE)

HOLDER = """
import asyncio, sys
from pathlib import Path
from dataclasses import replace
from ggtui.adapters.downloads.queue import SqliteDownloads
from ggtui.core.downloads.jobs import Job, JobKind, JobState

async def main():
    queue = SqliteDownloads(Path(sys.argv[1]))
    await queue.load()
    job = await queue.add(Job(0, JobKind.HUB, "owner/repo:Q4_K_M", "local"))
    paused = await queue.add(Job(0, JobKind.HUB, "owner/repo:Q8_0", "local"))
    await queue.keep(replace(paused, state=JobState.PAUSED))
    for n in range(1, 1_000_000_000):
        await queue.keep(replace(job, state=JobState.RUNNING, completed_bytes=n))
        print(n, flush=True)

asyncio.run(main())
"""
"""Works on a queue until it is killed, and says what it has kept."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "downloads.sqlite3"


@contextmanager
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that works on the queue; killed at the end, whatever it does then."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def acknowledged(process: subprocess.Popen[str], n_lines: int) -> int:
    """Kill it when it has kept so much; what it has kept last."""
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(n_lines)]
    process.kill()
    return int((lines + process.stdout.read().splitlines())[-1])


async def jobs_of(path: Path) -> tuple[Job, ...]:
    queue = SqliteDownloads(path)
    try:
        return await queue.load()
    finally:
        await queue.close()


@pytest.mark.parametrize("n_lines", [1, 2, 3, 7, 20])
def test_what_was_kept_before_a_kill_is_there_after_it(path: Path, n_lines: int) -> None:
    with holder(path) as process:
        n_kept = acknowledged(process, n_lines)

    ran, held = asyncio.run(jobs_of(path))

    assert JobState.PENDING == ran.state
    assert ran.completed_bytes in (n_kept, n_kept + 1)  # the last one may have been kept and not told of
    assert JobState.PAUSED == held.state


def test_a_second_process_is_told_and_takes_over_when_the_first_was_killed(path: Path) -> None:
    async def scenario() -> None:
        queue = SqliteDownloads(path)
        with holder(path) as process:
            assert process.stdout is not None
            assert process.stdout.readline()
            for call in (queue.load, partial(queue.add, NEW)):
                with pytest.raises(StoreUnavailable) as caught:
                    await call()

                assert "another ggtui works on the queue of downloads" == caught.value.message
            process.kill()
            process.wait()

        assert [1, 2] == [job.number for job in await queue.load()]

        await queue.close()

    asyncio.run(scenario())


def test_the_file_is_for_this_person_alone_and_begins_with_the_first_call(path: Path) -> None:
    queue = SqliteDownloads(path)

    assert not path.exists()

    async def scenario() -> None:
        await queue.load()
        await queue.close()

    asyncio.run(scenario())

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_a_broken_file_is_moved_aside_and_told(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database " * 1000)
    with caplog.at_level(logging.WARNING):
        assert () == asyncio.run(jobs_of(path))

    (aside,) = (each.name for each in path.parent.iterdir() if each.suffix == ".bad")
    expected = f"the queue of downloads was damaged or is from a newer ggtui; it is kept as {aside}"
    assert [expected] == caplog.messages


def test_a_row_that_another_hand_has_written_hides_no_other(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def begin() -> None:
        queue = SqliteDownloads(path)
        for _ in range(3):
            await queue.add(NEW)
        await queue.close()

    asyncio.run(begin())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE jobs SET job = '{}' WHERE number = 1")
        connection.execute("UPDATE jobs SET job = ? WHERE number = 3", (b'{"state": "unheard of"}',))

    assert [replace(NEW, number=2, position=1)] == list(asyncio.run(jobs_of(path)))
    assert 2 == sum("of the queue cannot be read" in message for message in caplog.messages)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    with pytest.raises(StoreUnavailable, match=r"downloads\.sqlite3"):
        asyncio.run(jobs_of(tmp_path / "data" / "downloads.sqlite3"))
