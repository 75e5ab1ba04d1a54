"""Carries one request to the model it names and the answer back, over a lease."""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from ggtui.core.admission import Admission
from ggtui.core.errors import (
    EngineStopping,
    Failure,
    UpstreamCrashed,
    UpstreamProtocolError,
    UpstreamUnauthorized,
    UpstreamUnreachable,
)
from ggtui.proxy.answers import EVENT_STREAM, STREAM_HEADERS, failure_event
from ggtui.proxy.headers import client_fields, upstream_head
from ggtui.proxy.interrupt import Cause, Interrupted, Interruptible
from ggtui.proxy.relay import EventHold, relay_events, relay_plain
from ggtui.proxy.upstream_connection import UpstreamStopped
from ggtui.proxy.waiting import Telling, timing_header

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ggtui.core.models import RunningTarget
    from ggtui.core.ports.runtime import ModelRuntimePort
    from ggtui.proxy.answers import Headers, Reply
    from ggtui.proxy.interrupt import Drain
    from ggtui.proxy.presence import Presence
    from ggtui.proxy.settings import ProxySettings
    from ggtui.proxy.upstream import Exchange, UpstreamPool

_MAX_ERROR_BYTES = 64 * 1024


class ForwardRequest(msgspec.Struct, frozen=True):
    """What is to be forwarded. body: None for a request that has none."""

    method: str
    target: bytes
    """Path and query as they go up."""
    fields: list[tuple[bytes, bytes]]
    model: str
    num_ctx: int | None = None
    body: bytes | bytearray | None = None
    needs_slot: bool = True
    """False for what a server answers beside its slots."""
    is_stream: bool = False
    """True when the client asked for events: a long wait can then be told."""
    keep_alive_s: float | None = None
    """How long the model stays when idle after this; None leaves that as it is."""
    server: RunningTarget | None = None
    """Asked as it is, once and without a lease; None leases the model."""


class Forwarder:
    """Lease, connect, send, relay; once more on a fresh lease when the server died before its first byte."""

    def __init__(
        self, runtime: ModelRuntimePort, pool: UpstreamPool, settings: ProxySettings, drain: Drain
    ) -> None:
        self._runtime = runtime
        self._pool = pool
        self._settings = settings
        self._drain = drain

    async def forward(self, request: ForwardRequest, client: Presence, reply: Reply) -> None:
        """Serve the request. The lease, the connection and the place in the queue end with this call.

        When it returns with the reply begun but not ended, the connection must be closed as it is.
        Raises: Failure before the reply has begun; Interrupted when the client has gone.
        """
        hold = EventHold()
        try:
            async with Interruptible(client, self._drain) as work:
                await self._until_answered(request, reply, hold)
                work.settle()
        except Failure as failure:
            if not reply.is_begun:
                raise
            await _say_in_stream(failure, request, reply, hold)
        except Interrupted as interrupted:
            if interrupted.cause is Cause.CLIENT_GONE:
                raise
            stopping = EngineStopping("ggtui is stopping")
            if not reply.is_begun:
                raise stopping from None
            await _say_in_stream(stopping, request, reply, hold)
        else:
            await reply.end()

    async def _until_answered(self, request: ForwardRequest, reply: Reply, hold: EventHold) -> None:
        chances = _Chances(self._settings.restart_wait_s)
        while True:
            try:
                await self._once(request, reply, hold, chances)
            except (UpstreamUnreachable, UpstreamCrashed) as fault:
                has_answered = reply.is_begun and not reply.is_only_waiting
                if has_answered or request.server is not None or not chances.is_one_left(fault):
                    raise
            else:
                return
            await chances.pause()

    async def _once(self, request: ForwardRequest, reply: Reply, hold: EventHold, chances: _Chances) -> None:
        admission = Admission(needs_slot=request.needs_slot, keep_alive_s=request.keep_alive_s)
        telling = self._telling(request, reply, admission)
        try:
            async with self._lease(request, admission) as target:
                if telling is not None:
                    await telling.end()
                chances.target = target
                n_body = len(request.body) if request.body is not None else None
                head = upstream_head(request.method, request.target, request.fields, target, n_body)
                async with self._pool.exchange(target, head, request.body or b"") as exchange:
                    reply.served_by = _served_by(target, request.num_ctx) + timing_header(admission.waited)
                    await _relay(exchange, reply, hold)
        finally:
            if telling is not None:
                await telling.end()

    def _telling(self, request: ForwardRequest, reply: Reply, admission: Admission) -> Telling | None:
        """Only a client that reads events can hear of its wait."""
        if not request.is_stream:
            return None
        return Telling(reply, admission, self._settings.wait_grace_s, self._settings.wait_told_every_s)

    def _lease(
        self, request: ForwardRequest, admission: Admission
    ) -> AbstractAsyncContextManager[RunningTarget]:
        if request.server is not None:
            return nullcontext(request.server)
        return self._runtime.acquire(request.model, request.num_ctx, self._settings.default_ctx, admission)


