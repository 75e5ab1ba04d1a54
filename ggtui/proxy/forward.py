"""Carries one request to the model it names and the answer back, over a lease."""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

import msgspec

from ggtui.core.admission import Admission
from ggtui.core.errors import (
    EndpointNotReady,
    EngineStopping,
    Failure,
    UpstreamCrashed,
    UpstreamUnreachable,
)
from ggtui.core.routing.endpoints import EndpointStatus
from ggtui.proxy.adapter_list import NOTHING, AdapterNotCarried, opened
from ggtui.proxy.answers import failure_event
from ggtui.proxy.headers import upstream_head
from ggtui.proxy.interrupt import Cause, Interrupted, Interruptible
from ggtui.proxy.relay import EventHold
from ggtui.proxy.upstream_answer import relay_answer
from ggtui.proxy.upstream_connection import UpstreamStopped
from ggtui.proxy.waiting import Telling, timing_header

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ggtui.core.models import RunningTarget
    from ggtui.core.ports.catalog import ModelCatalogPort
    from ggtui.core.ports.runtime import ModelRuntimePort
    from ggtui.proxy.adapter_list import AdapterWish
    from ggtui.proxy.answers import Headers, Reply
    from ggtui.proxy.interrupt import Drain
    from ggtui.proxy.presence import Presence
    from ggtui.proxy.settings import ProxySettings
    from ggtui.proxy.upstream import UpstreamPool
    from ggtui.proxy.upstream_connection import Body


class ForwardRequest(msgspec.Struct, frozen=True):
    """What is to be forwarded. body: None for a request that has none."""

    method: str
    target: bytes
    """Path and query as they go up."""
    fields: list[tuple[bytes, bytes]]
    model: str
    """Public id of the model that is leased."""
    num_ctx: int | None = None
    requested_ctx: int | None = None
    """What the client itself asked for, which its answer repeats."""
    body: bytes | bytearray | None = None
    needs_slot: bool = True
    """False for what a server answers beside its slots."""
    is_stream: bool = False
    """True when the client asked for events: a long wait can then be told."""
    keep_alive_s: float | None = None
    """How long the model stays when idle after this; None leaves that as it is."""
    server: RunningTarget | None = None
    """Asked as it is, once and without a lease; None leases the model."""
    endpoint: str = ""
    """The id that an answer names."""
    named: Headers = []
    """What the header of its answer says of where the request went."""
    wish: AdapterWish | None = None
    """What is applied of adapters; None where llama-server takes no list of them."""
    is_movable: bool = False
    """True when the server's refusal for a too long context is raised: another model may hold it."""

    @property
    def is_anthropic(self) -> bool:
        """True when the client reads Anthropic's events."""
        return b"/messages" in self.target


class Forwarder:
    """Lease, connect, send, relay; once more on a fresh lease when the server died before its first byte."""

    def __init__(
        self,
        runtime: ModelRuntimePort,
        catalog: ModelCatalogPort,
        pool: UpstreamPool,
        settings: ProxySettings,
        drain: Drain,
    ) -> None:
        self._runtime = runtime
        self._catalog = catalog
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
            except AdapterNotCarried as lacking:
                if not chances.is_time_left():
                    raise _not_carried(request, lacking) from None
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
                scales = _scales(request.wish, target)
                head, body = _as_sent(request, target, scales)
                async with self._pool.exchange(target, head, body) as exchange:
                    reply.served_by = _served_by(target, request, scales) + timing_header(admission.waited)
                    await relay_answer(exchange, reply, hold, request, self._catalog)
        finally:
            if telling is not None:
                await telling.end()

    def _telling(self, request: ForwardRequest, reply: Reply, admission: Admission) -> Telling | None:
        """Only a client that reads events can hear of its wait."""
        if not request.is_stream:
            return None
        reply.served_by = request.named  # the wait may be told before a server is there
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
        self._lacking_until: float | None = None
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

    def is_time_left(self) -> bool:
        """Whether to wait for a server that carries what was attached to its model a moment ago."""
        if self._lacking_until is None:
            self._lacking_until = time.monotonic() + self._wait_s
        return time.monotonic() < self._lacking_until

    async def pause(self) -> None:
        """Wait a little longer each time."""
        await asyncio.sleep(self._pause_s)
        self._pause_s = min(0.1, self._pause_s * 1.5)


def _as_sent(request: ForwardRequest, target: RunningTarget, scales: tuple[float, ...]) -> tuple[bytes, Body]:
    """The head, with the start of the body behind it where that is ours, and the rest of the body."""
    start, body = b"", request.body
    if body is None:
        return upstream_head(request.method, request.target, request.fields, target, None), b""
    rest: Body = body
    if scales:
        start, rest = opened(body, scales)
    n_body = len(start) + len(rest)
    return upstream_head(request.method, request.target, request.fields, target, n_body) + start, rest


def _scales(wish: AdapterWish | None, target: RunningTarget) -> tuple[float, ...]:
    """What is applied of each adapter that the server carries; nothing where it needs no list.

    Raises: AdapterNotCarried, InvalidRequest.
    """
    if wish is None or not (target.adapters or wish is not NOTHING):
        return ()
    return wish.scales(target.adapters)


def _served_by(target: RunningTarget, request: ForwardRequest, scales: tuple[float, ...]) -> Headers:
    served = [*request.named, (b"x-ggtui-ctx", str(target.effective_ctx).encode())]
    if request.requested_ctx is not None:
        served.append((b"x-ggtui-ctx-requested", str(request.requested_ctx).encode()))
    if any(scales):
        applied = zip(target.adapters, scales, strict=True)
        text = ",".join(f"{name}={scale:.4g}" for name, scale in applied if scale)
        served.append((b"x-ggtui-adapters", text.encode()))
    return served


def _not_carried(request: ForwardRequest, lacking: AdapterNotCarried) -> EndpointNotReady:
    hint = f"the server that runs does not carry {lacking.name} yet"
    return EndpointNotReady(request.endpoint, EndpointStatus.LOADING, hint=hint)


async def _say_in_stream(failure: Failure, request: ForwardRequest, reply: Reply, hold: EventHold) -> None:
    """One error event after the whole events; nothing in any other kind of answer."""
    if reply.is_event_stream and hold.is_between_events:
        await reply.write(failure_event(failure, is_anthropic=request.is_anthropic))
