"""Passes on what a server answers that is asked by the rules of a deployment, once it is judged."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ggtui.core.deployment.outcomes import upstream_kind
from ggtui.core.deployment.retry import parse_retry_after
from ggtui.core.errors import (
    EndpointNotReady,
    ModelLoading,
    UpstreamBadRequest,
    UpstreamFailure,
    UpstreamProtocolError,
    UpstreamRateLimited,
    UpstreamUnauthorized,
)
from ggtui.core.routing.endpoints import EndpointStatus
from ggtui.proxy.answers import STREAM_HEADERS, document_event
from ggtui.proxy.headers import client_fields
from ggtui.proxy.upstream_answer import MAX_ERROR_BYTES, context_refusal
from ggtui.proxy.usage import Meter, meter_chat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.errors import Failure
    from ggtui.core.ports.catalog import ModelCatalogPort
    from ggtui.proxy.answers import Headers, Reply
    from ggtui.proxy.key_mask import KeyMask
    from ggtui.proxy.ports import PassagePort
    from ggtui.proxy.relay import EventHold
    from ggtui.proxy.upstream import Exchange, UpstreamLimits
    from ggtui.proxy.upstream_answer import Asked

_DONE: Final = b"data: [DONE]\n\n"
_MAX_TOLD_CHARS: Final = 500
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class Terms(msgspec.Struct, frozen=True):
    """How one attempt is made."""

    deployment: str
    """Its name."""
    limits: UpstreamLimits
    may_repeat: bool = True
    """False: a request that may have reached the server is never sent again."""
    mask: KeyMask | None = None
    """Takes the key out of everything that a client reads; None where none was sent."""
    backend: str = ""
    """Name of the declared backend that is asked; empty for the deployment's own server."""
    hides_usage: bool = False
    """True when ggtui asked for the usage of a stream, and the client did not."""
    has_others: bool = False
    """True when other backends have the model too: one that has lost it is passed over."""

    @property
    def server(self) -> str:
        """What is asked, in the words of a sentence."""
        return (
            f"backend '{self.backend}'" if self.backend else f"the server of deployment '{self.deployment}'"
        )

    def refusal(self, body: bytes) -> bytes:
        """The body of a refusal, or a piece of it, as a client may see it."""
        return body if self.mask is None else self.mask.refusal(body)

    def fields_of(self, exchange: Exchange, *, is_event_stream: bool = False) -> Headers:
        """What a client may see of the answer's header."""
        fields = client_fields(exchange.head.fields, is_event_stream=is_event_stream)
        return fields if self.mask is None else self.mask.fields(fields)


class _Rest(msgspec.Struct, frozen=True):
    """What has not gone to the client of an answer that is whole."""

    last: bytes
    begin: tuple[int, Headers] | None = None
    """Status and fields, when even these have not gone."""
    refusal: Failure | None = None
    """What the answer means when it is no success: the request itself is at fault."""


async def relay_judged(
    exchange: Exchange,
    reply: Reply,
    hold: EventHold,
    asked: Asked,
    terms: Terms,
    passage: PassagePort,
    catalog: ModelCatalogPort,
) -> None:
    """Pass a sound answer on but for its end; before the last of it goes the passage is told, and left.

    The reply begins with the first byte or event that there is: until then another server may be asked.
    Raises: UpstreamFailure, ModelLoading; before anything has gone to the client for a server that fails.
    """
    status = exchange.head.status
    if status == 407 or 300 <= status < 400:
        raise UpstreamProtocolError(f"{terms.server} answered {status}")
    if status >= 400:
        rest = await _refused(exchange, reply, asked, terms, catalog)
    elif exchange.is_event_stream:
        meter = Meter(passage, hides_usage=terms.hides_usage)
        rest = _Rest(await _relay_events(exchange, reply, hold, terms, meter))
    elif reply.is_only_waiting:
        raise UpstreamProtocolError(f"{terms.server} answered with no events")
    elif terms.mask is None and (body := exchange.rest()) is not None:
        if not meter_chat(passage, body):
            Meter(passage).whole(body)
        rest = _Rest(body, (status, client_fields(exchange.head.fields, is_event_stream=False)))
    else:
        rest = await _relay_plain(exchange, reply, terms, Meter(passage))
    if rest.refusal is not None:
        passage.attempt_failed(rest.refusal)
    else:
        passage.attempt_succeeded()
    if unwritten := passage.leave():
        await all_written(unwritten)
    if rest.begin is not None:
        await reply.begin(*rest.begin)
    if rest.last:
        await reply.write(rest.last)


async def all_written(writes: Iterable[asyncio.Future[None]]) -> None:
    """Wait for these; who is cancelled meanwhile leaves them running."""
    for write in writes:
        await asyncio.shield(write)


async def _relay_events(
    exchange: Exchange, reply: Reply, hold: EventHold, terms: Terms, meter: Meter
) -> bytes:
    hold.rest()  # of an attempt before this one
    mask, last = terms.mask, b""
    try:
        while data := await exchange.read():
            ready = hold.take(data)
            if not ready:
                continue
            if not reply.has_answered:
                exchange.expect_more()
            exchange.saw_life()
            if mask is not None:
                ready = mask.answer(ready)
            seen = last + meter.events(ready)
            last = _DONE if seen.endswith(_DONE) else b""
            await _write_event(exchange, reply, terms, seen[: len(seen) - len(last)])
    except UpstreamFailure:
        if not last:
            raise
    rest = hold.rest() if mask is None else mask.answer(hold.rest())
    last += meter.events(rest) if rest else b""
    await _write_event(exchange, reply, terms, b"")
    meter.end()
    return last


