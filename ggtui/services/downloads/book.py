"""The downloads: asked for by a person or by a cycle, worked on one after the other, never lost."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.downloads import order
from ggtui.core.downloads.jobs import Job, JobKind, JobState
from ggtui.core.errors import BackendNotFound, InvalidRequest, StoreUnavailable
from ggtui.services.deployments.clock import SystemClock
from ggtui.services.downloads.allowance import Allowance
from ggtui.services.downloads.carrier import Carrier, Fetchers
from ggtui.services.downloads.kept import KeptJobs
from ggtui.services.downloads.news import News, guarded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from ggtui.core.backends.backend import Backend
    from ggtui.core.deployment.secret import Secret
    from ggtui.core.ports.backends import PullerPort
    from ggtui.core.ports.downloads import DownloadQueuePort, HubPort
    from ggtui.services.deployments.clock import Alarm, Clock

_LOG = logging.getLogger(__name__)

READ_AGAIN_S: Final = 10.0
"""After a queue could not be read, such as while a `ggtui pull` works on it."""

HALTED: Final = (JobState.PAUSED, JobState.FAILED)


class Downloads:
    """Lives on the engine's loop, as a part of it. There is one job for each backend and model.

    It has no schedule of its own: run_download_cycle works when it is called.
    """

    def __init__(
        self,
        queue: DownloadQueuePort,
        hub: HubPort,
        puller: PullerPort,
        *,
        backend_of: Callable[[str], Backend | None],
        key_of: Callable[[str], Awaitable[Secret | None]],
        clock: Clock | None = None,
        parallel: int = 2,
        max_bytes_per_s: float = 0,
    ) -> None:
        """backend_of: the declared backend of a name. key_of: its key. max_bytes_per_s: 0 for no limit."""
        self.changed: Callable[[], None] = lambda: None
        """Called after changes of what is shown, ten times a second at most; set by whoever publishes."""
        self.finished: Callable[[Job], None] = lambda _job: None
        """Called when a job is done; set by whoever looks at the model files again."""
        self.due: Callable[[], None] = lambda: None
        """Called when there may be work for run_download_cycle; set by whoever has the schedule."""
        self.parallel = parallel
        """How many cycles are run at once."""
        self._clock = clock or SystemClock()
        self._backend_of = backend_of
        self._news = News(self._clock, lambda: self.changed())
        self._kept = KeptJobs(queue, self._news.changed)
        self._allowance = Allowance(max_bytes_per_s, self._clock.monotonic)
        fetchers = Fetchers(hub, puller, backend_of, key_of)
        self._carrier = Carrier(self._kept, fetchers, self._allowance, self._clock)
        self._carrier.due = self._tell_due
        self._carrier.ended = self._ended
        self._ordering = asyncio.Lock()
        """Orders take effect one after the other: a resume that comes during a pause is the last word."""
        self._declared: tuple[tuple[str, str], ...] | None = None
        """Backend and model; None before that was said."""
        self._read_again: Alarm | None = None
        self._reading: asyncio.Task[None] | None = None

    # As a part of the engine

    async def start(self) -> None:
        """Read the queue; where that cannot be, it is tried again, and downloads are refused until then."""
        try:
            await self._kept.load()
        except StoreUnavailable as error:
            _LOG.warning("the queue of downloads cannot be read: %s", error.message)
            moment = self._clock.monotonic() + READ_AGAIN_S
            self._read_again = self._clock.call_at(moment, self._begin_reading)
        self._tell_due()

    def _begin_reading(self) -> None:
        self._reading = asyncio.get_running_loop().create_task(self.start())

    async def stop(self) -> None:
        """Stop what runs, which the next start goes on with. Who made hub and puller releases them."""
        if self._read_again is not None:
            self._read_again.cancel()
        if self._reading is not None:
            await asyncio.wait([self._reading])
        await self._carrier.close()
        self._news.stop()
        await self._kept.close()

    def take(self, *, parallel: int, max_bytes_per_s: float) -> None:
        """Other limits from now on, for what runs too."""
        self.parallel = parallel
        self._allowance.set(max_bytes_per_s)
        self._tell_due()

    # What is shown

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All jobs in order; the same object until something changes."""
        return self._kept.all

    @property
    def problem(self) -> str:
        """Why the queue is not kept on disk now; empty when it is."""
        return self._kept.problem

    def is_held(self, backend: str, model: str) -> bool:
        """True when a person paused or cancelled this model of this backend."""
        job = order.found(self.jobs, backend, model)
        return job is not None and job.state is JobState.PAUSED

    def n_due(self) -> int:
        """How many jobs may begin now."""
        return len(order.due(self.jobs, self._carrier.is_free))

    # What is ordered

    async def add(
        self,
        model: str,
        *,
        backend: str = THIS_MACHINE,
        base_url: str = "",
        revision: str = "main",
        by_person: bool,
    ) -> Job:
        """Ask for a model; what is returned is its job, which may have been there before.

        A person's wish resumes one that is paused, has failed or is done; a cycle's only one that is done,
        or whose backend is at another address now.
        Raises: StoreUnavailable; BackendNotFound and InvalidRequest for a backend that cannot fetch.
        """
        address = base_url or self._address(backend)
        if not model.strip():
            raise InvalidRequest("a download needs the name of a model", param="model")
        async with self._ordering:
            await self._kept.load()
            job = order.found(self.jobs, backend, model)
            if job is None:
                new = Job(0, JobKind.HUB, model, backend, address, by_person=by_person, revision=revision)
                kind = JobKind.HUB if backend == THIS_MACHINE else JobKind.PULL
                job = await self._kept.add(replace(new, kind=kind, created_at=self._clock.unix()))
                for old in order.forgettable(self.jobs):
                    await self._kept.remove(old.number)
            elif by_person:
                await self._ask_again(job, address, revision)
            elif job.state is JobState.DONE or (not job.state.is_open and address != job.base_url):
                await self._begin_anew(replace(job, base_url=address, by_person=False))
        self._tell_due()
        return self._kept.get(job.number)

    async def pause(self, number: int) -> None:
        """Stop a job until a person resumes it; what is on disk is kept. Nothing for one that has ended.

        Raises: DownloadNotFound; StoreUnavailable when it is stopped and that is not kept.
        """
        async with self._ordering:
            await self._kept.load()
            if self._kept.get(number).state.is_open:
                await self._hold(number, "a person paused it")

    async def cancel(self, number: int) -> None:
        """The same, and a job that has failed is held too: no cycle asks for the model again."""
        async with self._ordering:
            await self._kept.load()
            if self._kept.get(number).state is not JobState.DONE:
                await self._hold(number, "a person cancelled it")

    async def resume(self, number: int) -> None:
        """Let a job go on that is paused, has failed, or waits to be tried again.

        Raises: DownloadNotFound, StoreUnavailable.
        """
        async with self._ordering:
            await self._kept.load()
            await self._go_on(self._kept.get(number))
        self._tell_due()

    async def remove(self, number: int) -> None:
        """Take a job out of the list; what is on disk is kept.

        One whose model is declared and that is not done is held instead: a cycle would ask for it again.
        Raises: DownloadNotFound, StoreUnavailable.
        """
        async with self._ordering:
            await self._kept.load()
            job = self._kept.get(number)
            if job.state is not JobState.DONE and order.is_among(self._declared or (), job):
                await self._hold(number, "a person removed it, and the configuration declares it")
                return
            await self._kept.remove(number)
            await self._carrier.stop(number)

    async def move(self, number: int, to: int) -> None:
        """Let a job be the one at this place of the list, from 0.

        Raises: DownloadNotFound, StoreUnavailable.
        """
        await self._kept.load()
        self._kept.get(number)
        self._kept.put(*order.moved(self.jobs, number, to))
        await self._kept.write()

    async def declare(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Say what is declared now, as pairs of backend and model: that of a repository for this machine.

        A job that only a cycle asked for and that is not declared any more is forgotten, held or not. One
        that is held or has failed goes on when its model is declared anew while ggtui runs.
        Raises: StoreUnavailable.
        """
        await self._kept.load()
        before, self._declared = self._declared, tuple(wanted)
        for job in self.jobs:
            is_declared = order.is_among(self._declared, job)
            if not is_declared and not job.by_person and job.state is not JobState.DONE:
                await self._kept.remove(job.number)
                await self._carrier.stop(job.number)
            elif (
                is_declared and job.state in HALTED and before is not None and not order.is_among(before, job)
            ):
                await self._begin_anew(job)
        self._tell_due()

    # The work

    async def run_download_cycle(self) -> bool:
        """Take the first job that may begin and carry it to its end, or to where somebody stops it.

        False when there is none.
        """
        due = order.due(self.jobs, self._carrier.is_free)
        if not due:
            return False
        await self._carrier.carry(due[0])
        return True

    def _address(self, backend: str) -> str:
        if backend == THIS_MACHINE:
            return ""
        found = self._backend_of(backend)
        if found is None:
            raise BackendNotFound(f"no backend '{backend}' is declared")
        if not found.type.can_pull:
            why = f"backend '{backend}' does not fetch models by itself"
            raise InvalidRequest(why, hint="one of type ollama does", param="backend")
        return found.base_url

    async def _ask_again(self, job: Job, address: str, revision: str) -> None:
        """A person wants what is in the list already."""
        wished = replace(job, by_person=True, base_url=address or job.base_url, revision=revision)
        if job.state is not JobState.RUNNING:
            # The repository may have gone on since: what it has now is meant, not what it had then.
            wished = replace(wished, commit="")
        if revision != job.revision or job.state in (JobState.DONE, JobState.FAILED):
            await self._begin_anew(wished)
        elif wished != job or job.state is JobState.PAUSED:
            self._kept.put(wished)
            await self._go_on(wished)

    async def _go_on(self, job: Job) -> None:
        if job.state is JobState.FAILED:
            await self._begin_anew(job)
        elif job.state is JobState.PAUSED or not self._carrier.is_free(job):
            self._carrier.forget_failures(job.number)
            if job.state is JobState.PAUSED:
                self._kept.put(replace(job, state=JobState.PENDING, why="", hint=""))
            await self._kept.write()

    async def _begin_anew(self, job: Job) -> None:
        """Behind the others."""
        last = max(each.position for each in self.jobs)
        position = job.position if job.position == last else last + 1
        self._kept.put(order.anew(job, position))
        await self._carrier.stop(job.number)
        await self._kept.write()

    async def _hold(self, number: int, why: str) -> None:
        try:
            await self._kept.write_then_put(number, partial(order.held, why=why))
        finally:
            await self._carrier.stop(number)
        await self._kept.write_if_possible()

    def _ended(self, job: Job) -> None:
        if job.state is JobState.DONE:
            guarded(self.finished, job)

    def _tell_due(self) -> None:
        guarded(self.due)
