"""What is missing is queued once, one at a time on each backend, and never against a person's will."""

from __future__ import annotations

import pytest

from ggtui.core.backends.backend import THIS_MACHINE, DeclaredModel
from ggtui.core.backends.rows import RowState
from ggtui.core.downloads.jobs import JobState
from ggtui.core.errors import StoreUnavailable
from tests.services.backends.rig import Rig, declared, ollama, run, vllm

TWO = declared(ollama("pond", "llama3", "qwen:0.5b"))


def test_of_two_missing_models_one_is_queued_and_both_arrive_over_cycles() -> None:
    async def scenario() -> None:
        rig = Rig(TWO)
        for _ in range(3):
            await rig.cycle()

        assert [("pond", "llama3", False)] == rig.downloads.added
        assert "http://pond:11434" == rig.downloads.jobs[0].base_url
        assert {
            ("pond", "llama3"): RowState.DOWNLOADING,
            ("pond", "qwen:0.5b"): RowState.MISSING,
        } == rig.rows()

        rig.downloads.set(1, JobState.DONE, rig.clock.unix())
        rig.clock.advance(1)
        rig.observer.has = {"pond": ("llama3:latest",)}
        await rig.cycle()

        assert ("pond", "qwen:0.5b", False) == rig.downloads.added[-1]
        assert 2 == len(rig.downloads.added)

    run(scenario())


def test_all_that_is_missing_on_this_disk_is_queued_and_nothing_where_nothing_can_be_pulled() -> None:
    async def scenario() -> None:
        models = tuple(DeclaredModel(name, repository=f"me/{name}:Q4_K_M") for name in ("a", "b", "c"))
        rig = Rig(declared(vllm("box", "qwen"), models=models), on_disk={"me/b:Q4_K_M"})
        await rig.cycle()
        await rig.cycle()

        expected = [(THIS_MACHINE, "me/a:Q4_K_M", False), (THIS_MACHINE, "me/c:Q4_K_M", False)]
        assert expected == rig.downloads.added
        assert RowState.IN_SYNC == rig.rows()[THIS_MACHINE, "b"]
        assert RowState.DOWNLOADING == rig.rows()[THIS_MACHINE, "a"]

    run(scenario())


def test_a_backend_in_error_is_asked_to_fetch_nothing() -> None:
    async def scenario() -> None:
        rig = Rig(TWO)
        rig.observer.errors = {"pond": "connection refused"}
        await rig.cycle()

        assert [] == rig.downloads.added

    run(scenario())


def test_the_download_of_a_person_does_not_keep_a_cycle_from_queueing_one() -> None:
    async def scenario() -> None:
        rig = Rig(TWO)
        await rig.downloads.add("other", backend="pond", by_person=True)
        await rig.cycle()
        await rig.cycle()

        assert [("pond", "other", True), ("pond", "llama3", False)] == rig.downloads.added

    run(scenario())


@pytest.mark.parametrize("state", [JobState.PAUSED, JobState.FAILED])
def test_what_was_cancelled_or_failed_for_good_stays_so_and_the_next_goes_on(state: JobState) -> None:
    async def scenario() -> None:
        rig = Rig(TWO)
        await rig.cycle()
        rig.downloads.set(1, state)
        for _ in range(3):
            await rig.cycle()

        assert [("pond", "llama3", False), ("pond", "qwen:0.5b", False)] == rig.downloads.added
        expected = RowState.PAUSED if state is JobState.PAUSED else RowState.ERROR
        assert expected == rig.rows()["pond", "llama3"]

    run(scenario())


def test_what_a_person_holds_is_not_queued_although_it_has_no_job() -> None:
    async def scenario() -> None:
        rig = Rig(TWO)
        rig.downloads.held = {("pond", "llama3")}
        await rig.cycle()

        assert [("pond", "qwen:0.5b", False)] == rig.downloads.added

    run(scenario())


def test_the_downloads_hear_once_what_is_declared() -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("box", "b", "a"), models=(DeclaredModel("c", repository="me/c"),)))
        await rig.cycle()
        await rig.cycle()
        rig.book.take(declared(vllm("box", "a")))
        await rig.cycle()

        expected = [[("box", "a"), ("box", "b"), (THIS_MACHINE, "me/c")], [("box", "a")]]
        assert expected == rig.downloads.told

    run(scenario())


def test_what_is_declared_no_more_is_taken_back_also_when_nothing_is_left() -> None:
    async def scenario() -> None:
        rig = Rig(TWO)
        await rig.cycle()

        assert not rig.book.is_idle

        rig.book.take(declared())

        assert not rig.book.is_idle

        await rig.cycle()

        assert (True, ()) == (rig.book.is_idle, rig.downloads.jobs)

    run(scenario())


def test_what_was_fetched_during_the_look_is_not_fetched_again() -> None:
    async def scenario() -> None:
        rig = Rig(declared(ollama("pond", "llama3")))
        await rig.downloads.add("llama3:latest", backend="pond", by_person=True)
        rig.downloads.set(1, JobState.DONE, rig.clock.unix())
        await rig.cycle()

        assert 1 == len(rig.downloads.added)

    run(scenario())


def test_what_was_fetched_counts_as_downloading_until_a_look_tells() -> None:
    async def scenario() -> None:
        models = (DeclaredModel("mine", repository="me/mine:Q4_K_M"),)
        rig = Rig(declared(ollama("pond", "llama3"), models=models))
        await rig.cycle()
        rig.clock.advance(1)
        for number in (1, 2):
            rig.downloads.set(number, JobState.DONE, rig.clock.unix())

        assert {RowState.DOWNLOADING} == set(rig.rows().values())

        rig.clock.advance(1)
        n_changes = rig.n_changes
        await rig.cycle()

        assert {RowState.MISSING} == set(rig.rows().values())
        assert rig.n_changes > n_changes

    run(scenario())


def test_what_was_fetched_and_does_not_appear_is_not_fetched_for_ever() -> None:
    async def scenario() -> None:
        rig = Rig(declared(ollama("pond", "llama3")))
        await rig.cycle()
        rig.downloads.set(1, JobState.DONE, rig.clock.unix())
        for _ in range(3):
            rig.clock.advance(10)
            await rig.cycle()

        assert 1 == len(rig.downloads.added)

        rig.observer.has = {"pond": ("llama3:latest",)}
        await rig.cycle()
        rig.observer.has = {}
        await rig.cycle()

        assert 2 == len(rig.downloads.added)  # it was there, and somebody deleted it

    run(scenario())


def test_a_queue_that_cannot_be_written_fails_the_cycle_and_the_next_one_tries_again() -> None:
    async def scenario() -> None:
        rig = Rig(TWO)
        rig.downloads.failure = "the disk is full"
        with pytest.raises(StoreUnavailable, match="the disk is full"):
            await rig.cycle()
        rig.downloads.failure = ""
        await rig.cycle()

        assert [("pond", "llama3", False)] == rig.downloads.added

    run(scenario())


def test_a_look_queues_nothing() -> None:
    async def scenario() -> None:
        rig = Rig(TWO)
        await rig.book.look()

        assert [] == rig.downloads.added
        assert {RowState.MISSING} == set(rig.rows().values())

    run(scenario())
