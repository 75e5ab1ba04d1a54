"""One client connection: uvicorn's httptools protocol behind guards that neither of the two has.

The head is judged here before the parser sees it, deadlines run in every phase, reading never pauses while
an answer is made (so a client that goes is noticed), and nothing is ever written into a running answer.
"""

from __future__ import annotations

import asyncio
import logging
import os
import urllib.parse
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ggtui.proxy.answers import refusal_bytes
from ggtui.proxy.head import HeadRefused, RequestHead, read_head

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application, ASGISendEvent
    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from ggtui.proxy.settings import HttpLimits

_LOG = logging.getLogger(__name__)
_MAX_FRAMING_BYTES = 64 * 1024
"""Chunk sizes, extensions and trailers may be this large, or as large as the body they frame."""
_ENDLESS = 1 << 62


class _Phase(Enum):
    HEAD = auto()
    BODY = auto()
    ANSWERING = auto()
    LINGERING = auto()


class _Cycle(RequestResponseCycle):
    """One request and its answer. An answer that is not completed ends with the connection."""

    async def run_asgi(self, app: ASGI3Application) -> None:
        try:
            await app(self.scope, self.receive, self.send)
        except Exception as error:
            # The text of a foreign exception may hold a piece of the request.
            _LOG.error("application failed: %s", type(error).__name__)
        finally:
            self.on_response = lambda: None
            if not self.response_complete and not self.disconnected:
                self.transport.close()


class _OldCycle(_Cycle):
    """The same for HTTP/1.0, where a body of unknown length ends with the connection."""

    async def send(self, message: ASGISendEvent) -> None:
        if message["type"] == "http.response.start":
            is_sized = any(name.lower() == b"content-length" for name, _ in message.get("headers", ()))
            if not is_sized:
                self.chunked_encoding = False
            await super().send(message)
            if not is_sized:
                self.expected_content_length = _ENDLESS
            return
        if self.expected_content_length > _ENDLESS >> 1 and message["type"] == "http.response.body":
            is_last = not message.get("more_body", False)
            self.expected_content_length = len(message.get("body", b"")) if is_last else _ENDLESS
        await super().send(message)


class _AnswerSide:
    """What a cycle sees of the transport: it may write, and its close is the connection's decision."""

    def __init__(self, protocol: GuardedHttpProtocol, transport: asyncio.Transport) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = protocol.finish


