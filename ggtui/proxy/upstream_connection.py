"""One HTTP/1.1 client connection to a model server: asyncio.Protocol and httptools, nothing between.

httpx was tried: a sixteenth of the requests per second, and a pool that random cancellation wedges for good
(encode/httpcore#1093). What httptools does not refuse by itself is refused here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, cast

import httptools
import msgspec

from ggtui.core.errors import UpstreamCrashed, UpstreamFailure, UpstreamProtocolError, UpstreamTimedOut

if TYPE_CHECKING:
    from collections.abc import Callable

Body = bytes | bytearray | memoryview

MAX_HEAD_BYTES = 32 * 1024
_TOO_LARGE = "the head of the answer is too large"
HIGH_WATER_BYTES = 256 * 1024
"""The socket is not read while this much of the body waits for the client."""


class UpstreamStopped(UpstreamCrashed):
    """The server is being stopped on purpose: asking again would only bring it back."""

    title = "Model was stopped"


class StaleConnection(UpstreamCrashed):
    """A reused connection ended before it gave one byte: the request may be sent again."""


class UpstreamHead(msgspec.Struct, frozen=True):
    """Status and header fields, names in lower case, in the order they came."""

    status: int
    fields: list[tuple[bytes, bytes]]

    def get(self, name: bytes) -> bytes:
        """The first value of a field, or nothing."""
        for found, value in self.fields:
            if found == name:
                return value
        return b""

    @property
    def media_type(self) -> bytes:
        """The Content-Type without parameters, in lower case."""
        return self.get(b"content-type").partition(b";")[0].strip().lower()


class UpstreamConnection(asyncio.Protocol):
    """Serves one exchange at a time. `is_reusable` only after a whole, sound, keep-alive answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, lost: Callable[[UpstreamConnection], None]) -> None:
        """lost: called once, when the connection has ended."""
        self._loop = loop
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._is_busy = False
        self._is_used = False
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._reset()

    def _reset(self) -> None:
        self._fields: list[tuple[bytes, bytes]] = []
        self._n_head_bytes = 0
        self._is_interim = False
        self._is_until_close = False
        self._is_head_request = False
        self._head: UpstreamHead | None = None
        self._body: deque[bytes] = deque()
        self._n_body_bytes = 0
        self._is_paused = False
        self._is_complete = False
        self._failure: UpstreamFailure | None = None
        self._n_received = 0
        self.is_reusable = False

    # One exchange

    def send(
        self,
        head: bytes,
        body: Body,
        first_byte_timeout_s: float,
        *,
        is_head_request: bool = False,
    ) -> bool:
        """Send a request; its answer is read with `head` and `read`. False when nothing could be sent."""
        self._reset()
        self._is_busy = True
        self._is_head_request = is_head_request
        if self._transport is None or self._transport.is_closing():
            self._fail(StaleConnection("the connection had ended"))
            return False
        self.expect_within(first_byte_timeout_s)
        if body:
            self._transport.writelines((head, body))  # one system call, and no copy of a large body
        else:
            self._transport.write(head)
        return True

    async def head(self) -> UpstreamHead:
        """The final head; interim ones are skipped.

        Raises: UpstreamFailure, StaleConnection.
        """
        while self._head is None:
            if self._failure is not None:
                raise self._failure
            await self._wait()
        return self._head

    async def read(self) -> bytes:
        """What has come of the body since the last call, at least one byte; nothing at its end.

        Raises: UpstreamFailure, only after all sound bytes were handed out.
        """
        while not self._body:
            if self._failure is not None:
                raise self._failure
            if self._is_complete:
                return b""
            await self._wait()
        data = self._body.popleft() if len(self._body) == 1 else b"".join(self._body)
        self._body.clear()
        self._n_body_bytes = 0
        if self._is_paused and self._transport is not None:
            self._is_paused = False
            self._last_sign = self._loop.time()
            self._transport.resume_reading()
        return data

    def rest(self) -> bytes | None:
        """All that is left of the body when its end has come, without waiting; None when it has not."""
        if not self._is_complete or self._is_paused:
            return None
        data = b"".join(self._body)
        self._body.clear()
        self._n_body_bytes = 0
        return data

    def expect_within(self, limit_s: float) -> None:
        """From now on, two signs of life are at most this far apart."""
        self._limit_s = limit_s
        self.saw_life()
        if not self._is_complete:
            self._look_by(self._last_sign + limit_s)

    def saw_life(self) -> None:
        """The answer makes progress; what counts as such is the reader's judgement."""
        self._last_sign = self._loop.time()

    @property
    def silent_s(self) -> float:
        """Seconds since the last sign of life."""
        return self._loop.time() - self._last_sign

    def finish(self) -> bool:
        """End the exchange; True when the connection may serve another one. Else it is closed at once."""
        self._is_busy = False
        if self.is_reusable and self._transport is not None and not self._transport.is_closing():
            self._is_used = True
            return True
        self.abort()
        return False

    def abort(self, failure: UpstreamFailure | None = None) -> None:
        """Close at once; whoever reads gets the failure."""
        if failure is not None:
            self._fail(failure)
        self.is_reusable = False
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.is_reusable = False
        self._lost(self)
        if not self._is_busy or self._is_complete or self._failure is not None:
            return
        if exc is None and self._is_until_close and self._head is not None:
            self._complete()
        elif self._is_used and self._n_received == 0:
            self._fail(StaleConnection("the connection had ended"))
        elif self._head is None:
            self._fail(UpstreamCrashed("the server closed the connection before it answered"))
        else:
            self._fail(UpstreamCrashed("the server ended in the middle of its answer"))

    def data_received(self, data: bytes) -> None:
        if not self._is_busy or self._is_complete:
            self.is_reusable = False  # bytes that nobody asked for: what follows cannot be trusted
            if not self._is_busy:
                self.abort()
            return
        if self._failure is not None:
            return
        self._n_received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.is_reusable = False
            if not self._is_complete:
                self._fail(UpstreamProtocolError(f"the server's answer is not sound: {error}"))
            return
        if self._head is None and self._n_received > MAX_HEAD_BYTES:
            self._fail(UpstreamProtocolError(_TOO_LARGE))

    # Parser callbacks

    def on_message_begin(self) -> None:
        if self._head is not None:
            self.is_reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._n_head_bytes += len(name) + len(value) + 4
        if self._n_head_bytes > MAX_HEAD_BYTES:
            self._refuse(_TOO_LARGE)
        if self._head is None:
            self._fields.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        if self._head is not None:
            return
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            self._is_interim = True
            self._fields = []
            return
        if not 200 <= status < 600:
            self._refuse(f"status {status} is not a final answer")
        self._judge_framing(status)
        self._head = UpstreamHead(status, self._fields)
        if self._is_head_request:
            self._complete()
        self._wake()

    def on_body(self, data: bytes) -> None:
        if self._is_complete:
            return
        self._body.append(data)
        self._n_body_bytes += len(data)
        if self._n_body_bytes > HIGH_WATER_BYTES and not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def on_message_complete(self) -> None:
        if self._is_interim:
            self._is_interim = False
        elif not self._is_complete:
            self.is_reusable = self._parser.should_keep_alive() and not self._is_until_close
            self._complete()

    def _judge_framing(self, status: int) -> None:
        codings, is_sized = [], False
        for name, value in self._fields:
            if name == b"transfer-encoding":
                codings.append(value)
            elif name == b"content-length":
                is_sized = True
        if codings and (
            [coding.lower() for coding in codings] != [b"chunked"]
            or is_sized
            or self._parser.get_http_version() == "1.0"
        ):
            self._refuse("the only transfer coding that is understood is chunked")
        has_body = status not in (204, 304) and not self._is_head_request
        self._is_until_close = has_body and not codings and not is_sized

    def _refuse(self, text: str) -> None:
        self._fail(UpstreamProtocolError(text))
        raise self._failure or UpstreamProtocolError(text)  # stops the parser

    # Ends and waits

    def _complete(self) -> None:
        self._is_complete = True
        self._wake()

    def _fail(self, failure: UpstreamFailure) -> None:
        if self._failure is None and not self._is_complete:
            self._failure = failure
            self.is_reusable = False
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _look_by(self, moment: float) -> None:
        """Look at the silence then at the latest. A look that comes too early only sets the next one.

        So a connection that goes from one request to the next arms no timer for each.
        """
        if self._timer is not None:
            if self._timer_at <= moment:
                return
            self._timer.cancel()
        self._timer_at = moment
        self._timer = self._loop.call_at(moment, self._check_silence)

    def _check_silence(self) -> None:
        self._timer = None
        if not self._is_busy:
            return
        # Bytes that wait for a slow client are no silence of the server.
        since = self._loop.time() - self._last_sign if not self._body else 0.0
        if since >= self._limit_s:
            self.abort(UpstreamTimedOut(f"no sign of life from the server for {self._limit_s:g} s"))
        else:
            self._look_by(self._loop.time() + self._limit_s - since)
