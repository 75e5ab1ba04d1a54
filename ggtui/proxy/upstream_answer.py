"""Passes a server's answer on; a refusal for a too long context in the words that clients know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from ggtui.core.errors import ContextTooLong, UpstreamProtocolError, UpstreamUnauthorized
from ggtui.proxy.answers import STREAM_HEADERS, document_event, failure_document
from ggtui.proxy.context_hint import context_hint
from ggtui.proxy.headers import client_fields
from ggtui.proxy.relay import relay_events, relay_plain

if TYPE_CHECKING:
    from ggtui.core.ports.catalog import ModelCatalogPort
    from ggtui.proxy.answers import Reply
    from ggtui.proxy.relay import EventHold
    from ggtui.proxy.upstream import Exchange

MAX_ERROR_BYTES = 64 * 1024


class Asked(Protocol):
    """What an answer must know of its request."""

    @property
    def model(self) -> str:
        """Public id of the model."""

    @property
    def endpoint(self) -> str:
        """The id that an answer names."""

    @property
    def is_anthropic(self) -> bool:
        """True when the client reads Anthropic's events."""


async def relay_answer(
    exchange: Exchange, reply: Reply, hold: EventHold, asked: Asked, catalog: ModelCatalogPort
) -> None:
    """Begin the reply as the server began its answer, and pass the rest on as it comes.

    Raises: UpstreamFailure.
    """
    head = exchange.head
    if head.status == 401:
        raise UpstreamUnauthorized("the model's server did not take the key it was started with")
    if head.status == 407 or 300 <= head.status < 400:
        raise UpstreamProtocolError(f"the model's server answered with status {head.status}")
    if reply.is_only_waiting:
        await _relay_into_stream(exchange, reply, hold, asked, catalog)
        return
    is_refused = head.status == 400 and head.media_type == b"application/json"
    if is_refused and await _relay_refusal(exchange, reply, asked, catalog):
        return
    reply.is_event_stream = exchange.is_event_stream
    fields = client_fields(head.fields, is_event_stream=reply.is_event_stream)
    await reply.begin(head.status, fields + (STREAM_HEADERS if reply.is_event_stream else []))
    if reply.is_event_stream:
        await relay_events(exchange, reply, hold)
    else:
        await relay_plain(exchange, reply)


async def _relay_into_stream(
    exchange: Exchange, reply: Reply, hold: EventHold, asked: Asked, catalog: ModelCatalogPort
) -> None:
    """The answer behind comments about the wait. A refusal becomes an event: its status can no longer go.

    Raises: UpstreamProtocolError for anything but events or a short JSON refusal.
    """
    reply.is_only_waiting = False
    if exchange.is_event_stream:
        await relay_events(exchange, reply, hold)
        return
    body = b""
    while len(body) < MAX_ERROR_BYTES and (data := await exchange.read()):
        body += data
    try:
        refusal = await context_refusal(body, asked, catalog) or msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise UpstreamProtocolError(
            f"the model's server answered with status {exchange.head.status}"
        ) from None
    await reply.write(document_event(refusal, is_anthropic=asked.is_anthropic))


async def _relay_refusal(exchange: Exchange, reply: Reply, asked: Asked, catalog: ModelCatalogPort) -> bool:
    """Pass a short refusal on; one for a too long context in the words clients know. False when not short."""
    declared = exchange.head.get(b"content-length")
    if not declared.isdigit() or int(declared) > MAX_ERROR_BYTES:
        return False
    body = b""
    while data := await exchange.read():
        body += data
    mapped = await context_refusal(body, asked, catalog)
    fields = client_fields(exchange.head.fields, is_event_stream=False)
    if mapped is not None:
        body = msgspec.json.encode(mapped)
        fields = [(name, value) for name, value in fields if name != b"content-length"]
        fields.append((b"content-length", str(len(body)).encode()))
    await reply.begin(400, fields)
    await reply.write(body)
    return True


async def context_refusal(
    body: bytes, asked: Asked, catalog: ModelCatalogPort
) -> dict[str, dict[str, object]] | None:
    """llama-server's `exceed_context_size_error` as ours, with its own two numbers; None for any other."""
    numbers = _numbers_of(body)
    if numbers is None:
        return None
    required, available = numbers
    hint = await context_hint(catalog, asked.model, required)
    failure = ContextTooLong(asked.endpoint, required=required, available=available, hint=hint)
    document = failure_document(failure)
    document["error"] |= {"n_prompt_tokens": required, "n_ctx": available}
    return document


def _numbers_of(body: bytes) -> tuple[int, int] | None:
    """Tokens of the prompt and of the context; None unless it is that error."""
    try:
        error: Any = msgspec.json.decode(body)["error"]
        if error["type"] != "exceed_context_size_error":
            return None
        return int(error["n_prompt_tokens"]), int(error["n_ctx"])
    except (msgspec.DecodeError, ValueError, KeyError, TypeError, RecursionError):
        return None
