"""Whatever people, cycles, hubs and kills do in whatever order, these things hold."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from ggtui.core.downloads.jobs import JobState
from ggtui.core.errors import DownloadNotFound, FileCorrupt, RemoteUnreachable, StoreUnavailable
from tests.services.downloads.rig import A, B, C, Rig, next_run, run, settled

if TYPE_CHECKING:
    from ggtui.core.downloads.jobs import Job

PARALLEL = 2
NUMBERS = st.integers(1, 4)
MODELS = st.sampled_from([A, B, C])
STEPS = st.one_of(
    st.tuples(st.sampled_from(["wish", "cycle", "finish", "corrupt", "cut"]), MODELS),
    st.tuples(st.sampled_from(["pause", "cancel", "resume", "remove"]), NUMBERS),
    st.tuples(st.just("move"), NUMBERS, st.integers(0, 3)),
    st.tuples(st.just("reach"), MODELS, st.integers(0, 1000)),
    st.tuples(st.just("wait"), st.sampled_from([1, 7, 400])),
    st.tuples(st.sampled_from(["kill", "restart", "full", "room"])),
)


class Story:
    """Runs of ggtui one after the other on the same queue, and what must hold of each."""

    def __init__(self) -> None:
        self.rig = Rig(parallel=PARALLEL)
        self.shown: dict[int, Job] = {}

    async def begin(self) -> None:
        await self.rig.book.start()
        await self.rig.loop.start()
        await settled()

    async def end(self) -> None:
        await self.rig.loop.stop()
        await self.rig.book.stop()

    async def do(self, what: str, *args: int | str) -> None:
        """One step; what is refused, is refused."""
        act = getattr(self, f"_{what}", None) or getattr(self.rig.book, what)
        with suppress(DownloadNotFound, StoreUnavailable):
            await act(*args)
        await settled()
        self.check()

    async def _wish(self, model: str) -> None:
        await self.rig.book.add(model, by_person=True)

    async def _cycle(self, model: str) -> None:
        before = next((job.state for job in self.rig.book.jobs if job.model == model), None)
        job = await self.rig.book.add(model, by_person=False)
        if before in (JobState.PAUSED, JobState.FAILED):
            assert before is job.state

    async def _finish(self, model: str) -> None:
        if model in self.rig.hub.fetching:
            await self.rig.end(model)

    async def _corrupt(self, model: str) -> None:
        if model in self.rig.hub.fetching:
            await self.rig.end(model, FileCorrupt("wrong"))

    async def _cut(self, model: str) -> None:
        if model in self.rig.hub.fetching:
            await self.rig.end(model, RemoteUnreachable("gone"))

    async def _reach(self, model: str, n: int) -> None:
        if model in self.rig.hub.fetching:
            await self.rig.reach(model, n, came=10)

    async def _wait(self, seconds: int) -> None:
        for _ in range(3):
            self.rig.clock.advance(seconds / 3)
            await settled()

    async def _full(self) -> None:
        self.rig.queue.failure = "disk is full"

    async def _room(self) -> None:
        self.rig.queue.failure = ""

    async def _kill(self) -> None:
        """What is kept at this moment is all that the next run knows."""
        kept = {job.number: job.state for job in self.rig.queue.kept.values()}
        killed, self.rig = self.rig, next_run(self.rig, parallel=PARALLEL)
        await killed.loop.stop()
        await killed.book.stop()
        self.shown = {}
        await self.begin()
        now = {job.number: job.state for job in self.rig.book.jobs}

        assert set(kept) == set(now)
        assert all(now[n] is kept[n] for n in kept if kept[n] in (JobState.PAUSED, JobState.FAILED))

    async def _restart(self) -> None:
        before = {job.number: (job.model, job.state.is_open) for job in self.rig.book.jobs}
        self.rig.queue.failure = ""
        await self.end()
        self.rig = next_run(self.rig, parallel=PARALLEL)
        self.shown = {}
        await self.begin()

        assert before == {job.number: (job.model, job.state.is_open) for job in self.rig.book.jobs}

    def check(self) -> None:
        jobs = self.rig.book.jobs
        running = [job for job in jobs if job.state is JobState.RUNNING]

        assert len(running) <= PARALLEL
        assert sorted(self.rig.fetching) == sorted(job.model for job in running)
        assert len(jobs) == len({job.model for job in jobs})
        assert list(jobs) == sorted(jobs, key=lambda job: (job.position, job.number))
        for job in jobs:
            assert 0 <= job.completed_bytes <= max(job.total_bytes, job.completed_bytes)
            if (before := self.shown.get(job.number)) and before.state.is_open and job.state.is_open:
                assert before.revision != job.revision or before.completed_bytes <= job.completed_bytes
            if job.state is not JobState.RUNNING:
                assert (None, None) == (job.rate, job.left_s)
        if not self.rig.queue.failure and not self.rig.book.problem:
            kept = {job.number: job.state for job in self.rig.queue.kept.values()}

            assert kept == {job.number: job.state for job in jobs}
        self.shown = {job.number: job for job in jobs}


@settings(max_examples=60)
@given(st.lists(STEPS, max_size=30))
def test_nothing_is_lost_doubled_or_taken_back(steps: list[tuple[str, ...]]) -> None:
    async def scenario() -> None:
        story = Story()
        await story.begin()
        for what, *args in steps:
            await story.do(what, *args)
        await story._restart()
        for _ in range(12):  # everything that is open comes to its end, when nothing goes wrong any more
            await story._wait(400)
            for model in list(story.rig.hub.fetching):
                await story._finish(model)

        assert not any(job.state.is_open for job in story.rig.book.jobs)

        await story.end()

    run(scenario)
