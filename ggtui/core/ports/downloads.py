"""What downloads need of the outside: a queue that survives, and someone who fetches from the hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ggtui.core.downloads.jobs import FilePart, Job


class DownloadQueuePort(Protocol):
    """Keeps jobs in order over restarts. Each call but close may raise StoreUnavailable."""

    async def load(self) -> tuple[Job, ...]:
        """All jobs by position; one that ran when the process was killed is pending again."""

    async def add(self, job: Job) -> Job:
        """Keep a new job behind the others; what is returned has its number and position."""

    async def keep(self, *jobs: Job) -> None:
        """Keep these as they are now, in one transaction; such as two that changed places."""

    async def remove(self, number: int) -> None:
        """Forget a job; one that is not there is success."""

    async def close(self) -> None:
        """Release what is held; may be called twice, and without use."""


@dataclass(frozen=True, slots=True)
class RepositoryHit:
    """A repository that a search found."""

    id: str
    """OWNER/REPO."""
    n_downloads: int = 0
    n_likes: int = 0
    updated_at: float | None = None
    is_gated: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be fetched of a repository: a quantisation with all its shards, and its projector."""

    model: str
    """`OWNER/REPO:QUANT`, or `OWNER/REPO/FILE.gguf` where the quantisation is not unique."""
    label: str
    """Such as `Q4_K_M`."""
    commit: str
    files: tuple[FilePart, ...]
    """Shards in order, then the projector if there is one."""
    is_here: bool = False
    """All files are in the cache already."""

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(each.size_bytes for each in self.files)


class HubPort(Protocol):
    """The model hub, and its cache on this disk.

    Each call but close raises RemoteRefused or RemoteUnreachable for what the hub says or does not say.
    """

    async def search(self, text: str, limit: int) -> tuple[RepositoryHit, ...]:
        """Repositories with GGUF files, the most downloaded first."""

    async def offers(self, repository: str, revision: str) -> tuple[Offer, ...]:
        """What a repository has, the smallest first. repository: OWNER/REPO."""

    async def offer(self, model: str, revision: str) -> Offer:
        """The one that is meant by `OWNER/REPO[:QUANT]` or `OWNER/REPO/FILE.gguf`.

        Raises: RemoteRefused, with what there is, when nothing or more than one is meant.
        """

    async def fetch(
        self,
        job: Job,
        progress: Callable[[Sequence[FilePart], str], None],
        allow: Callable[[int], float],
    ) -> None:
        """Bring all files of the job into the hub's cache, verified; return when the model can be launched.

        A caller that is cancelled stops it within a second; what is on disk is gone on with next time.
        progress: called from any thread, at most ten times a second for each file: the parts as they are, and
        what is done now. allow: called with the bytes that were just read, returns seconds to wait first.
        Raises: RemoteRefused (for good), RemoteUnreachable (may be tried again), DiskFull, FileCorrupt.
        """

    async def is_here(self, model: str, revision: str) -> bool:
        """True when all of it is in the cache, by what the disk alone tells."""

    async def close(self) -> None:
        """Release what is held."""
