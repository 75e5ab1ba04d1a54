"""What a person or a script may order of downloads, and ask of the hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.errors import DownloadNotFound, ReadOnly, StoreUnavailable

if TYPE_CHECKING:
    from ggtui.core.downloads.jobs import Job
    from ggtui.core.ports.downloads import HubPort, Offer, RepositoryHit
    from ggtui.services.downloads.book import Downloads

MOST_HITS: Final = 30
_NONE: Final = "this ggtui has no downloads"


class DownloadsControl:
    """Lives on the engine's loop. Without a book there are no downloads.

    Orders raise ReadOnly where nothing may be changed; a search changes nothing.
    """

    def __init__(
        self, book: Downloads | None = None, hub: HubPort | None = None, *, is_read_only: bool = False
    ) -> None:
        self._book = book
        self._hub = hub
        self._is_read_only = is_read_only

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All jobs in order."""
        return self._book.jobs if self._book is not None else ()

    @property
    def problem(self) -> str:
        """Why the queue is not kept on disk now; empty when it is."""
        return self._book.problem if self._book is not None else ""

    async def add(self, model: str, *, backend: str = THIS_MACHINE, revision: str = "main") -> Job:
        """Ask for a model: `OWNER/REPO[:QUANT]`, a file of a repository, or a name that a backend pulls by.

        Raises: what Downloads.add raises, ReadOnly.
        """
        book = self._writable()
        if book is None:
            raise StoreUnavailable(_NONE)
        return await book.add(model, backend=backend, revision=revision, by_person=True)

    async def pause(self, number: int) -> None:
        """Stop it until it is resumed. Raises: DownloadNotFound, StoreUnavailable, ReadOnly."""
        await self._ordered(number).pause(number)

    async def cancel(self, number: int) -> None:
        """The same, for one that has failed too. Raises: DownloadNotFound, StoreUnavailable, ReadOnly."""
        await self._ordered(number).cancel(number)

    async def resume(self, number: int) -> None:
        """Let it go on. Raises: DownloadNotFound, StoreUnavailable, ReadOnly."""
        await self._ordered(number).resume(number)

    async def remove(self, number: int) -> None:
        """Take it out of the list. Raises: DownloadNotFound, StoreUnavailable, ReadOnly."""
        await self._ordered(number).remove(number)

    async def move(self, number: int, to: int) -> None:
        """Put it at this place, from 0. Raises: DownloadNotFound, StoreUnavailable, ReadOnly."""
        await self._ordered(number).move(number, to)

    async def search(self, text: str, limit: int = MOST_HITS) -> tuple[RepositoryHit, ...]:
        """Repositories with GGUF files. Raises: RemoteRefused, RemoteUnreachable."""
        return await self._hub.search(text, limit) if self._hub is not None else ()

    async def offers(self, repository: str, revision: str = "main") -> tuple[Offer, ...]:
        """What a repository has. Raises: RemoteRefused, RemoteUnreachable."""
        return await self._hub.offers(repository, revision) if self._hub is not None else ()

    def _ordered(self, number: int) -> Downloads:
        book = self._writable()
        if book is None:
            raise DownloadNotFound(f"there is no download {number}", hint=_NONE)
        return book

    def _writable(self) -> Downloads | None:
        if self._is_read_only:
            raise ReadOnly
        return self._book
