"""A whole download: room for it, one file after the other, and the links that make it a model."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ggtui.adapters.remote.downloads.checksum import Checksum
from ggtui.adapters.remote.downloads.content import Content
from ggtui.adapters.remote.downloads.names import check_path, is_sha256
from ggtui.adapters.remote.downloads.part import Part, fetched_bytes
from ggtui.adapters.remote.hub import HubName
from ggtui.core.errors import DiskFull, RemoteRefused
from ggtui.core.text import plain
from ggtui.core.units import MIB, gib

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ggtui.adapters.remote.access import Access
    from ggtui.adapters.remote.downloads.cache import Repository
    from ggtui.adapters.remote.downloads.content import Pace
    from ggtui.core.downloads.jobs import FilePart

TELL_S = 0.1
SPARE_BYTES = 64 * MIB
"""What stays free on the disk."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is fetched."""

    repository: str
    revision: str
    commit: str
    files: tuple[FilePart, ...]


class Fetching:
    """One download. It belongs to one thread; only `left_bytes` is read from others."""

    def __init__(
        self,
        order: Order,
        repository: Repository,
        access: Access,
        pace: Pace,
        progress: Callable[[Sequence[FilePart], str], None],
    ) -> None:
        """Raises: RemoteRefused for a name that is not sound."""
        for file in order.files:
            check_path(file.path)
            if file.size_bytes < 0 or (file.sha256 and not is_sha256(file.sha256)):
                raise RemoteRefused(f"{plain(file.path, 80)!r} has no sound size or checksum")
        self._order = order
        self._repository = repository
        self._access = access
        self._pace = pace
        self._progress = progress
        self._parts = list(order.files)
        self._told_at, self._doing = float("-inf"), ""

    @property
    def left_bytes(self) -> int:
        """What will be written yet."""
        return sum(max(0, part.size_bytes - part.completed_bytes) for part in self._parts)

    def run(self, free_bytes: Callable[[Path], int], promised_bytes: Callable[[], int]) -> None:
        """All of it; when it returns, the model can be launched.

        free_bytes: on the disk of a folder. promised_bytes: what other downloads will write yet.
        Raises: RemoteRefused, RemoteUnreachable, FileCorrupt, DiskFull, CatalogFailure, Stopped.
        """
        checksums = [self._known(number) for number in range(len(self._parts))]
        self._tell("checking")
        self._check_room(free_bytes(self._repository.cache) - promised_bytes())
        self._repository.make()
        for number, checksum in enumerate(checksums):
            if checksum is not None:
                self._fetch(number, checksum)
        # What belongs to the model first, its first shard last: a model that is found is whole.
        for part, checksum in reversed(list(zip(self._order.files, checksums, strict=True))):
            if checksum is not None:
                self._repository.link(self._order.commit, part.path, checksum)
        self._repository.name_commit(self._order.revision, self._order.commit)
        self._tell("done")

    def _known(self, number: int) -> Checksum | None:
        """The checksum of a file, and how much of it is here; None when the snapshot has it already."""
        part = self._parts[number]
        if self._repository.has(self._order.commit, part.path, part.size_bytes):
            self._note(number, part.size_bytes)
            return None
        checksum = Checksum(part.sha256) if part.sha256 else self._content(part).checksum()
        here = fetched_bytes(self._repository.blob(checksum))
        self._note(number, here if here <= part.size_bytes else 0)
        return checksum

    def _check_room(self, free: int) -> None:
        """Raises: DiskFull."""
        missing = self.left_bytes + SPARE_BYTES - free
        if self.left_bytes and missing > 0:
            where = plain(str(self._repository.cache))
            what = f"{gib(self.left_bytes)} to fetch, {gib(SPARE_BYTES)} to keep free"
            hint = "remove what is not needed, or set HF_HUB_CACHE to a folder on another disk"
            there_is = f"{gib(max(0, free))} there is in {where}"
            raise DiskFull(f"{gib(missing)} more room is needed: {what}, {there_is}", hint=hint)

    def _fetch(self, number: int, checksum: Checksum) -> None:
        part, blob = self._parts[number], self._repository.blob(checksum)
        if _is_whole(blob, part.size_bytes):
            return
        with self._repository.locked(checksum, self._pace.stop, self._say_waiting):
            if _is_whole(blob, part.size_bytes):
                self._note(number, part.size_bytes)
                return
            coming = Part(blob, checksum, part.size_bytes)
            try:
                self._tell("checking what is here")
                coming.resume(self._pace.stop)

                def tell(doing: str) -> None:
                    self._note(number, coming.length)
                    self._tell(doing)

                self._content(part).fetch_into(coming, checksum, tell)
                coming.finish()
            finally:
                coming.close()

    def _content(self, part: FilePart) -> Content:
        owner, _, name = self._order.repository.partition("/")
        hub_name = HubName(owner, name, part.path, self._order.commit)
        return Content(hub_name.address_of(part.path, self._access), self._access, self._pace)

    def _say_waiting(self) -> None:
        self._tell("waiting: another program fetches it")

    def _note(self, number: int, completed_bytes: int) -> None:
        self._parts[number] = replace(self._parts[number], completed_bytes=completed_bytes)

    def _tell(self, doing: str) -> None:
        """Report, at most as often as the port allows, but every change of what is done."""
        now = time.monotonic()
        if doing != self._doing or now - self._told_at >= TELL_S:
            self._told_at, self._doing = now, doing
            self._progress(tuple(self._parts), doing)


def _is_whole(blob: Path, size_bytes: int) -> bool:
    try:
        return blob.stat().st_size == size_bytes
    except OSError:
        return False
