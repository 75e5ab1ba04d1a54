"""How far a download is, as it is shown: it never goes back while the download is open.

A file that must be begun again, because its host does not go on where it ended, stays at the farthest that
was shown until it is farther than that.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.downloads.jobs import FilePart, Job


def with_parts(job: Job, parts: Sequence[FilePart], status: str) -> Job:
    """The job with its files as they are now. parts: as the fetcher tells them, in its order."""
    before = {part.path: part.completed_bytes for part in job.files}
    files = tuple(_farther(part, before.get(part.path, 0)) for part in parts)
    total = sum(part.size_bytes for part in files)
    completed = min(max(job.completed_bytes, sum(part.completed_bytes for part in files)), total)
    busy = next((part for part in files if part.completed_bytes < part.size_bytes), None)
    return replace(
        job,
        files=files,
        status=status,
        digest=f"sha256:{busy.sha256}" if busy is not None and busy.sha256 else "",
        completed_bytes=completed,
        total_bytes=total,
    )


def _farther(part: FilePart, before: int) -> FilePart:
    return replace(part, completed_bytes=min(max(part.completed_bytes, before), part.size_bytes))


class PullProgress:
    """Adds up the layers of a pull: the backend tells of one after the other, and of none beforehand."""

    def __init__(self) -> None:
        self._totals: dict[str, int] = {}
        self._completed: dict[str, int] = {}

    def note(self, digest: str, total: int, completed: int) -> int:
        """A layer is so far; bytes that have come since it was last told of, 0 for the first time."""
        if not digest:
            return 0
        before = self._completed.get(digest)
        self._totals[digest] = max(total, self._totals.get(digest, 0))
        self._completed[digest] = max(completed, before or 0)
        return 0 if before is None else self._completed[digest] - before

    @property
    def remaining_bytes(self) -> int:
        """Of the layers that were told of."""
        return max(0, sum(self._totals.values()) - sum(self._completed.values()))

    def shown(self, job: Job, status: str, digest: str) -> Job:
        """The job as far as it is; its total grows with each layer that is told of."""
        total = max(sum(self._totals.values()), job.total_bytes)
        completed = min(max(sum(self._completed.values()), job.completed_bytes), total)
        return replace(job, status=status, digest=digest, completed_bytes=completed, total_bytes=total)
