"""What every queue of downloads promises."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import pytest

from ggtui.adapters.downloads.queue import SqliteDownloads
from ggtui.adapters.memory.downloads import MemoryDownloads
from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.downloads.jobs import FilePart, Job, JobKind, JobState
from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.core.ports.downloads import DownloadQueuePort

NEW = Job(0, JobKind.HUB, "owner/repo:Q4_K_M", THIS_MACHINE, created_at=1000.25)
PARTS = (
    FilePart("folder/a-00001-of-00002.gguf", 5_000_000_000, "ab" * 32, 4_999_999_999),
    FilePart("folder/a-00002-of-00002.gguf", 7, "cd" * 32),
)
WHOLE = replace(
    NEW,
    kind=JobKind.PULL,
    model="llama3:latest",
    backend="box",
    base_url="http://127.0.0.1:11434",
    by_person=True,
    revision="v1",
    commit="c" * 40,
    files=PARTS,
    status="verifying — é",
    digest="sha256:" + "ab" * 32,
    completed_bytes=4_999_999_999,
    total_bytes=5_000_000_007,
    why="why",
    hint="hint",
    ended_at=2000.5,
)


class NextRun(Protocol):
    """The queue of one more run of ggtui on the same data."""

    def __call__(self) -> DownloadQueuePort: ...


@pytest.fixture(params=["memory", "sqlite"])
def next_run(request: pytest.FixtureRequest, tmp_path: Path) -> NextRun:
    if request.param == "sqlite":
        return lambda: SqliteDownloads(tmp_path / "data" / "downloads.sqlite3")
    runs = [MemoryDownloads()]

    def begin() -> MemoryDownloads:
        runs.append(MemoryDownloads(runs[-1].kept.values(), last_number=runs[-1].last_number))
        return runs[-1]

    return begin


async def kept_by(queue: DownloadQueuePort) -> tuple[Job, ...]:
    jobs = await queue.load()
    await queue.close()
    return jobs


def test_what_is_kept_is_there_in_the_next_run_whole(next_run: NextRun) -> None:
    async def scenario() -> None:
        first = next_run()

        assert () == await first.load()

        one, other = await first.add(NEW), await first.add(WHOLE)
        await first.close()

        assert [(1, 0), (2, 1)] == [(each.number, each.position) for each in (one, other)]
        assert (one, other) == await kept_by(next_run())

    asyncio.run(scenario())


def test_jobs_come_in_the_order_that_a_person_gave_them(next_run: NextRun) -> None:
    async def scenario() -> None:
        first = next_run()
        jobs = [await first.add(replace(NEW, model=f"owner/repo:Q{n}")) for n in range(3)]
        places = zip(jobs, (2, 0, 1), strict=True)
        await first.keep(*(replace(job, position=position) for job, position in places))
        await first.close()

        assert [2, 3, 1] == [job.number for job in await kept_by(next_run())]

    asyncio.run(scenario())


def test_a_new_one_comes_behind_the_others(next_run: NextRun) -> None:
    async def scenario() -> None:
        queue = next_run()
        first = await queue.add(NEW)
        await queue.keep(replace(first, position=7))

        assert 8 == (await queue.add(WHOLE)).position

        await queue.close()

    asyncio.run(scenario())


def test_one_that_ran_is_pending_and_one_that_was_paused_is_paused(next_run: NextRun) -> None:
    async def scenario() -> None:
        first = next_run()
        ran, held = await first.add(NEW), await first.add(WHOLE)
        await first.keep(
            replace(ran, state=JobState.RUNNING, rate=10.0, left_s=5.0, completed_bytes=3),
            replace(held, state=JobState.PAUSED),
        )
        await first.close()
        expected = (
            replace(ran, state=JobState.PENDING, completed_bytes=3),
            replace(held, state=JobState.PAUSED),
        )
        for _ in range(2):
            assert expected == await kept_by(next_run())

    asyncio.run(scenario())


def test_a_removed_one_is_gone_and_its_number_too(next_run: NextRun) -> None:
    async def scenario() -> None:
        first = next_run()
        one, other = await first.add(NEW), await first.add(WHOLE)
        await first.remove(other.number)
        await first.remove(other.number)
        await first.keep(replace(other, completed_bytes=1))
        await first.close()
        second = next_run()

        assert (one,) == await second.load()
        assert 3 == (await second.add(WHOLE)).number

        await second.close()

    asyncio.run(scenario())


def test_nothing_is_kept_after_its_end(next_run: NextRun) -> None:
    async def scenario() -> None:
        queue = next_run()
        await queue.close()
        await queue.close()
        for call in (queue.load(), queue.add(NEW), queue.keep(NEW), queue.remove(1)):
            with pytest.raises(StoreUnavailable):
                await call

    asyncio.run(scenario())