class GuardedHttpProtocol(HttpToolsProtocol):
    """See the module. Invariant: at most one request is open per connection; a second one ends it."""

    # Fields come from the judged head, so that trailers can never become headers.
    on_header = None  # type: ignore[assignment]
    on_url = None  # type: ignore[assignment]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: HttpLimits,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.access_log = False
        self._limits = limits
        self._phase = _Phase.HEAD
        self._buffer = bytearray()
        self._head: RequestHead | None = None
        self._keep_alive = True
        self._is_ending = False
        self._has_cycle = False
        self._n_fed = 0
        self._n_body = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        excess = len(self.connections) - self._limits.max_connections
        if excess > 32:
            transport.abort()
        elif excess > 0:
            self._refuse(503, "too many connections")
        else:
            self._arm(self._limits.head_timeout_s, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self._end_stall()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def eof_received(self) -> None:
        """A client that closes its sending side counts as gone: nothing tells it from one that left."""
        if self._phase in (_Phase.BODY, _Phase.ANSWERING):
            self._leave_cycle()
            self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(self._limits.write_stall_s, self._drop)

    def resume_writing(self) -> None:
        self._end_stall()
        super().resume_writing()

    def shutdown(self) -> None:
        """The server stops: idle connections close now, the others after their answer."""
        self._keep_alive = False
        if self._phase in (_Phase.BODY, _Phase.ANSWERING):
            self.cycle.keep_alive = False
        elif self._phase is _Phase.LINGERING:
            self.transport.abort()
        else:
            self.transport.close()

    # Bytes in

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._phase is _Phase.HEAD:
            self._take_head(data)
        elif self._phase is _Phase.BODY:
            self._feed(data)
        elif self._phase is _Phase.ANSWERING:
            self._end_after_answer()

    def _take_head(self, data: bytes) -> None:
        buffer = self._buffer
        searched = max(0, len(buffer) - 3)
        buffer += data
        if buffer.startswith(b"\r\n"):  # one empty line before a request is forgiven, RFC 9112 §2.2
            del buffer[:2]
            searched = 0
        end = buffer.find(b"\r\n\r\n", searched)
        if end > self._limits.max_head_bytes or (end < 0 and len(buffer) > self._limits.max_head_bytes):
            self._refuse(431, f"the head is larger than {self._limits.max_head_bytes} bytes")
        elif end >= 0:
            self._judge(bytes(buffer[:end]), bytes(buffer[end + 4 :]))
        elif buffer and not _may_become_head(buffer, searched):
            self._refuse(400, "malformed head")
        elif self._deadline is None:
            self._arm(self._limits.head_timeout_s, self._head_is_late)

    def _judge(self, head: bytes, rest: bytes) -> None:
        self._disarm()
        self._buffer.clear()
        try:
            self._head = read_head(head, self._limits.max_fields)
        except HeadRefused as refused:
            self._refuse(refused.status, refused.text)
            return
        self._phase = _Phase.BODY
        self._has_cycle = False
        self._n_fed = self._n_body = 0
        self._feed(self._head.wire, is_head=True)
        if rest:
            self.data_received(rest)
        if self._phase is _Phase.BODY and self._deadline is None:
            self._watch_body(0)

    def _feed(self, data: bytes, *, is_head: bool = False) -> None:
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if self._phase is _Phase.BODY:
                self._body_is_broken()
            else:
                self._end_after_answer()
            return
        if not is_head:
            self._n_fed += len(data)
            if self._n_fed - self._n_body > max(_MAX_FRAMING_BYTES, self._n_body):
                self._body_is_broken()

    # Parser callbacks

    def on_message_begin(self) -> None:
        if self._phase is _Phase.BODY:
            super().on_message_begin()
        else:
            self._end_after_answer()

    def on_headers_complete(self) -> None:
        if self._phase is not _Phase.BODY or self._head is None:
            return
        head, scope = self._head, self.scope
        path = head.raw_path.decode("ascii")
        scope["method"] = head.method
        scope["http_version"] = "1.0" if head.is_http10 else "1.1"
        scope["path"] = urllib.parse.unquote(path) if "%" in path else path
        scope["raw_path"] = head.raw_path
        scope["query_string"] = head.query
        scope["headers"] = head.fields
        self._keep_alive = not head.is_http10 and self.parser.should_keep_alive()
        self.cycle = (_OldCycle if head.is_http10 else _Cycle)(
            scope=scope,
            transport=cast("asyncio.Transport", _AnswerSide(self, self.transport)),
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=head.expects_continue,
            keep_alive=False,  # until the body is in: an answer before that ends the connection
            on_response=self.on_response_complete,
        )
        self._has_cycle = True
        self._start_asgi_task(self.cycle, self.app)

    def on_body(self, body: bytes) -> None:
        if self._phase is _Phase.BODY:
            self._n_body += len(body)
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._phase is not _Phase.BODY:
            return
        self._disarm()
        self._phase = _Phase.ANSWERING
        self.cycle.keep_alive = self._keep_alive
        super().on_message_complete()

    # Ends

    def on_response_complete(self) -> None:
        """An answer is written: wait for the next request."""
        self.server_state.total_requests += 1
        if self._phase is not _Phase.ANSWERING or self.transport.is_closing():
            return
        self._phase = _Phase.HEAD
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def finish(self) -> None:
        """Close after what was written; when input is unread, first let the client read the answer."""
        if self.cycle.response_complete and (self._is_ending or self._phase is _Phase.BODY):
            self._linger()
        elif self._phase is not _Phase.LINGERING:
            self.transport.close()

    def _end_after_answer(self) -> None:
        self._is_ending = True
        self._keep_alive = False
        if self._has_cycle:
            self.cycle.keep_alive = False

    def _body_is_broken(self) -> None:
        if self._has_cycle and self.cycle.response_started:
            self._end_after_answer()
            self._phase = _Phase.ANSWERING
        else:
            self._refuse(400, "malformed request")

    def _refuse(self, status: int, text: str) -> None:
        self._leave_cycle()
        self.transport.write(refusal_bytes(status, text))
        self._linger()

    def _leave_cycle(self) -> None:
        """The application hears that its client has gone."""
        if self._has_cycle and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self.flow.resume_writing()

    def _linger(self) -> None:
        # Closing a socket with unread input sends a reset, which can overtake the answer.
        self._phase = _Phase.LINGERING
        self._buffer.clear()
        self.flow.resume_reading()
        if not self.transport.is_closing():
            self.transport.write_eof()
        self._arm(self._limits.linger_s, self._drop)

    def _drop(self) -> None:
        self.transport.abort()

    # Deadlines

    def _arm(self, delay_s: float, late: Any, *args: object) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(delay_s, late, *args)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _head_is_late(self) -> None:
        if self._buffer:
            self._refuse(408, "the head took too long")
        else:
            self.transport.close()

    def _watch_body(self, n_before: int) -> None:
        self._arm(self._limits.body_timeout_s, self._body_is_late, n_before)

    def _body_is_late(self, n_before: int) -> None:
        self._deadline = None
        if self._n_body - n_before >= self._limits.min_body_rate * self._limits.body_timeout_s:
            self._watch_body(self._n_body)
        elif self._has_cycle and self.cycle.response_started:
            self.transport.abort()
        else:
            self._refuse(408, "the body took too long")


def _may_become_head(buffer: bytearray, searched: int) -> bool:
    """False when no further byte can make this a sound head."""
    if not (65 <= buffer[0] <= 90) and buffer != b"\r":
        return False
    bare_lf = buffer.find(b"\n", searched)
    while bare_lf >= 0:
        if bare_lf == 0 or buffer[bare_lf - 1] != 13:
            return False
        bare_lf = buffer.find(b"\n", bare_lf + 1)
    return True


def connection_cap(wanted: int) -> int:
    """At most `wanted`, and so few that two descriptors for each fit beside sixty-four others."""
    if os.name != "posix":
        return wanted
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, max(8, (soft - 64) // 2))
