"""A download that this process carries out by itself: it alone, to its end, and paused by who leaves."""

from __future__ import annotations

import asyncio
import multiprocessing
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.downloads.queue import SqliteDownloads
from ggtui.cli.kept_downloads import KeptDownloads, carried
from ggtui.cli.own_reconciliation import opened_reconciliation, queue_file
from ggtui.config.load import load
from ggtui.core.downloads.jobs import Job, JobKind, JobState
from ggtui.core.errors import DownloadNotFound, RemoteRefused, RemoteUnreachable, StoreUnavailable
from tests.services.downloads.rig import A, B, C, Rig, run, settled

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.config.schema import Config


async def _begun(rig: Rig, model: str, shown: list[Job]) -> asyncio.Task[Job]:
    """Somebody carries this one out, behind others that wait for a ggtui."""
    await rig.book.start()
    for each in (B, C, model):
        await rig.book.add(each, by_person=True)
    number = rig.job(model).number
    task = asyncio.create_task(carried(rig.book, number, shown.append))
    await settled()
    return task


def test_it_comes_before_those_that_wait_and_they_go_on_waiting() -> None:
    async def check() -> None:
        rig, shown = Rig(), list[Job]()
        task = await _begun(rig, A, shown)
        only = rig.fetching
        await rig.reach(A, 1000, came=1000)
        await rig.advance(1)
        await rig.end(A)
        done = await task

        assert ([A], JobState.DONE, done) == (only, done.state, shown[-1])
        assert 1000 in [job.completed_bytes for job in shown]
        assert {A} == {job.model for job in shown}
        assert [JobState.PENDING, JobState.PENDING] == [rig.state(B), rig.state(C)]

    run(check)


def test_what_may_pass_is_waited_for_and_no_other_one_is_begun() -> None:
    async def check() -> None:
        rig, shown = Rig(), list[Job]()
        task = await _begun(rig, A, shown)
        await rig.end(A, RemoteUnreachable("no answer"))
        between = rig.fetching
        await rig.advance(1)
        waiting = shown[-1]
        await rig.advance(5)
        again = rig.fetching
        await rig.end(A)

        assert ([], [A], JobState.DONE) == (between, again, (await task).state)
        assert (JobState.PENDING, "no answer") == (waiting.state, waiting.why)

    run(check)


def test_what_is_refused_for_good_ends_it() -> None:
    async def check() -> None:
        rig = Rig()
        task = await _begun(rig, A, [])
        await rig.end(A, RemoteRefused("gone"))
        ended = await task

        assert (JobState.FAILED, "gone") == (ended.state, ended.why)

    run(check)


def test_whoever_leaves_pauses_it() -> None:
    async def check() -> None:
        rig = Rig()
        task = await _begun(rig, A, [])
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert (JobState.PAUSED, []) == (rig.state(A), rig.fetching)
        assert JobState.PAUSED is rig.queue.kept[rig.job(A).number].state

    run(check)


def test_one_that_is_taken_out_meanwhile_ends_it() -> None:
    async def check() -> None:
        rig, shown = Rig(), list[Job]()
        task = await _begun(rig, A, shown)
        await rig.advance(1)
        await rig.book.remove(rig.job(A).number)
        await settled()

        assert A == (await task).model

    run(check)


# The queue on disk


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load({"data_dir": str(tmp_path / "data")})


def test_what_is_added_is_kept_for_the_next_one(config: Config) -> None:
    added = KeptDownloads(config).add("o/r:Q8_0", "local", "main")["download"]

    assert [added] == KeptDownloads(config).queue()["downloads"]


def test_orders_are_kept(config: Config) -> None:
    desk = KeptDownloads(config)
    for name in ("o/r:A", "o/r:B"):
        desk.add(name, "local", "main")

    desk.order(1, "pause")
    desk.order(2, "move", 0)

    assert [("o/r:B", "pending"), ("o/r:A", "paused")] == [
        (each["model"], each["state"]) for each in desk.queue()["downloads"]
    ]


def test_a_look_makes_no_file(config: Config) -> None:
    assert [] == KeptDownloads(config).queue()["downloads"]
    assert not config.data_dir.exists()


def test_a_number_that_is_not_there_is_told(config: Config) -> None:
    with pytest.raises(DownloadNotFound):
        KeptDownloads(config).order(7, "pause")


def _hold(
    file: Path, is_held: multiprocessing.synchronize.Event, may_go: multiprocessing.synchronize.Event
) -> None:
    async def hold() -> None:
        queue = SqliteDownloads(file)
        await queue.add(Job(0, JobKind.HUB, "o/r:A", "local"))
        is_held.set()
        may_go.wait(20)
        await queue.close()

    asyncio.run(hold())


def test_beside_another_process_one_download_is_kept_nowhere(config: Config) -> None:
    config.data_dir.mkdir()
    context = multiprocessing.get_context("spawn")
    is_held, may_go = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(queue_file(config), is_held, may_go))
    other.start()
    assert is_held.wait(20)

    async def alone() -> int:
        async with opened_reconciliation(config, must_keep=False) as services:
            return (await services.downloads.add("o/r:B", by_person=True)).number

    try:
        with pytest.raises(StoreUnavailable):
            KeptDownloads(config).add("o/r:B", "local", "main")
        with pytest.raises(StoreUnavailable, match="another ggtui works on the queue"):
            KeptDownloads(config).queue()
        number = asyncio.run(alone())
    finally:
        may_go.set()
        other.join(20)

    assert 1 == number
    assert ["o/r:A"] == [each["model"] for each in KeptDownloads(config).queue()["downloads"]]
