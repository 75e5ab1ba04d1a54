"""Downloads without a network or a disk: a queue, a hub and a puller for tests and for a look around."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from ggtui.core.downloads.order import at_rest, in_order
from ggtui.core.errors import RemoteRefused, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ggtui.core.backends.backend import Backend
    from ggtui.core.deployment.secret import Secret
    from ggtui.core.downloads.jobs import FilePart, Job
    from ggtui.core.ports.downloads import Offer, RepositoryHit


class MemoryDownloads:
    """The DownloadQueuePort of tests; what one instance keeps, the next can begin with."""

    def __init__(self, kept: Iterable[Job] = (), *, last_number: int = 0, failure: str = "") -> None:
        """kept: of an earlier run, whose last number was this one.

        failure: why nothing can be read or kept; may be set at any time.
        """
        self.kept = {each.number: each for each in kept}
        self.last_number = max([last_number, *self.kept])
        self.failure = failure
        self.n_writes = 0
        self._is_closed = False

    async def load(self) -> tuple[Job, ...]:
        """See DownloadQueuePort."""
        self._check()
        self.kept = {number: at_rest(each) for number, each in self.kept.items()}
        return in_order(self.kept.values())

    async def add(self, job: Job) -> Job:
        """See DownloadQueuePort."""
        self._check()
        self.last_number += 1
        position = max((each.position for each in self.kept.values()), default=-1) + 1
        kept = replace(job, number=self.last_number, position=position)
        self.kept[kept.number] = kept
        self.n_writes += 1
        return kept

    async def keep(self, *jobs: Job) -> None:
        """See DownloadQueuePort."""
        self._check()
        self.kept |= {job.number: job for job in jobs if job.number in self.kept}
        self.n_writes += 1

    async def remove(self, number: int) -> None:
        """See DownloadQueuePort."""
        self._check()
        self.kept.pop(number, None)
        self.n_writes += 1

    async def close(self) -> None:
        """See DownloadQueuePort."""
        self._is_closed = True

    def _check(self) -> None:
        if self.failure or self._is_closed:
            raise StoreUnavailable(self.failure or "the queue of downloads is closed")


class Fetching:
    """A fetch or pull under way; whoever has it says how far it is and how it ends."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def finish(self) -> None:
        """All is there."""
        self.ended.set_result(None)

    def fail(self, error: Exception) -> None:
        """It ends with this."""
        self.ended.set_exception(error)


class HubFetching(Fetching):
    """A fetch from the hub."""

    def __init__(
        self,
        job: Job,
        progress: Callable[[Sequence[FilePart], str], None],
        allow: Callable[[int], float],
    ) -> None:
        super().__init__()
        self.job = job
        self.allow = allow
        self._progress = progress

    def reach(self, *completed: int, status: str = "downloading") -> None:
        """So many bytes of each file are on the disk, as far as they are given."""
        parts = list(self.job.files)
        parts[: len(completed)] = [
            replace(part, completed_bytes=n) for part, n in zip(parts, completed, strict=False)
        ]
        self._progress(parts, status)


class MemoryHub:
    """The HubPort of tests: it has what it is given, and each fetch ends when it is told to."""

    def __init__(self, *offers: Offer) -> None:
        self.offered = list(offers)
        self.hits: tuple[RepositoryHit, ...] = ()
        self.failure: Exception | None = None
        """Raised by each call that asks the hub."""
        self.here: set[str] = set()
        """Models that are in the cache."""
        self.fetching: dict[str, HubFetching] = {}
        """Under way, by model."""
        self.asked: list[str] = []
        """Models for which an offer was looked up."""
        self.is_closed = False

    async def search(self, text: str, limit: int) -> tuple[RepositoryHit, ...]:
        """See HubPort."""
        self._check()
        return tuple(hit for hit in self.hits if text.casefold() in hit.id.casefold())[:limit]

    async def offers(self, repository: str, revision: str) -> tuple[Offer, ...]:
        """See HubPort."""
        self._check()
        return tuple(each for each in self.offered if each.model.startswith(f"{repository}:"))

    async def offer(self, model: str, revision: str) -> Offer:
        """See HubPort."""
        self.asked.append(model)
        self._check()
        found = next((each for each in self.offered if each.model == model), None)
        if found is None:
            raise RemoteRefused(f"there is no {model}", hint="look what its repository has")
        return found

    async def fetch(
        self,
        job: Job,
        progress: Callable[[Sequence[FilePart], str], None],
        allow: Callable[[int], float],
    ) -> None:
        """See HubPort."""
        self._check()
        fetching = self.fetching[job.model] = HubFetching(job, progress, allow)
        try:
            await fetching.ended
        finally:
            del self.fetching[job.model]
        self.here.add(job.model)

    async def is_here(self, model: str, revision: str) -> bool:
        """See HubPort."""
        return model in self.here

    async def close(self) -> None:
        """See HubPort."""
        self.is_closed = True

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure


class Pulling(Fetching):
    """A pull on a backend."""

    def __init__(
        self, backend: Backend, key: Secret | None, tell: Callable[[str, str, int, int], None]
    ) -> None:
        super().__init__()
        self.backend = backend
        self.key = key
        self.tell = tell
        """Takes what the backend says: status, digest, bytes in all, completed."""


class MemoryPuller:
    """The PullerPort of tests: each pull ends when it is told to."""

    def __init__(self) -> None:
        self.pulling: dict[tuple[str, str], Pulling] = {}
        """Under way, by backend and model."""
        self.pulled: list[tuple[str, str]] = []
        self.deleted: list[tuple[str, str]] = []
        self.is_closed = False

    async def pull(
        self,
        backend: Backend,
        key: Secret | None,
        model: str,
        progress: Callable[[str, str, int, int], None],
    ) -> None:
        """See PullerPort."""
        pulling = self.pulling[backend.name, model] = Pulling(backend, key, progress)
        try:
            await pulling.ended
        finally:
            del self.pulling[backend.name, model]
        self.pulled.append((backend.name, model))

    async def delete(self, backend: Backend, key: Secret | None, model: str) -> None:
        """See PullerPort."""
        self.deleted.append((backend.name, model))

    async def close(self) -> None:
        """See PullerPort."""
        self.is_closed = True