class _Chances:
    """Whether a request may be sent again, and how long the news of a server's death may take."""

    def __init__(self, wait_s: float) -> None:
        self.target: RunningTarget | None = None
        self._failed: RunningTarget | None = None
        self._wait_s = wait_s
        self._deadline = 0.0
        self._pause_s = 0.02  # a dying process closes its connections before its listening socket

    def is_one_left(self, fault: Failure) -> bool:
        """One fresh start, and until the death is noticed any number of refused connections to the dead."""
        if isinstance(fault, UpstreamStopped):
            return False
        if self._failed is None:
            self._failed = self.target
            self._deadline = time.monotonic() + self._wait_s
            return True
        is_same = self.target == self._failed
        return is_same and isinstance(fault, UpstreamUnreachable) and time.monotonic() < self._deadline

    async def pause(self) -> None:
        """Wait a little longer each time."""
        await asyncio.sleep(self._pause_s)
        self._pause_s = min(0.1, self._pause_s * 1.5)


async def _relay(exchange: Exchange, reply: Reply, hold: EventHold) -> None:
    head = exchange.head
    kind = head.get(b"content-type").partition(b";")[0].strip().lower()
    if head.status == 401:
        raise UpstreamUnauthorized("the model's server did not take the key it was started with")
    if head.status == 407 or 300 <= head.status < 400:
        raise UpstreamProtocolError(f"the model's server answered with status {head.status}")
    if reply.is_only_waiting:
        await _relay_into_stream(exchange, kind, reply, hold)
        return
    if head.status == 400 and kind == b"application/json" and await _relay_refusal(exchange, reply):
        return
    reply.is_event_stream = kind == EVENT_STREAM and head.status == 200
    fields = client_fields(head.fields, is_event_stream=reply.is_event_stream)
    await reply.begin(head.status, fields + (STREAM_HEADERS if reply.is_event_stream else []))
    if reply.is_event_stream:
        await relay_events(exchange, reply, hold)
    else:
        await relay_plain(exchange, reply)


async def _relay_into_stream(exchange: Exchange, kind: bytes, reply: Reply, hold: EventHold) -> None:
    """The answer behind comments about the wait. A refusal becomes an event: its status can no longer go.

    Raises: UpstreamProtocolError for anything but events or a short JSON refusal.
    """
    reply.is_only_waiting = False
    if exchange.head.status == 200 and kind == EVENT_STREAM:
        await relay_events(exchange, reply, hold)
        return
    body = b""
    while len(body) < _MAX_ERROR_BYTES and (data := await exchange.read()):
        body += data
    try:
        refusal = msgspec.json.decode(context_refusal(body) or body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise UpstreamProtocolError(
            f"the model's server answered with status {exchange.head.status}"
        ) from None
    await reply.write(b"data: " + msgspec.json.encode(refusal) + b"\n\n")


async def _relay_refusal(exchange: Exchange, reply: Reply) -> bool:
    """Pass a short refusal on; one for a too long context in the words clients know. False when not short."""
    declared = exchange.head.get(b"content-length")
    if not declared.isdigit() or int(declared) > _MAX_ERROR_BYTES:
        return False
    body = b""
    while data := await exchange.read():
        body += data
    mapped = context_refusal(body)
    fields = client_fields(exchange.head.fields, is_event_stream=False)
    if mapped is not None:
        body = mapped
        fields = [(name, value) for name, value in fields if name != b"content-length"]
        fields.append((b"content-length", str(len(body)).encode()))
    await reply.begin(400, fields)
    await reply.write(body)
    return True


def context_refusal(body: bytes) -> bytes | None:
    """llama-server's `exceed_context_size_error` in OpenAI's words, with both numbers; None for any other."""
    try:
        error = msgspec.json.decode(body)["error"]
        is_it = error["type"] == "exceed_context_size_error"
    except (msgspec.DecodeError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if not is_it:
        return None
    known: dict[str, Any] = {
        "message": error.get("message", "the request is longer than the context"),
        "type": "invalid_request_error",
        "param": None,
        "code": "context_length_exceeded",
        "n_prompt_tokens": error.get("n_prompt_tokens"),
        "n_ctx": error.get("n_ctx"),
    }
    return msgspec.json.encode({"error": known})


def _served_by(target: RunningTarget, num_ctx: int | None) -> Headers:
    served = [
        (b"x-ggtui-endpoint", _as_field_value(target.model_name)),
        (b"x-ggtui-ctx", str(target.effective_ctx).encode()),
    ]
    if num_ctx is not None:
        served.append((b"x-ggtui-ctx-requested", str(num_ctx).encode()))
    return served


@lru_cache(maxsize=64)
def _as_field_value(name: str) -> bytes:
    return quote(name, safe="-._~:/@+ ").encode()


async def _say_in_stream(failure: Failure, request: ForwardRequest, reply: Reply, hold: EventHold) -> None:
    """One error event after the whole events; nothing in any other kind of answer."""
    if reply.is_event_stream and hold.is_between_events:
        is_anthropic = b"/messages" in request.target
        await reply.write(failure_event(failure, is_anthropic=is_anthropic))
