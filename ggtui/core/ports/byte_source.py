"""Where the bytes of one file come from: this disk, or another machine."""

from __future__ import annotations

from typing import Protocol


class ByteSource(Protocol):
    """The bytes of one file, read forward; a reader may begin again at 0."""

    @property
    def size_bytes(self) -> int:
        """Of the whole file."""

    def read(self, offset: int, least: int) -> bytes:
        """The bytes from offset on: at least `least`, further ones when they cost nothing more.

        Fewer only when the file has become shorter than size_bytes.
        Raises: OSError for a file on this machine, RemoteFailure for one on another.
        """
