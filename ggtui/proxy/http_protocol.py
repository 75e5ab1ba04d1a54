"""One client connection: uvicorn's httptools protocol behind guards that neither of the two has.

The head is judged here before the parser sees it, deadlines run in every phase, reading never pauses while
an answer is made (so a client that goes is noticed), and nothing is ever written into a running answer.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ggtui.proxy.answers import refusal_bytes
from ggtui.proxy.deadline import Deadline
from ggtui.proxy.head import HeadBuffer, HeadRefused, RequestHead, read_head
from ggtui.proxy.request_cycle import RequestCycle, scope_of

if TYPE_CHECKING:
    import asyncio

    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from ggtui.proxy.settings import HttpLimits

_MAX_FRAMING_BYTES = 64 * 1024
"""Chunk sizes, extensions and trailers may be this large, or as large as the body they frame."""
_FAR_OVER_CAP = 32
"""Connections over the cap that still get an answer; the others are just closed."""


class _Phase(Enum):
    HEAD = auto()
    BODY = auto()
    ANSWERING = auto()
    LINGERING = auto()


class GuardedHttpProtocol(HttpToolsProtocol):
    """See the module. Invariant: at most one request is open per connection; a second one ends it."""

    # Fields come from the judged head, so that trailers can never become headers.
    on_header = None  # type: ignore[assignment]
    on_url = None  # type: ignore[assignment]
    cycle: RequestCycle  # type: ignore[assignment]

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
        self._limits = limits
        self._phase = _Phase.HEAD
        self._buffer = HeadBuffer(limits.max_head_bytes)
        self._head: RequestHead | None = None
        self._is_idle = False
        self._keep_alive = True
        self._is_ending = False
        self._has_cycle = False
        self._n_fed = 0
        self._n_body = 0
        self._deadline = Deadline(self.loop)
        self._stall = Deadline(self.loop)

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        excess = len(self.connections) - self._limits.max_connections
        if excess > _FAR_OVER_CAP:
            transport.abort()
        elif excess > 0:
            self._refuse(503, "too many connections")
        else:
            self._deadline.set(self._limits.head_timeout_s, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.end()
        self._stall.end()
        self._leave_cycle()
        super().connection_lost(exc)

    def eof_received(self) -> None:
        """A client that closes its sending side counts as gone: nothing tells it from one that left."""
        if self._phase in (_Phase.BODY, _Phase.ANSWERING):
            self._leave_cycle()
            self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_writing()

    def resume_writing(self) -> None:
        self._stall.clear()
        if self.transport.is_closing():
            self._watch_writing()
        super().resume_writing()

    def shutdown(self) -> None:
        """The server stops: idle connections close now, the others after their answer."""
        self._keep_alive = False
        if self._phase in (_Phase.BODY, _Phase.ANSWERING):
            self.cycle.keep_alive = False
        elif self._phase is _Phase.LINGERING:
            self.transport.abort()
        else:
            self._close()

    # Bytes in

    def data_received(self, data: bytes) -> None:
        if self._phase is _Phase.HEAD:
            self._take_head(data)
        elif self._phase is _Phase.BODY:
            self._feed(data)
        elif self._phase is _Phase.ANSWERING:
            self._end_after_answer()

    def _take_head(self, data: bytes) -> None:
        try:
            whole = self._buffer.take(data)
            if whole is not None:
                self._head = read_head(whole[0], self._limits.max_fields)
        except HeadRefused as refused:
            self._refuse(refused.status, refused.text)
            return
        if self._head is not None and whole is not None:
            self._begin_request(self._head, whole[1])
        elif self._is_idle:
            self._is_idle = False
            self._deadline.set(self._limits.head_timeout_s, self._head_is_late)

    def _begin_request(self, head: RequestHead, rest: bytes) -> None:
        self._deadline.clear()
        self._phase = _Phase.BODY
        self._has_cycle = False
        self._n_fed = self._n_body = 0
        self._feed(head.wire, is_head=True)
        if rest:
            self.data_received(rest)
        if self._phase is _Phase.BODY and not self._deadline.is_set:
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
        if self._phase is not _Phase.BODY:
            self._end_after_answer()

    def on_headers_complete(self) -> None:
        if self._phase is not _Phase.BODY or self._head is None:
            return
        self._keep_alive = not self._head.is_http10 and self.parser.should_keep_alive()
        self.cycle = RequestCycle(
            scope_of(self._head, self.server, self.client),
            self,
            self.flow,
            self.server_state.default_headers,
            expects_continue=self._head.expects_continue,
        )
        self._has_cycle = True
        self._start_asgi_task(cast("Any", self.cycle), self.app)

    def on_body(self, body: bytes) -> None:
        if self._phase is _Phase.BODY:
            self._n_body += len(body)
            self.cycle.take(body)

    def on_message_complete(self) -> None:
        if self._phase is not _Phase.BODY:
            return
        self._deadline.clear()
        self._phase = _Phase.ANSWERING
        self.cycle.keep_alive = self._keep_alive
        self.cycle.taken()

    # What a cycle may ask for

    def write(self, data: bytes) -> None:
        """Send; never waits."""
        self.transport.write(data)

    def answered(self) -> None:
        """An answer is written: wait for the next request, or end as the client can read it."""
        self.server_state.total_requests += 1
        if self.cycle.keep_alive:
            self._phase = _Phase.HEAD
            self._is_idle = True
            self._deadline.set(self.timeout_keep_alive, self._close)
        elif self._is_ending or self._phase is _Phase.BODY:
            self._linger()
        else:
            self._close()

    def cut(self) -> None:
        """An answer stays incomplete."""
        if self._phase is not _Phase.LINGERING:
            self._close()

    # Ends

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
        self.write(refusal_bytes(status, text))
        self._linger()

    def _leave_cycle(self) -> None:
        """The application hears that its client has gone."""
        if self._has_cycle:
            self.cycle.gone()
            self.flow.resume_writing()

    def _linger(self) -> None:
        # Closing a socket with unread input sends a reset, which can overtake the answer.
        self._phase = _Phase.LINGERING
        self._buffer.clear()
        self.flow.resume_reading()
        if not self.transport.is_closing():
            self.transport.write_eof()
        self._deadline.set(self._limits.linger_s, self._drop)

    def _close(self) -> None:
        """Close when everything written is out."""
        self.transport.close()
        self._watch_writing()

    def _drop(self) -> None:
        self.transport.abort()

    # Deadlines

    def _watch_writing(self) -> None:
        """A client that takes nothing of what waits for it is dropped, also while the connection closes."""
        if not self._stall.is_set and self.transport.get_write_buffer_size():
            self._stall.set(self._limits.write_stall_s, self._drop)

    def _head_is_late(self) -> None:
        if self._buffer:
            self._refuse(408, "the head took too long")
        else:
            self._close()

    def _watch_body(self, n_before: int) -> None:
        self._deadline.set(self._limits.body_timeout_s, self._body_is_late, n_before)

    def _body_is_late(self, n_before: int) -> None:
        if self._n_body - n_before >= self._limits.min_body_rate * self._limits.body_timeout_s:
            self._watch_body(self._n_body)
        elif self._has_cycle and self.cycle.response_started:
            self.transport.abort()
        else:
            self._refuse(408, "the body took too long")
