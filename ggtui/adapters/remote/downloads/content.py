"""One content, from the first byte to the last: asked for, gone on with after a break, and verified."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.adapters.remote.downloads.checksum import Checksum, checksum_told
from ggtui.adapters.remote.downloads.judging import MAGIC, Other, check_head, first_byte
from ggtui.adapters.remote.downloads.patience import Patience
from ggtui.adapters.remote.exchange import ask
from ggtui.adapters.remote.refusals import refusal
from ggtui.core.errors import FileCorrupt, RemoteRefused, RemoteUnreachable
from ggtui.core.units import KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.adapters.remote.access import Access
    from ggtui.adapters.remote.address import Address
    from ggtui.adapters.remote.downloads.part import Part
    from ggtui.adapters.remote.downloads.stopping import Stop
    from ggtui.adapters.remote.exchange import Answer

logger = logging.getLogger(__name__)
PIECE = 512 * KIB
HEAD = 32
LEAST_GAIN = MIB
"""What one connection must bring; one that brings less has brought nothing."""
MOST_VAIN = 3
"""Connections in a row that brought nothing."""
LONGEST_PAUSE_S = 60.0
"""A server that wants to be left alone for longer is asked no more in this attempt."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long is waited, and for what. Shared by all files of a download."""

    stop: Stop
    stall_s: float
    """Silence that ends a connection."""
    pause_s: float
    """Before the next connection, after one that broke."""
    allow: Callable[[int], float]
    """Given the bytes that came, how long to wait before the next."""


class Content:
    """The bytes of one file, at the hub."""

    def __init__(self, address: Address, access: Access, pace: Pace) -> None:
        self._address = address
        self._access = access
        self._pace = pace
        self._told: Checksum | None = None
        self._retry_after_s = 0.0

    def checksum(self) -> Checksum:
        """What the hub tells of a file that its listing has no sha256 of.

        Raises: RemoteRefused, RemoteUnreachable, Stopped.
        """
        answer = self._ask({})
        answer.close()
        if answer.status != 200:
            raise refusal(answer, self._access)
        if self._told is None:
            raise RemoteRefused(f"the hub tells no checksum of {self._address.shown}")
        return self._told

    def fetch_into(self, part: Part, checksum: Checksum, tell: Callable[[str], None]) -> None:
        """Make the part whole. What is there of it already is gone on with.

        tell: called after each piece with what is done.
        Raises: RemoteRefused, RemoteUnreachable, FileCorrupt, DiskFull, CatalogFailure, Stopped.
        """
        if part.size_bytes < len(MAGIC):
            raise FileCorrupt(f"{self._address.shown} is no GGUF file: it has {part.size_bytes} bytes")
        self._complete(part, checksum, tell)
        if not part.is_sound and part.is_taken_over:
            logger.warning("what was here of %s was damaged; it is fetched again", self._address.shown)
            part.restart("")
            self._complete(part, checksum, tell)
        tell("verifying")
        if not part.is_sound:
            part.discard()
            raise FileCorrupt(
                f"{self._address.shown} does not have the checksum that the hub tells",
                hint="try again; it was removed",
            )

    def _complete(self, part: Part, checksum: Checksum, tell: Callable[[str], None]) -> None:
        """All bytes, over as many connections as it takes."""
        n_vain = 0
        while part.length < part.size_bytes:
            before, self._retry_after_s = part.length, 0.0
            try:
                self._read_on(part, checksum, tell)
            except RemoteUnreachable as error:
                # Cut off by a person, not by the other side.
                self._pace.stop.check()
                n_vain = 0 if part.length - before >= LEAST_GAIN else n_vain + 1
                if n_vain >= MOST_VAIN or self._retry_after_s > LONGEST_PAUSE_S:
                    raise
                tell(f"waiting: {error.message}")
                self._pace.stop.wait(max(self._pace.pause_s * max(1, n_vain), self._retry_after_s))

    def _read_on(self, part: Part, checksum: Checksum, tell: Callable[[str], None]) -> None:
        """One connection; a second one when the server has another file than the one that is here."""
        try:
            answer, at = self._opened(part, part.length)
        except Other:
            answer, at = self._opened(part, 0)
        try:
            self._check_told(checksum)
            if at == 0:
                self._begin(part, answer)
            while part.length < part.size_bytes:
                piece = self._some(answer, part)
                part.write(piece)
                tell("fetching")
                self._pace.stop.wait(self._pace.allow(len(piece)))
        finally:
            answer.close()

    def _check_told(self, checksum: Checksum) -> None:
        """Raises: RemoteRefused when the hub contradicts its listing."""
        told = self._told
        # Where it tells no sha256, its ETag is git's hash of the pointer to a large file.
        if told is not None and told != checksum and told.is_of_git == checksum.is_of_git:
            raise RemoteRefused(f"the hub tells another checksum of {self._address.shown} than before")

    def _opened(self, part: Part, at: int) -> tuple[Answer, int]:
        """The answer to a question for all bytes from `at` on, and where its body begins."""
        headers = {"Range": f"bytes={at}-"} if at else {}
        if at and part.etag and not part.etag.startswith("W/"):
            headers["If-Range"] = part.etag
        answer = self._ask(headers)
        try:
            return answer, first_byte(answer, at, part.etag, part.size_bytes, self._access)
        except BaseException:
            answer.close()
            raise

    def _begin(self, part: Part, answer: Answer) -> None:
        """The first bytes: of another kind of file nothing is kept, and nothing that is here is lost."""
        head = b""
        while len(head) < min(HEAD, part.size_bytes):
            head += self._some(answer, part, len(head))
        check_head(answer, head)
        part.restart(answer.header("ETag"))
        part.write(head)
        self._pace.stop.wait(self._pace.allow(len(head)))

    def _some(self, answer: Answer, part: Part, at: int | None = None) -> bytes:
        at = part.length if at is None else at
        piece = answer.some(min(PIECE, part.size_bytes - at))
        if not piece:
            host = answer.address.origin.host
            raise RemoteUnreachable(f"{host} broke off in the middle of the file", hint="try again later")
        return piece

    def _ask(self, headers: dict[str, str]) -> Answer:
        budget = Patience(self._pace.stop, self._pace.stall_s)
        return ask(self._address, headers, self._access, budget, self._meet)

    def _meet(self, answer: Answer) -> None:
        """Hear what the hub itself says; of the servers that it sends us to nothing of this is believed."""
        is_hub = answer.address.origin == self._access.endpoint.origin
        if is_hub and (self._told is None or self._told.is_of_git):
            self._told = checksum_told(answer) or self._told
        if answer.status in (429, 503):
            self._retry_after_s = _seconds(answer.header("Retry-After"))


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() and len(text) <= 9 else 0.0
