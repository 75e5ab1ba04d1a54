"""One request and its answer, between the bytes of a connection and the ASGI application."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from ggtui.proxy.presence import EXTENSION, Presence

if TYPE_CHECKING:
    from uvicorn.protocols.http.flow_control import FlowControl

    from ggtui.proxy.answers import Headers
    from ggtui.proxy.head import RequestHead

_LOG = logging.getLogger(__name__)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_GONE = {"type": "http.disconnect"}
_NO_BODY = frozenset((204, 304))


def scope_of(head: RequestHead, server: object, client: object) -> dict[str, Any]:
    """The ASGI scope of a judged head. server, client: host and port, or None."""
    path = head.raw_path.decode("ascii")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.0" if head.is_http10 else "1.1",
        "server": server,
        "client": client,
        "scheme": "http",
        "root_path": "",
        "method": head.method,
        "path": unquote(path) if "%" in path else path,
        "raw_path": head.raw_path,
        "query_string": head.query,
        "headers": head.fields,
    }


class Connection(Protocol):
    """What an answer needs of the connection that it goes out on."""

    def write(self, data: bytes) -> None:
        """Send; never waits."""

    def answered(self) -> None:
        """The answer is complete: the next request may come, or the end."""

    def cut(self) -> None:
        """The answer stays incomplete: only the end of the connection can tell."""


class RequestCycle:
    """The `receive` and `send` of one request. An answer that is not completed ends with the connection.

    uvicorn's own was tried: it cannot answer HTTP/1.0 with a body of unknown length, looks at every field
    with two patterns and says `connection` twice when a stream closes.
    """

    def __init__(
        self,
        scope: Any,
        connection: Connection,
        flow: FlowControl,
        standing_fields: Headers,
        *,
        expects_continue: bool,
    ) -> None:
        """standing_fields: what every answer carries, such as the date."""
        self.scope = scope
        self._presence = Presence(flow)
        scope["extensions"] = {EXTENSION: self._presence}
        self._connection = connection
        self._flow = flow
        self._standing_fields = standing_fields
        self._expects_continue = expects_continue
        self.message_event = asyncio.Event()
        self.body = bytearray()
        self.more_body = True
        self.disconnected = False
        self.keep_alive = False
        """Until the body is in: an answer before that ends the connection."""
        self.response_started = False
        self.response_complete = False
        self._is_bodyless = scope["method"] == "HEAD"
        self._is_chunked = False
        self._n_left: int | None = None
        self._held = b""
        """The head, until the first of the body joins it or the loop has turned."""

    async def run_asgi(self, app: Any) -> None:
        """Let the application answer."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception as error:
            # The text of a foreign exception may hold a piece of the request.
            _LOG.error("application failed: %s", type(error).__name__)
        finally:
            if not self.response_complete and not self.disconnected:
                self._flush()
                self._connection.cut()

    # The client

    def take(self, data: bytes) -> None:
        """Some of the body has come."""
        if self.response_complete or self._presence.is_watched:
            return
        self.body += data
        if len(self.body) > HIGH_WATER_LIMIT:
            self._flow.pause_reading()
        self.message_event.set()

    def taken(self) -> None:
        """The body is whole."""
        self.more_body = False
        self.message_event.set()

    def gone(self) -> None:
        """The client has left before its answer was complete."""
        if self.response_complete or self.disconnected:
            return
        self.disconnected = True
        self.message_event.set()
        self._presence.leave()

    # ASGI

    async def receive(self) -> dict[str, Any]:
        """The next piece of the body, later the disconnect."""
        if self._is_over():
            return _GONE
        if self._expects_continue:
            self._expects_continue = False
            self._connection.write(_CONTINUE)
        self._flow.resume_reading()
        await self.message_event.wait()
        self.message_event.clear()
        if self._is_over():
            return _GONE
        body, self.body = self.body, bytearray()
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def send(self, message: Any) -> None:
        """Send the head or a piece of the body; waits while the client does not read."""
        if self._flow.write_paused and not self.disconnected:
            await self._flow.drain()
        if self.disconnected:
            return
        if self.response_started:
            self._write(message["body"], is_last=not message["more_body"])
        else:
            self._begin(message["status"], message["headers"])

    def _is_over(self) -> bool:
        return self.disconnected or self.response_complete

    def _begin(self, status: int, fields: Headers) -> None:
        self.response_started = True
        self._expects_continue = False
        self._is_bodyless = self._is_bodyless or status in _NO_BODY
        lines = [STATUS_LINE[status][:-2]]
        for name, value in (*self._standing_fields, *fields):
            if name == b"content-length":
                self._n_left = int(value)
            if name != b"connection" or self.keep_alive:
                lines.append(name + b": " + value)
        if self._n_left is None and not self._is_bodyless:
            self._is_chunked = self.scope["http_version"] != "1.0"
            if self._is_chunked:
                lines.append(b"transfer-encoding: chunked")
        if not self.keep_alive:
            lines.append(b"connection: close")
        head = b"\r\n".join(lines)
        if head.count(b"\n") != len(lines) - 1 or head.count(b"\r") != len(lines) - 1:
            raise ValueError("a line break in a header field")
        self._held = head + b"\r\n\r\n"
        asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        if self._held and not self.disconnected:
            self._connection.write(self._held)
        self._held = b""

    def _write(self, body: bytes, *, is_last: bool) -> None:
        if self._n_left is not None:
            self._n_left -= len(body)
            if not self._is_bodyless and (self._n_left < 0 or (is_last and self._n_left)):
                raise ValueError("the body is not as long as its head says")
        if self._is_chunked:
            body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            body += b"0\r\n\r\n" if is_last else b""
        if body and not self._is_bodyless:
            self._connection.write(self._held + body if self._held else body)  # each write is a system call
            self._held = b""
        if is_last:
            self._flush()
            self.response_complete = True
            self.message_event.set()
            self._connection.answered()
