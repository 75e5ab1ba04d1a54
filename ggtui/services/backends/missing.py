"""Queues what is missing: all of this disk, and of each backend that can fetch one model after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.backends.rows import RowState
from ggtui.core.backends.wanted import asked, on_this_disk, wanted
from ggtui.core.downloads.jobs import JobState
from ggtui.core.downloads.order import is_same_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ggtui.core.backends.backend import Backend, Declared
    from ggtui.core.backends.observed import BackendState
    from ggtui.core.backends.rows import Row
    from ggtui.core.downloads.jobs import Job

THERE = (RowState.IN_SYNC, RowState.DRIFTED)


class DownloadsPort(Protocol):
    """What keeps downloads; `ggtui.services.downloads.book.Downloads` is it."""

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All that are known."""

    def is_held(self, backend: str, model: str) -> bool:
        """True when a person does not want it fetched now."""

    async def add(
        self, model: str, *, backend: str = THIS_MACHINE, base_url: str = "", by_person: bool
    ) -> Job:
        """Queue it, or find the job that it has. Raises: StoreUnavailable."""

    async def declare(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Say what is declared now, by backend and model or repository. Raises: StoreUnavailable."""


class Missing:
    """Never fetches what a person has paused, nor twice what was fetched and did not appear."""

    def __init__(self, downloads: DownloadsPort) -> None:
        self._downloads = downloads
        self._told: set[tuple[str, str]] | None = None
        """What the downloads know to be declared."""
        self._asked_for: set[tuple[str, str]] = set()
        """Backend and model of what a cycle has queued and was not seen there since."""

    @property
    def is_idle(self) -> bool:
        """True when no download is there because of what is declared, or was."""
        return all(job.by_person or job.state is JobState.DONE for job in self._downloads.jobs)

    async def declare(self, declared: Declared) -> None:
        """Have the downloads know what is declared, once. Raises: StoreUnavailable."""
        pairs = {(each.name, model.name) for each in asked(declared) for model in wanted(declared, each)}
        pairs |= {(THIS_MACHINE, each.repository) for each in on_this_disk(declared)}
        if pairs != self._told:
            await self._downloads.declare(sorted(pairs))
            self._told = pairs

    async def queue(self, declared: Declared, states: Iterable[BackendState], rows: Sequence[Row]) -> None:
        """Queue what these rows say is missing; nothing is written when nothing is.

        Raises: StoreUnavailable.
        """
        self._asked_for -= {(row.backend, row.model) for row in rows if row.state in THERE}
        missing = [row for row in rows if row.state is RowState.MISSING]
        repositories = {each.name: each.repository for each in on_this_disk(declared)}
        for row in missing:
            if row.backend == THIS_MACHINE:
                await self._queue(row, repositories[row.model], "")
        for state in states:
            if state.is_ready and state.backend.type.can_pull:
                await self._queue_one(state.backend, missing)

    async def _queue_one(self, backend: Backend, missing: Iterable[Row]) -> None:
        for row in missing:
            if any(_is_of_cycle(job, backend.name) for job in self._downloads.jobs):
                return
            if row.backend == backend.name:
                await self._queue(row, row.model, backend.base_url)

    async def _queue(self, row: Row, model: str, base_url: str) -> None:
        pair = row.backend, row.model
        if self._downloads.is_held(row.backend, model) or self._was_brought(pair, model):
            return
        await self._downloads.add(model, backend=row.backend, base_url=base_url, by_person=False)
        self._asked_for.add(pair)

    def _was_brought(self, pair: tuple[str, str], model: str) -> bool:
        """True when a download that a cycle ordered has ended well, and to no effect."""
        done = (job for job in self._downloads.jobs if job.state is JobState.DONE and job.backend == pair[0])
        return pair in self._asked_for and any(is_same_model(job, model) for job in done)


def _is_of_cycle(job: Job, backend: str) -> bool:
    return job.backend == backend and job.state.is_open and not job.by_person
