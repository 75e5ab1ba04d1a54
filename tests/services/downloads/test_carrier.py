"""What becomes of a download while it is carried: how far it is, what is tried again, and who is told."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.memory.downloads import MemoryDownloads
from ggtui.core.downloads.jobs import Job, JobKind, JobState
from ggtui.core.errors import BackendError, DiskFull, FileCorrupt, RemoteRefused, RemoteUnreachable
from tests.services.downloads.rig import BOX, KEY, SHARDS, A, B, C, Rig, next_run, run, running, settled

if TYPE_CHECKING:
    from ggtui.core.errors import Failure

PENDING, RUNNING, PAUSED, DONE, FAILED = JobState
GONE = RemoteUnreachable("no answer", hint="look at the network")


def test_a_cycle_carries_one_job_to_its_end() -> None:
    async def scenario() -> None:
        rig = Rig()

        assert not await rig.book.run_download_cycle()

        await rig.add(A, B)
        cycle = asyncio.create_task(rig.book.run_download_cycle())
        await settled()

        assert [A] == rig.fetching
        assert not cycle.done()

        await rig.end(A)

        assert await cycle
        assert [DONE, PENDING] == [job.state for job in rig.book.jobs]
        assert 1 == rig.book.n_due()

    run(scenario)


def test_a_cycle_that_is_cancelled_leaves_its_job_pending() -> None:
    async def scenario() -> None:
        rig = Rig()
        await rig.add(A)
        cycle = asyncio.create_task(rig.book.run_download_cycle())
        await settled()
        cycle.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cycle

        assert [] == rig.fetching
        assert PENDING == rig.state(A)

    run(scenario)


def test_it_is_known_what_is_fetched_before_its_first_byte() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)

            job = rig.hub.fetching[A].job
            assert ("c" * 40, SHARDS, 1500) == (job.commit, job.files, job.total_bytes)
            assert job.commit == rig.queue.kept[1].commit

    run(scenario)


def test_progress_is_shown_with_one_rate_for_everybody() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            await rig.advance(2)
            await rig.reach(A, 200, came=200)
            await rig.advance(2)
            job = rig.job(A)

            assert (200, 1500, "downloading") == (job.completed_bytes, job.total_bytes, job.status)
            assert "sha256:" + "ab" * 32 == job.digest
            assert (50.0, 26.0) == (job.rate, job.left_s)

            await rig.advance(20)

            assert (0.0, None) == (rig.job(A).rate, rig.job(A).left_s)

            await rig.book.pause(1)

            assert (None, None) == (rig.job(A).rate, rig.job(A).left_s)

    run(scenario)


def test_what_lies_on_the_disk_already_is_no_speed() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            await rig.reach(A, 1000)
            await rig.advance(2)

            assert (1000, 0.0) == (rig.job(A).completed_bytes, rig.job(A).rate)

    run(scenario)


def test_progress_never_goes_back_though_a_file_is_begun_again() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            for first, second in ((300, 0), (900, 0), (0, 0), (100, 50), (1000, 0), (1000, 500)):
                await rig.reach(A, first, second)
                await rig.advance(1)
            shown = [jobs[0].completed_bytes for jobs in rig.seen]

            assert sorted(shown) == shown
            assert [300, 900, 950, 1050, 1500] == sorted(set(shown))

    run(scenario)


def test_progress_never_goes_back_over_failures_and_restarts() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            await rig.reach(A, 900)
            await rig.end(A, GONE)
        async with running(next_run(rig)) as rig:
            await settled()
            await rig.reach(A, 0)

            assert 900 == rig.job(A).completed_bytes

    run(scenario)


def test_what_may_pass_is_tried_again_with_growing_waits() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            for wait in (5, 10, 20, 40, 80, 160, 300, 300):
                await rig.end(A, GONE)
                job = rig.job(A)

                assert (PENDING, "no answer", None) == (job.state, job.why, job.ended_at)
                assert f"look at the network; it is tried again in {wait} s" == job.hint

                await rig.advance(wait - 1)

                assert [] == rig.fetching

                await rig.advance(1)

                assert [A] == rig.fetching

            assert ("", "") == (rig.job(A).why, rig.job(A).hint)

    run(scenario)


def test_one_that_waits_keeps_its_place_and_holds_up_no_other() -> None:
    async def scenario() -> None:
        async with running(Rig(parallel=1)) as rig:
            await rig.add(A, B, C)
            await rig.end(A, GONE)

            assert [B] == rig.fetching

            await rig.advance(5)
            await rig.end(B)

            assert [A] == rig.fetching
            assert [A, B, C] == rig.models

    run(scenario)


def test_bytes_between_two_failures_begin_the_waits_anew() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            for wait, came in ((5, 0), (10, 0), (5, 100), (10, 0)):
                await rig.reach(A, came=came)
                await rig.end(A, GONE)

                assert f"look at the network; it is tried again in {wait} s" == rig.job(A).hint

                await rig.advance(wait)

    run(scenario)


def test_bytes_that_were_not_reported_any_more_count_too() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            for came, wait in ((0, 5), (0, 10), (1, 5)):
                rig.hub.fetching[A].allow(came)
                await rig.end(A, GONE)

                assert rig.job(A).hint.endswith(f"in {wait} s")

                await rig.advance(wait)

    run(scenario)


def test_whoever_cycles_by_himself_is_told_when_there_may_be_work() -> None:
    async def scenario() -> None:
        rig, told = Rig(), asyncio.Event()
        await rig.add(A)
        cycle = asyncio.create_task(rig.book.run_download_cycle())
        await settled()
        rig.book.due = told.set
        await rig.end(A)

        assert await cycle
        assert told.is_set()

    run(scenario)


def test_an_answer_that_comes_in_spite_of_another_wish_is_not_taken_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            fetch = rig.hub.fetch

            async def deaf(*args: Any) -> None:
                with suppress(asyncio.CancelledError):
                    await fetch(*args)

            monkeypatch.setattr(rig.hub, "fetch", deaf)
            await rig.add(A)
            await rig.add(A, revision="v2")

            assert (RUNNING, "v2") == (rig.state(A), rig.hub.fetching[A].job.revision)

    run(scenario)


def test_a_person_need_not_wait() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            await rig.end(A, GONE)
            await rig.book.resume(1)
            await settled()

            assert [A] == rig.fetching

            await rig.end(A, GONE)

            assert rig.job(A).hint.endswith("in 5 s")

            await rig.book.pause(1)
            await rig.advance(400)

            assert ([], PAUSED) == (rig.fetching, rig.state(A))

    run(scenario)


@pytest.mark.parametrize(
    "failure",
    [
        RemoteRefused("no such repository", hint="look at its name"),
        FileCorrupt("the checksum is another"),
        DiskFull("3 GiB more room is needed", hint="remove what is not needed"),
    ],
)
def test_what_will_not_pass_ends_with_why_and_what_to_do(failure: Failure) -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            await rig.end(A, failure)
            await rig.advance(1000)
            job = rig.job(A)

            assert (FAILED, failure.message, failure.hint) == (job.state, job.why, job.hint)
            assert job.ended_at is not None
            assert FAILED == rig.queue.kept[1].state
            assert [] == rig.done

    run(scenario)


def test_what_the_hub_does_not_have_fails() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add("owner/repo:Z")

            assert (FAILED, "there is no owner/repo:Z") == (
                rig.state("owner/repo:Z"),
                rig.job("owner/repo:Z").why,
            )

    run(scenario)


def test_a_defect_fails_one_job_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with running(Rig(parallel=1)) as rig:
            await rig.add(A, B)
            await rig.end(A, ZeroDivisionError("a defect"))

            assert (FAILED, "Internal error: ZeroDivisionError") == (rig.state(A), rig.job(A).why)
            assert [B] == rig.fetching

    run(scenario)

    assert "download 1 failed" in caplog.messages


def test_a_subscriber_that_fails_loses_no_job(caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the screen has gone")

    async def scenario() -> None:
        async with running(Rig(parallel=1)) as rig:
            rig.book.changed = fail
            rig.book.finished = fail
            await rig.add(A, B)
            await rig.advance(1)
            await rig.end(A)
            await rig.end(B)

            assert [DONE, DONE] == [job.state for job in rig.queue.kept.values()]

    run(scenario)

    assert "whoever is told of downloads failed" in caplog.messages


def test_whoever_watches_is_told_ten_times_a_second_at_most() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            await rig.advance(1)
            rig.seen.clear()
            for n in range(1000):
                await rig.reach(A, n)
                rig.clock.advance(0.001)

            assert 9 <= len(rig.seen) <= 11

    run(scenario)


def test_progress_is_written_seldom() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            before = rig.queue.n_writes
            for n in range(600):
                await rig.reach(A, n)
                rig.clock.advance(0.1)
            await settled()

            assert 10 <= rig.queue.n_writes - before <= 13
            assert 500 < rig.queue.kept[1].completed_bytes

    run(scenario)


def test_all_downloads_share_one_limit_which_may_change() -> None:
    async def scenario() -> None:
        async with running(Rig(max_bytes_per_s=1000)) as rig:
            await rig.add(A, B)
            one, other = rig.hub.fetching[A], rig.hub.fetching[B]

            assert 0.0 == one.allow(100)
            assert 0.5 == other.allow(500)
            assert 1.0 == one.allow(500)

            rig.book.take(parallel=2, max_bytes_per_s=2000)

            assert 1.25 == other.allow(500)

            rig.book.take(parallel=3, max_bytes_per_s=0)

            assert 0.0 == one.allow(10**9)

            await rig.add(C)

            assert [A, B, C] == rig.fetching

    run(scenario)


def test_bytes_are_counted_from_any_thread() -> None:
    async def scenario() -> None:
        async with running(Rig(max_bytes_per_s=10**12)) as rig:
            await rig.add(A)
            fetching = rig.hub.fetching[A]

            def fetch() -> None:
                for n in range(500):
                    fetching.allow(1)
                    fetching.reach(n)

            await asyncio.gather(*(asyncio.to_thread(fetch) for _ in range(4)))
            await rig.advance(4)

            assert (499, 500.0) == (rig.job(A).completed_bytes, rig.job(A).rate)

    run(scenario)


def test_a_pull_adds_up_its_layers_and_counts_no_layer_that_was_there() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add("llama3", backend="box")
            pulling = rig.puller.pulling["box", "llama3"]

            assert (BOX, KEY) == (pulling.backend, pulling.key)

            pulling.tell("pulling manifest", "", 0, 0)
            pulling.tell("pulling aa", "sha256:aa", 1000, 400)
            await rig.advance(2)
            pulling.tell("pulling aa", "sha256:aa", 1000, 1000)
            pulling.tell("pulling bb", "sha256:bb", 200, 50)
            await rig.advance(2)
            job = rig.job("llama3")

            assert ("pulling bb", "sha256:bb", 1050, 1200) == (
                job.status,
                job.digest,
                job.completed_bytes,
                job.total_bytes,
            )
            assert (150.0, 1.0) == (job.rate, job.left_s)

            pulling.finish()
            await settled()

            assert (DONE, 1200) == (rig.state("llama3"), rig.job("llama3").completed_bytes)
            assert ["llama3"] == rig.done

    run(scenario)


def test_cancelling_ends_a_pull() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add("llama3", backend="box")
            pulling = rig.puller.pulling["box", "llama3"]
            await rig.book.cancel(1)

            assert pulling.ended.cancelled()
            assert {} == rig.puller.pulling

    run(scenario)


def test_a_backend_that_is_down_is_tried_again_and_one_that_has_gone_is_not() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add("llama3", backend="box")
            rig.puller.pulling["box", "llama3"].fail(BackendError("connection refused"))
            await settled()

            assert (PENDING, "connection refused") == (rig.state("llama3"), rig.job("llama3").why)

            rig.backends = ()
            await rig.advance(5)

            assert (FAILED, "backend 'box' is not declared any more") == (
                rig.state("llama3"),
                rig.job("llama3").why,
            )

    run(scenario)


def test_one_that_is_paused_when_it_had_just_been_brought_is_done() -> None:
    async def scenario() -> None:
        async with running(Rig()) as rig:
            await rig.add(A)
            rig.hub.fetching[A].finish()
            await rig.book.pause(1)
            await settled()

            assert rig.state(A) in (DONE, PAUSED)
            assert (rig.state(A) is DONE) == (A in rig.hub.here)

    run(scenario)


def test_one_that_ran_at_a_kill_is_carried_first() -> None:
    async def scenario() -> None:
        killed = Job(1, JobKind.HUB, A, "local", state=RUNNING, position=0, completed_bytes=7)
        waiting = replace(killed, number=2, model=B, state=PENDING, position=1)
        async with running(Rig(MemoryDownloads([killed, waiting]), parallel=1)) as rig:
            await settled()

            assert [A] == rig.fetching

    run(scenario)
