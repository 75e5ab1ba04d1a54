"""A request to a model of this machine: leased, sent, and once more on a fresh lease when the server died."""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

from ggtui.core.admission import Admission
from ggtui.core.errors import CircuitOpen, EndpointNotReady, UpstreamCrashed, UpstreamUnreachable
from ggtui.core.routing.endpoints import EndpointStatus
from ggtui.proxy.adapter_list import NOTHING, AdapterNotCarried, opened
from ggtui.proxy.deaths import Deaths
from ggtui.proxy.headers import upstream_head
from ggtui.proxy.judged_answer import relay_judged
from ggtui.proxy.served_by import served_by
from ggtui.proxy.upstream_answer import relay_answer
from ggtui.proxy.upstream_connection import UpstreamStopped
from ggtui.proxy.waiting import Telling, timing_header

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ggtui.core.errors import Failure
    from ggtui.core.models import RunningTarget
    from ggtui.core.ports.catalog import ModelCatalogPort
    from ggtui.core.ports.runtime import ModelRuntimePort
    from ggtui.proxy.adapter_list import AdapterWish
    from ggtui.proxy.answers import Headers, Reply
    from ggtui.proxy.forward_request import ForwardRequest
    from ggtui.proxy.judged_answer import Terms
    from ggtui.proxy.ports import PassagePort
    from ggtui.proxy.relay import EventHold
    from ggtui.proxy.settings import ProxySettings
    from ggtui.proxy.upstream import UpstreamPool
    from ggtui.proxy.upstream_connection import Body


class Leased:
    """Lease, connect, send, relay; once more on a fresh lease when the server died before its first byte."""

    def __init__(
        self,
        runtime: ModelRuntimePort,
        catalog: ModelCatalogPort,
        pool: UpstreamPool,
        settings: ProxySettings,
    ) -> None:
        self._runtime = runtime
        self._catalog = catalog
        self._pool = pool
        self._settings = settings
        self._deaths = Deaths(settings.restart_wait_s)

    async def answer(
        self,
        request: ForwardRequest,
        reply: Reply,
        hold: EventHold,
        terms: Terms | None = None,
        passage: PassagePort | None = None,
    ) -> None:
        """Serve the request, without the end of its answer.

        terms, passage: both or none: those of its deployment, if it has any. Raises: Failure.
        """
        chances = _Chances(self._settings.restart_wait_s)
        while True:
            try:
                await self._once(request, reply, hold, chances, terms, passage)
                return
            except (UpstreamUnreachable, UpstreamCrashed) as fault:
                if passage is not None:
                    self._tell(fault, chances, passage)
                may_repeat = terms is None or terms.may_repeat
                is_last = reply.has_answered or request.server is not None
                if is_last or not chances.is_one_left(fault, may_repeat=may_repeat):
                    raise
                if passage is not None:
                    _try_anew(fault, passage)
            except AdapterNotCarried as lacking:
                if not chances.is_time_left():
                    raise _not_carried(request, lacking) from None
            await chances.pause()

    def _tell(self, fault: Failure, chances: _Chances, passage: PassagePort) -> None:
        """Have the breaker judge the attempt, unless the death of its server was told already."""
        if isinstance(fault, UpstreamStopped):
            return
        if chances.target is None or self._deaths.is_news(chances.target, fault, chances.began_at):
            passage.attempt_failed(fault)
        else:
            passage.learned_nothing()

    def telling(
        self, request: ForwardRequest, reply: Reply, admission: Admission, waited_s: float = 0.0
    ) -> Telling | None:
        """Only a client that reads events can hear of its wait. waited_s: since when it waits already."""
        if not request.is_stream:
            return None
        reply.served_by = request.named  # the wait may be told before a server is there
        grace_s = max(0.0, self._settings.wait_grace_s - waited_s)
        return Telling(reply, admission, grace_s, self._settings.wait_told_every_s)

    async def _once(
        self,
        request: ForwardRequest,
        reply: Reply,
        hold: EventHold,
        chances: _Chances,
        terms: Terms | None,
        passage: PassagePort | None,
    ) -> None:
        admission = Admission(needs_slot=request.needs_slot, keep_alive_s=request.keep_alive_s)
        telling = self.telling(request, reply, admission)
        try:
            async with self._lease(request, admission) as target:
                if telling is not None:
                    await telling.end()
                chances.target, chances.began_at = target, time.monotonic()
                scales = _scales(request.wish, target)
                head, body = _as_sent(request, target, scales)
                timing = timing_header(admission.waited)
                if terms is not None and passage is not None:
                    reply.served_by = served_by(request, terms) + _of_server(target, request, scales) + timing
                    async with self._pool.exchange(
                        target,
                        head,
                        body,
                        limits=terms.limits,
                        may_repeat=terms.may_repeat,
                        sender=passage,
                    ) as exchange:
                        await relay_judged(exchange, reply, hold, request, terms, passage, self._catalog)
                    return
                async with self._pool.exchange(target, head, body) as exchange:
                    reply.served_by = served_by(request) + _of_server(target, request, scales) + timing
                    await relay_answer(exchange, reply, hold, request, self._catalog)
        finally:
            if telling is not None:
                await telling.end()

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
        self.began_at = 0.0
        """When the server was leased."""
        self._failed: RunningTarget | None = None
        self._wait_s = wait_s
        self._deadline = 0.0
        self._lacking_until: float | None = None
        self._pause_s = 0.02  # a dying process closes its connections before its listening socket

    def is_one_left(self, fault: Failure, *, may_repeat: bool) -> bool:
        """One fresh start, and until the death is noticed any number of refused connections to the dead."""
        if isinstance(fault, UpstreamStopped):
            return False
        if not may_repeat and not isinstance(fault, UpstreamUnreachable):
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


def _try_anew(fault: Failure, passage: PassagePort) -> None:
    """Each attempt needs a pass of the breaker. Raises: the fault, when none is given."""
    try:
        passage.take_breaker()
    except CircuitOpen:
        raise fault from None


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


def _of_server(target: RunningTarget, request: ForwardRequest, scales: tuple[float, ...]) -> Headers:
    """What a model of this machine answers with."""
    told = [(b"x-ggtui-ctx", str(target.effective_ctx).encode())]
    if request.requested_ctx is not None:
        told.append((b"x-ggtui-ctx-requested", str(request.requested_ctx).encode()))
    if any(scales):
        applied = zip(target.adapters, scales, strict=True)
        text = ",".join(f"{name}={scale:.4g}" for name, scale in applied if scale)
        told.append((b"x-ggtui-adapters", text.encode()))
    return told


def _not_carried(request: ForwardRequest, lacking: AdapterNotCarried) -> EndpointNotReady:
    hint = f"the server that runs does not carry {lacking.name} yet"
    return EndpointNotReady(request.endpoint, EndpointStatus.LOADING, hint=hint)
