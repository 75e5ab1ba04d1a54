"""One client of the fast model server: requests are skimmed, large bodies dropped as they come.

What an answer looks like is ordered by header fields, so no body is ever parsed:
`x-fast-chunks: N` a stream of N events, `x-fast-interval-us: T` T microseconds apart,
`x-fast-hold-ms: H` begin to answer after H milliseconds.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from benchmarks.upstream import answers
from benchmarks.upstream.stream import Stream

if TYPE_CHECKING:
    from benchmarks.upstream.timeline import Timeline

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKS = re.compile(rb"\r\nx-fast-chunks: *(\d+)", re.IGNORECASE)
_INTERVAL = re.compile(rb"\r\nx-fast-interval-us: *(\d+)", re.IGNORECASE)
_HOLD = re.compile(rb"\r\nx-fast-hold-ms: *(\d+)", re.IGNORECASE)
_ORDERS = re.compile(rb"\r\nx-fast-", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Manners:
    """How the server meets everybody."""

    props: bytes
    models: bytes
    timeline: Timeline
    credential: re.Pattern[bytes] | None = None
    """What the head of a request must hold; None when no key is asked for."""
    open_paths: frozenset[bytes] = field(default=frozenset((b"/health", b"/v1/health")))


class Conversation(asyncio.Protocol):
    """One keep-alive connection; requests are answered one after the other."""

    def __init__(self, loop: asyncio.AbstractEventLoop, manners: Manners) -> None:
        self._loop = loop
        self._manners = manners
        self._head = b""
        self._buffer = b""
        self._body_left = 0
        self._stream: Stream | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._stream is not None:
            self._stream.stop()

    def pause_writing(self) -> None:
        if self._stream is not None:
            self._stream.pause()

    def resume_writing(self) -> None:
        if self._stream is not None:
            self._stream.resume()

    def data_received(self, data: bytes) -> None:
        if self._body_left:
            self._body_left -= len(data)
            if self._body_left <= 0:
                self._body_left = 0
                self._answer()
            return
        data = self._buffer + data if self._buffer else data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._buffer = data
            return
        self._buffer = b""
        self._head = data[:end]
        length = _LENGTH.search(self._head)
        self._body_left = max(0, (int(length[1]) if length else 0) - (len(data) - end - 4))
        if not self._body_left:
            self._answer()

    def _answer(self) -> None:
        head, manners = self._head, self._manners
        path = head.split(b" ", 2)[1].partition(b"?")[0]
        credential = manners.credential
        if credential is not None and path not in manners.open_paths and not credential.search(head):
            self._write(answers.DENIED)
        elif path.endswith(b"/chat/completions"):
            manners.timeline.note_once("first_request")
            self._complete(head)
        else:
            self._write(self._fixed(path))

    def _fixed(self, path: bytes) -> bytes:
        manners = self._manners
        known = {b"/props": manners.props, b"/slots": answers.SLOTS, b"/v1/models": manners.models}
        if path in manners.open_paths:
            return answers.HEALTH
        return known.get(path, answers.NOT_FOUND)

    def _complete(self, head: bytes) -> None:
        if not _ORDERS.search(head):
            self._write(answers.COMPLETION)
            return
        hold = _HOLD.search(head)
        if hold:
            self._loop.call_later(int(hold[1]) / 1000, self._begin, head)
        else:
            self._begin(head)

    def _begin(self, head: bytes) -> None:
        if self._transport.is_closing():
            return
        chunks = _CHUNKS.search(head)
        if not chunks:
            self._write(answers.COMPLETION)
            return
        interval = _INTERVAL.search(head)
        self._stream = Stream(
            self._loop, self._transport, int(chunks[1]), int(interval[1]) / 1e6 if interval else 0.0
        )
        self._stream.start()

    def _write(self, answer: bytes) -> None:
        self._transport.write(answer)
        if b" HTTP/1.0\r\n" in self._head or self._head.endswith(b" HTTP/1.0"):
            self._transport.close()
