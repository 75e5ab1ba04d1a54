"""The first part of a file on another machine, asked for in ranges that grow."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ggtui.adapters.remote.exchange import ask
from ggtui.adapters.remote.refusals import refusal
from ggtui.core.errors import HeaderUnreadable, RemoteRefused, RemoteUnreachable
from ggtui.core.units import KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ggtui.adapters.remote.access import Access
    from ggtui.adapters.remote.address import Address
    from ggtui.adapters.remote.budget import Budget
    from ggtui.adapters.remote.exchange import Answer

FIRST_RANGE = MIB
LARGEST_RANGE = 64 * MIB
MOST_RANGES = 64
"""For one file; a server that sends less than it is asked for would make it endless."""
PIECE = 64 * KIB
LONGEST_LEAP = MIB
"""What is read and dropped rather than asked around."""
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})", re.ASCII)


@contextmanager
def opened_remotely(address: Address, access: Access, budget: Budget) -> Iterator[RangedFile]:
    """The file at this address; its first bytes are asked for at once.

    Raises: RemoteRefused, RemoteUnreachable, HeaderUnreadable for an empty file.
    """
    file = RangedFile(address, access, budget)
    try:
        yield file
    finally:
        file.close()


class RangedFile:
    """A ByteSource. All its bytes come from one version of the file.

    A range is read as a stream and left when no more is wanted, so what comes in is little more than what
    is used.
    """

    def __init__(self, address: Address, access: Access, budget: Budget) -> None:
        self._address = address
        self._access = access
        self._budget = budget
        self._etag = ""
        self._size: int | None = None
        self._n_ranges = 0
        self._answer: Answer | None = None
        self._at = self._end = 0
        """The next byte of the open answer, and the end of its range."""
        self._held, self._held_at = b"", 0
        """What was read last; a reader comes back for the end of it."""
        self._ask(0)

    @property
    def size_bytes(self) -> int:
        """Of the whole file."""
        return self._size or 0

    def read(self, offset: int, least: int) -> bytes:
        """As the port says. Raises: RemoteRefused, RemoteUnreachable."""
        into_held = offset - self._held_at
        piece = self._held[into_held:] if 0 <= into_held <= len(self._held) else b""
        while len(piece) < least:
            piece += self._next(offset + len(piece))
        self._held, self._held_at = piece, offset
        return piece

    def close(self) -> None:
        """Let go of the connection."""
        if self._answer is not None:
            self._answer.close()
            self._answer = None

    def _next(self, at: int) -> bytes:
        """Some bytes from here on, never none."""
        if not (self._at <= at < self._end and at - self._at <= LONGEST_LEAP):
            self._ask(at)
        while self._at < at:
            self._piece(at - self._at)
        return self._piece(PIECE)

    def _piece(self, most: int) -> bytes:
        assert self._answer is not None
        piece = self._answer.some(min(most, self._end - self._at))
        if not piece:
            raise RemoteUnreachable(f"{self._host} broke off in the middle of the header", hint="try again")
        self._at += len(piece)
        return piece

    @property
    def _host(self) -> str:
        return self._address.origin.host

    def _ask(self, first: int) -> None:
        self.close()
        self._n_ranges += 1
        if self._n_ranges > MOST_RANGES:
            raise RemoteRefused(f"{self._host} sends too little at a time")
        last = first + min(FIRST_RANGE << min(self._n_ranges - 1, 6), LARGEST_RANGE) - 1
        if self._size is not None:
            last = min(last, self._size - 1)
        headers = {"Range": f"bytes={first}-{last}"}
        if self._etag and not self._etag.startswith("W/"):
            headers["If-Range"] = self._etag
        answer = ask(self._address, headers, self._access, self._budget)
        try:
            self._end = self._accepted(answer, first, last)
        except BaseException:
            answer.close()
            raise
        # The next range is asked where this one came from: one way of redirects for the whole file.
        self._answer, self._address, self._at = answer, answer.address, first

    def _accepted(self, answer: Answer, first: int, last: int) -> int:
        """The end of the range that this answer holds."""
        if answer.status == 200:
            raise self._whole_file(answer)
        if answer.status == 416 and self._size is None and answer.header("Content-Range") == "bytes */0":
            raise HeaderUnreadable("file is empty")
        if answer.status != 206:
            raise refusal(answer, self._access)
        match = _CONTENT_RANGE.fullmatch(answer.header("Content-Range"))
        start, stop, size = map(int, match.groups()) if match else (-1, -1, -1)
        length = answer.header("Content-Length")
        if (
            start != first
            or not first <= stop <= last
            or stop >= size
            or length not in ("", str(stop - start + 1))
        ):
            raise RemoteRefused(f"{self._host} answers with another part of the file than was asked for")
        etag = answer.header("ETag")
        if self._size is None:
            self._size, self._etag = size, etag
        elif (size, etag) != (self._size, self._etag):
            raise self._changed()
        return stop + 1

    def _whole_file(self, answer: Answer) -> RemoteRefused | RemoteUnreachable:
        if self._etag and answer.header("ETag") != self._etag:
            return self._changed()
        if answer.header("Content-Type").lower().startswith("text/html"):
            return RemoteRefused(
                f"{self._host} answers with a web page", hint="take the address of the file itself"
            )
        return RemoteRefused(
            f"{self._host} sends only whole files, no ranges", hint="download the file, then estimate it"
        )

    def _changed(self) -> RemoteUnreachable:
        return RemoteUnreachable("the file was changed while its header was read", hint="try again")
