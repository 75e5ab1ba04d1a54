"""The hub's own value for a file: sha256 for a large one, git's blob hash for a small one."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ggtui.adapters.remote.downloads.names import is_commit

if TYPE_CHECKING:
    from ggtui.adapters.remote.exchange import Answer

_ETAG = re.compile(r'(?:W/)?"?([0-9a-f]{40}|[0-9a-f]{64})"?')


class Hash(Protocol):
    """What hashlib gives."""

    def update(self, data: bytes | memoryview, /) -> None: ...

    def hexdigest(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Checksum:
    """64 or 40 hexadecimal digits. Also the name of the file in the cache."""

    digits: str

    @property
    def is_of_git(self) -> bool:
        """True for a small file."""
        return len(self.digits) == 40

    def new(self, size_bytes: int) -> Hash:
        """An empty hash of its kind, for a file of this size."""
        if self.is_of_git:
            return hashlib.sha1(b"blob %d\0" % size_bytes, usedforsecurity=False)
        return hashlib.sha256()


def checksum_told(answer: Answer) -> Checksum | None:
    """What an answer of the hub itself tells; None when it tells nothing.

    Never for another server: its ETag may have 64 digits as well, and is another hash.
    """
    for name in ("X-Linked-Etag", "ETag"):
        match = _ETAG.fullmatch(answer.header(name))
        # Without the first one a file is small, and its ETag is git's.
        if match and (name == "X-Linked-Etag" or is_commit(match[1])):
            return Checksum(match[1])
    return None