async def _write_event(exchange: Exchange, reply: Reply, terms: Terms, data: bytes) -> None:
    if not reply.is_begun:
        reply.is_event_stream = True
        await reply.begin(200, terms.fields_of(exchange, is_event_stream=True) + STREAM_HEADERS)
    reply.is_only_waiting = False
    if data:
        await reply.write(data)


async def _relay_plain(exchange: Exchange, reply: Reply, terms: Terms, meter: Meter) -> _Rest:
    begin, mask = (exchange.head.status, terms.fields_of(exchange)), terms.mask
    data = await exchange.read()
    while data:
        exchange.saw_life()
        meter.plain(data)
        more = await exchange.read()
        if mask is not None:
            data, more = mask.pieces(data, more)
        if not more:
            break
        if not reply.is_begun:
            await reply.begin(*begin)
        await reply.write(data)
        data = more
    meter.end()
    return _Rest(data, None if reply.is_begun else begin)


async def _refused(
    exchange: Exchange, reply: Reply, asked: Asked, terms: Terms, catalog: ModelCatalogPort
) -> _Rest:
    """Raise what the refusal means, or pass it on as it is when the request is at fault.

    Raises: UpstreamFailure, ModelLoading, EndpointNotReady.
    """
    status = exchange.head.status
    body, is_whole = await _start_of_body(exchange)
    body = terms.refusal(body)
    error = _error_in(body)
    kind = upstream_kind(status, error.code)
    if status == 404 and terms.has_others:
        why = f"{terms.server} answered 404"
        raise EndpointNotReady(terms.deployment, EndpointStatus.ERROR, hint=why)
    if kind is not None and not issubclass(kind, UpstreamBadRequest):
        raise _failure(exchange, kind, error, terms)
    document = await context_refusal(body, asked, catalog) if status == 400 else None
    if document is not None:
        body = msgspec.json.encode(document)
    refusal = (kind or UpstreamBadRequest)(f"{terms.server} answered {status}")
    if reply.is_only_waiting:
        await _say_refusal(reply, body, asked, terms, refusal)
        return _Rest(b"", refusal=refusal)
    fields = terms.fields_of(exchange)
    await reply.begin(status, _sized(fields, len(body)) if document is not None else fields)
    while not is_whole:
        await reply.write(body)
        body = terms.refusal(await exchange.read())
        is_whole = not body
    return _Rest(body, refusal=refusal)


async def _start_of_body(exchange: Exchange) -> tuple[bytes, bool]:
    """As much as an error may have, and whether that is all of it."""
    body = b""
    while len(body) < MAX_ERROR_BYTES:
        data = await exchange.read()
        if not data:
            return body, True
        body += data
    return body, False


async def _say_refusal(reply: Reply, body: bytes, asked: Asked, terms: Terms, refusal: Failure) -> None:
    """As an event: the status can no longer go."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise refusal from None
    reply.is_only_waiting = False
    event = document_event(document, is_anthropic=asked.is_anthropic)
    await reply.write(terms.refusal(event))  # the key may have been spelled with escapes


def _sized(fields: Headers, n_body: int) -> Headers:
    kept = [(name, value) for name, value in fields if name != b"content-length"]
    return [*kept, (b"content-length", str(n_body).encode())]


class _Error(msgspec.Struct, frozen=True):
    """What the body of a refusal says."""

    message: str = ""
    code: str = ""


def _error_in(body: bytes) -> _Error:
    try:
        document: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _Error()
    error = document.get("error", document) if isinstance(document, dict) else None
    if isinstance(error, str):
        return _Error(error)
    if not isinstance(error, dict):
        return _Error()
    message, code = error.get("message"), error.get("code")
    return _Error(message if isinstance(message, str) else "", code if isinstance(code, str) else "")


def _failure(exchange: Exchange, kind: type[UpstreamFailure], error: _Error, terms: Terms) -> Failure:
    status, place = exchange.head.status, terms.server
    if kind is UpstreamUnauthorized:  # what it says of the key is for nobody else
        return UpstreamUnauthorized(f"{place} did not take its key")
    if status == 503 and error.message == "Loading model":
        return ModelLoading()
    told = _plain(error.message, terms.mask)
    text = f"{place} answered {status}"
    if kind is UpstreamRateLimited:
        asked_for = exchange.head.get(b"retry-after").decode("latin-1")
        return UpstreamRateLimited(text, told=told, retry_after_s=parse_retry_after(asked_for, time.time()))
    return kind(text, told=told)


def _plain(message: str, mask: KeyMask | None) -> str:
    """Text of a server as a client may read it: one line of bounded length, without ggtui's key."""
    if mask is not None:
        message = mask.words(message)
    return _CONTROL.sub(" ", message)[:_MAX_TOLD_CHARS].strip()
