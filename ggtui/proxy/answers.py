"""Answers that ggtui writes itself: JSON, and failures in the shape OpenAI clients know."""

from __future__ import annotations

import http
import math
from typing import TYPE_CHECKING, Any

import msgspec

from ggtui.core.errors import ContextTooLong, Failure, HealthCheckFailed, InvalidApiKey, SpawnFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Send = Callable[[Any], Awaitable[None]]
    Receive = Callable[[], Awaitable[Any]]

Headers = list[tuple[bytes, bytes]]

RETRY_AFTER_S = 5
EVENT_STREAM = b"text/event-stream"
STREAM_HEADERS: Headers = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    (b"connection", b"keep-alive"),
    (b"x-accel-buffering", b"no"),
]


class Reply:
    """The answer to one request. `is_begun` tells whether its status has gone to the client."""

    __slots__ = ("_send", "extra", "is_begun", "is_event_stream", "is_only_waiting", "served_by")

    def __init__(self, send: Send, extra: Headers) -> None:
        """extra: header fields that every answer to this request carries."""
        self._send = send
        self.extra = extra
        self.served_by: Headers = []
        self.is_begun = False
        self.is_event_stream = False
        self.is_only_waiting = False
        """True while nothing but comments about the wait has gone to the client."""

    @property
    def has_answered(self) -> bool:
        """True when a part of an answer has gone to the client: no other one can follow."""
        return self.is_begun and not self.is_only_waiting

    async def begin(self, status: int, headers: Headers) -> None:
        """Send the status and the header fields."""
        self.is_begun = True
        fields = [*headers, *self.extra, *self.served_by]
        await self._send({"type": "http.response.start", "status": status, "headers": fields})

    async def begin_events(self) -> None:
        """Begin an answer that goes on as server-sent events."""
        self.is_event_stream = True
        await self.begin(200, STREAM_HEADERS)

    async def write(self, body: bytes) -> None:
        """Send a piece of the body; waits while the client does not read."""
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self, body: bytes = b"") -> None:
        """Send the last piece."""
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def json(self, document: object, status: int = 200, headers: Headers | None = None) -> None:
        """Send a whole JSON answer."""
        await self.whole(status, msgspec.json.encode(document), b"application/json", headers)

    async def whole(
        self, status: int, body: bytes, media_type: bytes, headers: Headers | None = None
    ) -> None:
        """Send a whole answer of known length."""
        own = [(b"content-type", media_type), (b"content-length", str(len(body)).encode())]
        await self.begin(status, own + (headers or []))
        await self.end(body)

    async def failure(self, failure: Failure, headers: Headers | None = None) -> None:
        """Send a failure as the whole answer."""
        await self.json(failure_document(failure), failure.status, failure_headers(failure) + (headers or []))


def failure_document(failure: Failure) -> dict[str, dict[str, object]]:
    """`{"error": {...}}` with message, type, param, code, and `reason` and `hint` where there are any.

    A ContextTooLong has `required` and `available` tokens too.
    """
    error: dict[str, object] = {
        "message": failure.message,
        "type": failure.error_type,
        "param": failure.param,
        "code": failure.code,
    }
    if isinstance(failure, (SpawnFailed, HealthCheckFailed)):
        error["reason"] = str(failure.reason)
    if isinstance(failure, ContextTooLong):
        error |= {"required": failure.required, "available": failure.available}
    if failure.hint:
        error["hint"] = failure.hint
    return {"error": error}


def failure_headers(failure: Failure) -> Headers:
    """What a status brings along: when to come again, how to identify."""
    if failure.status in (429, 503):
        return [(b"retry-after", str(_retry_after_s(failure)).encode())]
    if isinstance(failure, InvalidApiKey):
        return [(b"www-authenticate", b"Bearer")]
    return []


def _retry_after_s(failure: Failure) -> int:
    """Whole seconds, at least one."""
    seconds: float | None = getattr(failure, "retry_after_s", None)
    return math.ceil(max(1.0, RETRY_AFTER_S if seconds is None else seconds))


def failure_event(failure: Failure, *, is_anthropic: bool = False) -> bytes:
    """The failure as one server-sent event, for an answer that has begun."""
    return document_event(failure_document(failure), is_anthropic=is_anthropic)


def document_event(document: object, *, is_anthropic: bool = False) -> bytes:
    """An error document as one server-sent event."""
    if is_anthropic and isinstance(document, dict):
        return b"event: error\ndata: " + msgspec.json.encode({"type": "error", **document}) + b"\n\n"
    return b"data: " + msgspec.json.encode(document) + b"\n\n"


_REFUSAL_CODES = {
    405: "method_not_allowed",
    408: "request_timeout",
    431: "request_too_large",
    503: "too_many_connections",
}


def refusal_bytes(status: int, text: str) -> bytes:
    """A whole HTTP answer for a request that never became one; the connection ends with it."""
    is_busy = status == 503
    error = {
        "message": text,
        "type": "service_unavailable" if is_busy else "invalid_request_error",
        "param": None,
        "code": _REFUSAL_CODES.get(status, "invalid_request"),
    }
    body = msgspec.json.encode({"error": error})
    retry = f"retry-after: {RETRY_AFTER_S}\r\n" if is_busy else ""
    head = (
        f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n{retry}connection: close\r\n\r\n"
    )
    return head.encode() + body
