"""The model hub as the rest of the program sees it: search, offers, and downloads into its cache."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ggtui.adapters.remote.access import access_from
from ggtui.adapters.remote.downloads import listing
from ggtui.adapters.remote.downloads.cache import Repository, cache_folder, free_bytes
from ggtui.adapters.remote.downloads.content import Pace
from ggtui.adapters.remote.downloads.fetching import Fetching, Order
from ggtui.adapters.remote.downloads.names import Wanted, check_revision, is_commit
from ggtui.adapters.remote.downloads.offering import offer_meant, offers_of
from ggtui.adapters.remote.downloads.on_disk import has_all, has_model
from ggtui.adapters.remote.downloads.patience import Patience
from ggtui.adapters.remote.downloads.stopping import Threads
from ggtui.core.errors import ConfigInvalid, RemoteFailure, RemoteRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ggtui.adapters.remote.access import Access
    from ggtui.adapters.remote.budget import Budget
    from ggtui.adapters.remote.downloads.stopping import Stop
    from ggtui.adapters.remote.hub import HubFile
    from ggtui.core.downloads.jobs import FilePart, Job
    from ggtui.core.ports.downloads import Offer, RepositoryHit

STALL_S = 30.0
PAUSE_S = 1.0


class Hub:
    """A HubPort. Every call works in a thread of its own; the variables are looked at anew each time."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        stall_s: float = STALL_S,
        pause_s: float = PAUSE_S,
        free_bytes: Callable[[Path], int] = free_bytes,
    ) -> None:
        """stall_s: silence that ends a connection; pause_s: before the next one; free_bytes: of a disk."""
        self._environ = environ
        self._stall_s = stall_s
        self._pause_s = pause_s
        self._free_bytes = free_bytes
        self._threads = Threads()
        self._fetchings: set[Fetching] = set()

    async def search(self, text: str, limit: int) -> tuple[RepositoryHit, ...]:
        """As the port says."""
        return await self._threads.carry(
            lambda stop: listing.search(text, limit, self._access(), self._budget(stop))
        )

    async def offers(self, repository: str, revision: str) -> tuple[Offer, ...]:
        """As the port says."""
        return await self._threads.carry(lambda stop: self._look(Wanted.parse(repository), revision, stop)[0])

    async def offer(self, model: str, revision: str) -> Offer:
        """As the port says."""
        return await self._threads.carry(partial(self._offer, Wanted.parse(model), revision))

    async def fetch(
        self,
        job: Job,
        progress: Callable[[Sequence[FilePart], str], None],
        allow: Callable[[int], float],
    ) -> None:
        """As the port says. Raises also CatalogFailure, when the cache cannot be written."""
        await self._threads.carry(partial(self._fetch, job, progress, allow))

    async def is_here(self, model: str, revision: str) -> bool:
        """As the port says."""
        wanted = Wanted.parse(model)
        check_revision(revision)
        return await self._threads.carry(lambda _: has_model(self._repository(wanted), wanted, revision))

    async def close(self) -> None:
        """End what runs; its callers get RemoteUnreachable."""
        await self._threads.close()

    def _look(self, wanted: Wanted, revision: str, stop: Stop) -> tuple[tuple[Offer, ...], Sequence[HubFile]]:
        commit, files = listing.read_repository(
            wanted.repository, revision, self._access(), partial(self._budget, stop)
        )
        repository = self._repository(wanted)
        offers = offers_of(wanted.repository, commit, files)
        return tuple(replace(each, is_here=has_all(repository, each)) for each in offers), files

    def _offer(self, wanted: Wanted, revision: str, stop: Stop) -> Offer:
        offers, files = self._look(wanted, revision, stop)
        meant = offer_meant(wanted, offers, files)
        return replace(meant, is_here=has_all(self._repository(wanted), meant))

    def _fetch(
        self,
        job: Job,
        progress: Callable[[Sequence[FilePart], str], None],
        allow: Callable[[int], float],
        stop: Stop,
    ) -> None:
        wanted = Wanted.parse(job.model)
        check_revision(job.revision)
        order = self._order(job, wanted, stop)
        if order is None:
            return
        pace = Pace(stop, self._stall_s, self._pause_s, allow)
        fetching = Fetching(order, self._repository(wanted), self._access(), pace, progress)
        with self._running(fetching):
            fetching.run(self._free_bytes, partial(self._promised_bytes, fetching))

    def _order(self, job: Job, wanted: Wanted, stop: Stop) -> Order | None:
        """What this job fetches; None when all of it is here and the hub cannot say if there is more."""
        if job.files and is_commit(job.commit):
            return Order(wanted.repository, job.revision, job.commit, job.files)
        try:
            offer = self._offer(wanted, job.revision, stop)
        except RemoteFailure:
            if has_model(self._repository(wanted), wanted, job.revision):
                return None
            raise
        return Order(wanted.repository, job.revision, offer.commit, offer.files)

    @contextmanager
    def _running(self, fetching: Fetching) -> Iterator[None]:
        self._fetchings.add(fetching)
        try:
            yield
        finally:
            self._fetchings.discard(fetching)

    def _promised_bytes(self, asking: Fetching) -> int:
        return sum(each.left_bytes for each in tuple(self._fetchings) if each is not asking)

    def _repository(self, wanted: Wanted) -> Repository:
        return Repository(cache_folder(self._environ), wanted.repository)

    def _budget(self, stop: Stop) -> Budget:
        return Patience.short(stop, self._stall_s)

    def _access(self) -> Access:
        try:
            return access_from(self._environ)
        except ConfigInvalid as error:
            raise RemoteRefused(error.detail, hint=error.hint) from None
