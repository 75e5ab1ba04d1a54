"""Which header fields may cross the proxy, in each direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.models import RunningTarget

Fields = list[tuple[bytes, bytes]]

BY_NAME = "ggtui.fields"
"""The ASGI extension by which a request's scope holds its fields by name, the last one of each."""

_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"te",
        b"trailer",
        b"trailers",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
    )
)
_NOT_UP = _HOP_BY_HOP | {
    b"expect",
    b"host",
    b"content-length",
    b"authorization",
    b"x-api-key",
    b"api-key",
    b"cookie",
    b"accept-encoding",
    b"origin",
    b"referer",
    b"forwarded",
    b"x-conversation-id",  # llama-server would generate on after the client has gone
    b"x-request-id",
}
_NOT_UP_PREFIXES = (b"proxy-", b"sec-", b"x-forwarded-", b"x-ggtui-")
_NOT_DOWN = _HOP_BY_HOP | {
    b"set-cookie",
    b"server",
    b"date",
    b"alt-svc",
    b"strict-transport-security",
    b"x-request-id",
}
_NONE: frozenset[bytes] = frozenset()
_NOT_DOWN_PREFIXES = (b"proxy-", b"access-control-", b"x-ggtui-")


def upstream_head(
    method: str,
    target: bytes,
    fields: Iterable[tuple[bytes, bytes]],
    server: RunningTarget,
    n_body: int | None,
) -> bytes:
    """The whole head of the request to a model's server.

    target: path and query as they go up. n_body: bytes of the body; None for a request without one.
    The only credential in it is the server's own.
    """
    host = server.base_url.partition("://")[2].rstrip("/")
    lines = [method.encode() + b" " + target + b" HTTP/1.1", b"host: " + host.encode()]
    lines += [name + b": " + value for name, value in upstream_fields(fields)]
    if server.api_key:
        lines.append(b"authorization: Bearer " + server.api_key.encode())
    if n_body is not None:
        lines.append(b"content-length: " + str(n_body).encode())
    return b"\r\n".join(lines) + b"\r\n\r\n"


def upstream_fields(fields: Iterable[tuple[bytes, bytes]]) -> Fields:
    """The client's fields that a server may see."""
    fields = list(fields)
    named = _named_by_connection(fields)
    return [
        (name, value)
        for name, value in fields
        if name not in _NOT_UP and name not in named and not name.startswith(_NOT_UP_PREFIXES)
    ]


def client_fields(fields: Fields, *, is_event_stream: bool) -> Fields:
    """The server's fields that a client may see; those of an event stream are set by the proxy."""
    named = _named_by_connection(fields)
    kept = [
        (name, value)
        for name, value in fields
        if name not in _NOT_DOWN and name not in named and not name.startswith(_NOT_DOWN_PREFIXES)
    ]
    if is_event_stream:
        ours = (b"content-type", b"cache-control", b"x-accel-buffering", b"content-length")
        kept = [(name, value) for name, value in kept if name not in ours]
    return kept


def _named_by_connection(fields: Fields) -> frozenset[bytes]:
    """The fields that a Connection field declares to be for one hop only."""
    named = _NONE
    for name, value in fields:
        if name == b"connection":
            named |= {token.strip().lower() for token in value.split(b",")}
    return named
