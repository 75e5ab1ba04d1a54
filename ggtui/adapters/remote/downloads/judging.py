"""Whether an answer is the file that was asked for, judged before a byte of it is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ggtui.adapters.remote.refusals import refusal
from ggtui.core.errors import FileCorrupt

if TYPE_CHECKING:
    from ggtui.adapters.remote.access import Access
    from ggtui.adapters.remote.exchange import Answer

MAGIC = b"GGUF"
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})", re.ASCII)
_POINTER = b"version https://git-lfs"


class Other(Exception):
    """The server goes on with something else than what is here: all of it is to be asked for anew."""


def first_byte(answer: Answer, at: int, etag: str, size_bytes: int, access: Access) -> int:
    """Where in the file the body begins: at `at`, or at 0 when the server sends the whole of it.

    etag: of the bytes before `at`.
    Raises: Other, FileCorrupt, RemoteRefused, RemoteUnreachable.
    """
    if answer.status == 200:
        length = answer.header("Content-Length")
        if length not in ("", str(size_bytes)):
            raise not_the_file(answer, b"" if len(length) > 6 else answer.some(64))
        return 0
    if answer.status == 416 and at:
        raise Other
    if answer.status != 206:
        raise refusal(answer, access)
    match = _CONTENT_RANGE.fullmatch(answer.header("Content-Range"))
    start, _, size = map(int, match.groups()) if match else (-1, -1, -1)
    if (start, size) == (at, size_bytes) and (not at or not etag or answer.header("ETag") == etag):
        return at
    if at:
        raise Other
    raise FileCorrupt(
        f"{answer.address.origin.host} sends another part of {answer.address.file_name} than was asked for"
    )


def check_head(answer: Answer, head: bytes) -> None:
    """Raises: FileCorrupt when a file that begins so is no model."""
    if head[:4] != MAGIC[: len(head)] or not head:
        raise not_the_file(answer, head)


def not_the_file(answer: Answer, head: bytes) -> FileCorrupt:
    """What is sent in its place, in words."""
    host, name = answer.address.origin.host, answer.address.shown
    is_page = head.lstrip().lower().startswith((b"<!doc", b"<html"))
    if is_page or answer.header("Content-Type").lower().startswith("text/html"):
        return FileCorrupt(f"a web page comes in place of {name}", hint="look at it in a browser")
    if head.startswith(_POINTER[: len(head) or 1]):
        return FileCorrupt(f"{host} sends git's pointer to the file in place of {name}")
    if head and head[:4] != MAGIC[: len(head)]:
        return FileCorrupt(f"{name} is no GGUF file")
    return FileCorrupt(f"{name} has another size than the hub tells")
