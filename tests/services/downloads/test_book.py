"""What a person and a cycle may ask of downloads, and what stays as it was asked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.memory.downloads import MemoryDownloads
from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.downloads.jobs import Job, JobKind, JobState
from ggtui.core.errors import (
    BackendNotFound,
    DownloadNotFound,
    FileCorrupt,
    InvalidRequest,
    StoreUnavailable,
)
from tests.services.downloads.rig import BOX, A, B, C, Rig, next_run, run, running, settled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PENDING, RUNNING, PAUSED, DONE, FAILED = JobState


def test_one_job_for_each_model_however_it_is_spelled() -> None:
    async def scenario() -> None:
        rig = Rig()
        first = await rig.book.add(A, by_person=True)

        assert first == await rig.book.add(A.upper(), by_person=True)

        pull = await rig.book.add("llama3", backend="box", by_person=False)

        assert pull == await rig.book.add("llama3:latest", backend="box", by_person=False)
        assert JobKind.PULL == pull.kind
        assert BOX.base_url == pull.base_url
        assert [A, "llama3"] == rig.models

        other = await rig.book.add("llama3:8b", backend="box", by_person=False)

        assert pull.number != other.number

    run(scenario)


def test_two_that_ask_for_the_same_at_once_get_one_job(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        rig = Rig()
        add = rig.queue.add

        async def slow(job: Job) -> Job:
            await asyncio.sleep(0)
            return await add(job)

        monkeypatch.setattr(rig.queue, "add", slow)
        jobs = await asyncio.gather(*(rig.book.add(A, by_person=True) for _ in range(5)))

        assert {1} == {job.number for job in jobs}
        assert 1 == len(rig.queue.kept)

    run(scenario)


def test_first_come_first_served_and_as_many_at_once_as_may() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A, B, C)

            assert [A, B] == rig.fetching
            assert PENDING == rig.state(C)

            await rig.end(A)

            assert [B, C] == rig.fetching
            assert [A] == rig.done

            await rig.end(C)
            await rig.end(B)

            assert [A, C, B] == rig.done
            assert [DONE] * 3 == [job.state for job in rig.book.jobs]

    run(scenario)


def test_a_person_changes_the_order() -> None:
    async def scenario() -> None:
        async with running(Rig(parallel=1)) as rig:
            await rig.add(A, B, C)
            await rig.book.move(rig.job(C).number, 0)

            assert [C, A, B] == rig.models

            await rig.end(A)

            assert [C] == rig.fetching

            await rig.book.move(rig.job(C).number, 99)

            assert [A, B, C] == rig.models

        assert [A, B, C] == [job.model for job in await rig_jobs(rig)]

    run(scenario)


async def rig_jobs(rig: Rig) -> tuple[Job, ...]:
    """As the next start has them."""
    again = next_run(rig)
    await again.book.start()
    jobs = again.book.jobs
    await again.book.stop()
    return jobs


def test_a_paused_one_keeps_what_is_there_and_goes_on_when_it_is_resumed() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            await rig.reach(A, 700)
            await rig.book.pause(1)
            await settled()

            assert [] == rig.fetching
            assert (PAUSED, 700) == (rig.state(A), rig.job(A).completed_bytes)
            assert rig.book.is_held(THIS_MACHINE, A)

            await rig.book.resume(1)
            await settled()

            assert [A] == rig.fetching
            assert [A] == rig.hub.asked  # it is the same commit
            assert 700 == rig.hub.fetching[A].job.completed_bytes
            assert not rig.book.is_held(THIS_MACHINE, A)

    run(scenario)


def test_what_is_shown_as_paused_is_kept_so_already(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            may_write, keep = asyncio.Event(), rig.queue.keep

            async def slow(*jobs: Job) -> None:
                await may_write.wait()
                await keep(*jobs)

            monkeypatch.setattr(rig.queue, "keep", slow)
            pausing = asyncio.create_task(rig.book.pause(1))
            await settled()
            await rig.reach(A, 700)

            assert (RUNNING, RUNNING) == (rig.state(A), rig.queue.kept[1].state)

            may_write.set()
            await pausing

            assert (PAUSED, PAUSED) == (rig.state(A), rig.queue.kept[1].state)
            assert 700 == rig.queue.kept[1].completed_bytes
            assert [] == rig.fetching

    run(scenario)


@pytest.mark.parametrize("ask", ["resume", "add"])
def test_a_resume_that_comes_during_a_pause_is_the_last_word(
    monkeypatch: pytest.MonkeyPatch, ask: str
) -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            may_write, keep = asyncio.Event(), rig.queue.keep

            async def slow(*jobs: Job) -> None:
                await may_write.wait()
                await keep(*jobs)

            monkeypatch.setattr(rig.queue, "keep", slow)
            pausing = asyncio.create_task(rig.book.pause(1))
            await settled()
            again = rig.book.resume(1) if ask == "resume" else rig.book.add(A, by_person=True)
            resuming = asyncio.create_task(again)
            await settled()
            may_write.set()
            await asyncio.gather(pausing, resuming)
            await settled()

            assert (RUNNING, [A]) == (rig.state(A), rig.fetching)

    run(scenario)


def test_no_kill_can_take_back_a_pause_that_was_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            keep = rig.queue.keep
            seen: list[tuple[JobState, JobState]] = []

            async def watched(*jobs: Job) -> None:
                seen.append((rig.state(A), jobs[0].state))
                await keep(*jobs)

            monkeypatch.setattr(rig.queue, "keep", watched)
            await rig.book.pause(1)

            assert (RUNNING, PAUSED) == seen[0]

    run(scenario)


def test_what_could_not_be_written_goes_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with running(Rig(parallel=1)) as rig:
            await rig.add(A, B)
            rig.queue.failure = "disk is full"
            await rig.end(A)
            rig.queue.failure = ""
            await rig.book.pause(2)

            assert [DONE, PAUSED] == [job.state for job in rig.queue.kept.values()]

    run(scenario)


def test_one_that_is_done_while_it_is_paused_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            may_write, keep = asyncio.Event(), rig.queue.keep

            async def slow(*jobs: Job) -> None:
                await may_write.wait()
                await keep(*jobs)

            monkeypatch.setattr(rig.queue, "keep", slow)
            pausing = asyncio.create_task(rig.book.pause(1))
            await settled()
            await rig.end(A)
            may_write.set()
            await pausing

            assert (DONE, DONE) == (rig.state(A), rig.queue.kept[1].state)

    run(scenario)


@pytest.mark.parametrize("state", [PENDING, RUNNING, FAILED])
def test_cancelled_it_stays_so_over_cycles_and_restarts(state: JobState) -> None:
    async def scenario() -> None:
        rig = Rig(parallel=0 if state is PENDING else 1)
        async with running(rig):
            await rig.add(A, by_person=False)
            if state is FAILED:
                await rig.end(A, FileCorrupt("wrong"))

            assert state == rig.state(A)

            await rig.book.cancel(1)
            await settled()
        for _ in range(2):
            rig = next_run(rig)
            async with running(rig):
                for _ in range(3):
                    await rig.add(A, by_person=False)
                    await rig.advance(400)

                    assert (PAUSED, []) == (rig.state(A), rig.fetching)

                assert rig.book.is_held(THIS_MACHINE, A)
        async with running(next_run(rig)) as rig:
            await rig.add(A)

            assert [A] == rig.fetching

    run(scenario)


def test_a_cycle_leaves_a_failed_one_alone_and_a_person_does_not() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A, by_person=False)
            await rig.reach(A, 1000, 500)
            await rig.end(A, FileCorrupt("the file is another", hint="ask its owner"))
            for _ in range(3):
                await rig.add(A, by_person=False)

            job = rig.job(A)
            assert (FAILED, "the file is another", "ask its owner") == (job.state, job.why, job.hint)
            assert [] == rig.fetching

            await rig.book.resume(1)
            await settled()

            assert [A] == rig.fetching
            assert 0 == rig.job(A).completed_bytes  # what was there was wrong
            assert [A, A] == rig.hub.asked

    run(scenario)


def test_a_cycle_takes_up_again_what_is_done_and_has_gone() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            await rig.end(A)
            await rig.add(A, by_person=False)

            assert [A] == rig.fetching
            assert 1 == len(rig.book.jobs)

    run(scenario)


def test_a_backend_at_another_address_is_another_declaration() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add("llama3", backend="box", by_person=False)
            await rig.book.cancel(1)
            await rig.add("llama3", backend="box", by_person=False)

            assert PAUSED == rig.state("llama3")

            rig.backends = (replace(BOX, base_url="http://127.0.0.1:9"),)
            await rig.add("llama3", backend="box", by_person=False)

            assert RUNNING == rig.state("llama3")
            assert "http://127.0.0.1:9" == rig.puller.pulling["box", "llama3"].backend.base_url

    run(scenario)


def test_another_revision_is_fetched_from_its_start() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            await rig.reach(A, 1000)
            await rig.add(A, revision="v2")

            job = rig.hub.fetching[A].job
            assert ("v2", 0, 1) == (job.revision, job.completed_bytes, job.number)

    run(scenario)


def test_a_removed_one_is_stopped_and_gone() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A, B)
            fetching = rig.hub.fetching[A]
            await rig.book.remove(1)
            fetching.reach(1000)
            await settled()

            assert [B] == rig.models
            assert [B] == rig.fetching
            assert [2] == list(rig.queue.kept)

    run(scenario)


def test_what_is_declared_is_held_rather_than_removed_and_goes_with_its_declaration() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.book.declare([(THIS_MACHINE, A), ("box", "llama3:latest")])
            await rig.add(A, by_person=False)
            await rig.add("llama3", backend="box", by_person=False)
            await rig.add(B)
            await rig.book.remove(1)
            await settled()

            assert (PAUSED, True) == (rig.state(A), rig.book.is_held(THIS_MACHINE, A))

            await rig.book.declare([("box", "llama3")])

            assert ["llama3", B] == rig.models

            await rig.book.declare([])
            await settled()

            assert [B] == rig.models
            assert not rig.puller.pulling

            await rig.book.declare([(THIS_MACHINE, A)])
            await rig.add(A, by_person=False)

            assert RUNNING == rig.state(A)

    run(scenario)


def test_what_a_person_holds_goes_on_when_it_is_declared_anew() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A, B)
            await rig.book.cancel(1)
            await rig.end(B, FileCorrupt("wrong"))
            await rig.book.declare([(THIS_MACHINE, A), (THIS_MACHINE, B)])

            assert [PAUSED, FAILED] == [job.state for job in rig.book.jobs]  # it was declared all along

            await rig.book.declare([(THIS_MACHINE, B)])
            await rig.book.declare([(THIS_MACHINE, A), (THIS_MACHINE, B)])
            await settled()

            assert (RUNNING, FAILED) == (rig.state(A), rig.state(B))

    run(scenario)


@pytest.mark.parametrize(
    ("backend", "model", "kind"),
    [("nobody", "a", BackendNotFound), ("gpu", "a", InvalidRequest), (THIS_MACHINE, " ", InvalidRequest)],
)
def test_what_nobody_can_fetch_is_refused(backend: str, model: str, kind: type[Exception]) -> None:
    async def scenario() -> None:
        rig = Rig()
        with pytest.raises(kind):
            await rig.book.add(model, backend=backend, by_person=True)

        assert () == rig.book.jobs

    run(scenario)


ORDERS: list[Callable[[Rig], Awaitable[None]]] = [
    lambda rig: rig.book.pause(7),
    lambda rig: rig.book.cancel(7),
    lambda rig: rig.book.resume(7),
    lambda rig: rig.book.remove(7),
    lambda rig: rig.book.move(7, 0),
]


@pytest.mark.parametrize("order", ORDERS)
def test_a_number_that_is_none_is_told(order: Callable[[Rig], Awaitable[None]]) -> None:
    async def scenario() -> None:
        with pytest.raises(DownloadNotFound):
            await order(Rig())

    run(scenario)


def test_orders_for_what_has_ended_change_nothing() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            await rig.end(A)
            before = rig.book.jobs
            await rig.book.pause(1)
            await rig.book.cancel(1)
            await rig.book.resume(1)
            await settled()

            assert before == rig.book.jobs

    run(scenario)


def test_a_queue_that_cannot_be_read_is_read_later() -> None:
    async def scenario() -> None:
        rig = Rig()
        await rig.add(A)
        locked = next_run(rig)
        locked.queue.failure = "another ggtui works on it"
        async with running(locked):
            assert () == locked.book.jobs
            assert "another ggtui works on it" == locked.book.problem
            with pytest.raises(StoreUnavailable):
                await locked.book.add(B, by_person=True)
            await locked.advance(11)
            locked.queue.failure = ""
            await locked.advance(10)

            assert [A] == locked.fetching
            assert "" == locked.book.problem

    run(scenario)


def test_on_a_full_disk_work_goes_on_and_is_written_when_there_is_room() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A, B)
            rig.queue.failure = "database or disk is full"
            with pytest.raises(StoreUnavailable):
                await rig.book.cancel(2)
            await rig.end(A)

            assert [DONE, PAUSED] == [job.state for job in rig.book.jobs]
            assert [] == rig.fetching
            assert "database or disk is full" == rig.book.problem

            rig.queue.failure = ""
            await rig.book.move(1, 1)

            assert [PAUSED, DONE] == [rig.queue.kept[number].state for number in (2, 1)]
            assert "" == rig.book.problem

    run(scenario)


def test_what_runs_when_ggtui_ends_goes_on_with_its_next_start() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A, C)
            await rig.reach(A, 400)
            await rig.book.pause(2)

        assert [PENDING, PAUSED] == [job.state for job in rig.queue.kept.values()]
        async with running(next_run(rig)) as rig:
            await settled()

            assert [A] == rig.fetching
            assert 400 == rig.job(A).completed_bytes

    run(scenario)


def test_stopping_what_was_never_started_is_well() -> None:
    async def scenario() -> None:
        rig = Rig(MemoryDownloads())
        await rig.loop.stop()
        await rig.book.stop()

        assert () == rig.book.jobs

    run(scenario)
