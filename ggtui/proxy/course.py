"""Carries one request through its deployment: let in, tried, tried again, and handed to the fallbacks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from ggtui.core.admission import Admission
from ggtui.core.deployment.outcomes import outcome_of
from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.errors import (
    CircuitOpen,
    EndpointNotFound,
    EndpointNotReady,
    Failure,
    ModelLoading,
    UpstreamUnauthorized,
)
from ggtui.core.routing.endpoints import EndpointStatus, ModelEndpoint, ModelId
from ggtui.core.routing.route import Route
from ggtui.proxy.adapter_list import NOTHING
from ggtui.proxy.destination import Destination
from ggtui.proxy.elsewhere import Attempt, Elsewhere, limits_of
from ggtui.proxy.judged_answer import Terms, all_written
from ggtui.proxy.pauses import Pauses
from ggtui.proxy.remote import place_of
from ggtui.proxy.upstream_connection import UpstreamStopped

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ggtui.core.deployment.deployment import Deployment
    from ggtui.proxy.answers import Reply
    from ggtui.proxy.backend_places import BackendPlaces
    from ggtui.proxy.forward_request import ForwardRequest, Ruled
    from ggtui.proxy.leased import Leased
    from ggtui.proxy.ports import EndpointsPort, LivePort, PassagePort
    from ggtui.proxy.relay import EventHold
    from ggtui.proxy.waiting import Telling

_READY: Final = EndpointStatus.READY


class Course:
    """Lives on the engine's loop. In whatever way a request ends, it holds nothing of a deployment then."""

    def __init__(
        self,
        endpoints: EndpointsPort,
        leased: Leased,
        elsewhere: Elsewhere,
        places: BackendPlaces | None = None,
    ) -> None:
        """places: None where no backends can be declared."""
        self._endpoints = endpoints
        self._leased = leased
        self._elsewhere = elsewhere
        self._places = places
        self._kept_terms: dict[str, tuple[Deployment, Terms]] = {}
        """How a model of this machine is asked by the rules of a deployment, while they are the same."""

    def run(self, request: ForwardRequest, ruled: Ruled, reply: Reply, hold: EventHold) -> Awaitable[None]:
        """Answer but for the end; the last of it goes when the request is settled, which has left then.

        When every place of the chain fails, what the first one said is raised: it is the one that was asked.
        Raises: Failure, here or later.
        """
        assert request.route is not None
        asked = request.route.endpoint
        if len(ruled.chain) > 1:
            return self._along(request, asked, ruled, reply, hold)
        live = ruled.chain[0]
        _check_ready(asked, live)
        return self._through(live, request, ruled, reply, hold)

    async def _along(
        self, request: ForwardRequest, asked: ModelEndpoint, ruled: Ruled, reply: Reply, hold: EventHold
    ) -> None:
        first: Failure | None = None
        for live in ruled.chain:
            try:
                if first is None:
                    _check_ready(asked, live)
                carried = request if first is None else self._for_fallback(request, live)
                await self._through(live, carried, ruled, reply, hold)
                return
            except Failure as failure:
                is_final = isinstance(failure, UpstreamStopped) or not outcome_of(failure).falls_back
                if is_final or reply.has_answered:
                    raise
                first = first or failure
        raise first or EndpointNotFound(asked.id)

    async def _through(
        self, live: LivePort, request: ForwardRequest, ruled: Ruled, reply: Reply, hold: EventHold
    ) -> None:
        reply.served_by = request.named  # of a failure before anything is asked
        passage = live.enter_at_once(ruled) or await self._entered(live, request, ruled, reply)
        try:
            if passage.taken is None:
                passage.take_breaker()
            try:
                await self._attempt(live, passage, request, reply, hold)
            except Failure as failure:
                await self._again(failure, live, passage, request, reply, hold)
        except BaseException as error:
            await all_written(passage.leave(error))
            raise
        if unwritten := passage.leave():  # nothing, where its answer has gone
            await all_written(unwritten)

    async def _entered(
        self, live: LivePort, request: ForwardRequest, ruled: Ruled, reply: Reply
    ) -> PassagePort:
        """A client that reads events hears of the wait."""
        telling = self._telling(request, reply, f"room at {live.name}")
        try:
            passage = await live.enter(ruled)
        except BaseException:
            if telling is not None:
                await telling.end()
            raise
        try:
            if telling is not None:
                await telling.end()
        except BaseException as error:
            await all_written(passage.leave(error))
            raise
        return passage

    async def _again(
        self,
        failure: Failure,
        live: LivePort,
        passage: PassagePort,
        request: ForwardRequest,
        reply: Reply,
        hold: EventHold,
    ) -> None:
        """Until an attempt after a failed one is answered, while more of them may be made."""
        n_retries = 0
        last: Failure | None = None
        pauses = Pauses(passage, live, partial(self._telling, request, reply))
        while True:
            if isinstance(failure, UpstreamStopped):
                raise failure
            passage.attempt_failed(failure)
            if isinstance(failure, ModelLoading):
                if reply.has_answered or not await pauses.for_load():
                    raise failure
            else:
                is_no_news = isinstance(failure, EndpointNotReady) and live.is_by_backends
                told = last if last is not None and is_no_news else failure
                delay_s = None if reply.has_answered else passage.may_retry(told, n_retries)
                if delay_s is None:
                    raise told
                n_retries += not isinstance(told, UpstreamUnauthorized)
                last = told
                await pauses.before_retry(delay_s)
            try:
                passage.take_breaker()
            except CircuitOpen:
                if last is None:
                    raise
                raise last from None
            try:
                await self._attempt(live, passage, request, reply, hold)
                return
            except Failure as another:
                failure = another

    def _attempt(
        self, live: LivePort, passage: PassagePort, request: ForwardRequest, reply: Reply, hold: EventHold
    ) -> Awaitable[None]:
        if not request.model:
            return self._elsewhere_once(live, passage, request, reply, hold)
        # Of this machine: nobody need ask what serves it.
        rules = live.rules
        kept = self._kept_terms.get(rules.name)
        if kept is None or kept[0] is not rules:
            limits = limits_of(rules.timeouts, RuntimeKind.LLAMA_SERVER)
            kept = self._kept_terms[rules.name] = rules, Terms(rules.name, limits, rules.idempotent)
        return self._leased.answer(request, reply, hold, kept[1], passage)

    def _telling(
        self, request: ForwardRequest, reply: Reply, words: str, waited_s: float = 0.0
    ) -> Telling | None:
        if not request.is_stream:
            return None
        return self._leased.telling(request, reply, Admission(now_waiting_for=lambda: words), waited_s)

    async def _elsewhere_once(
        self, live: LivePort, passage: PassagePort, request: ForwardRequest, reply: Reply, hold: EventHold
    ) -> None:
        rules = live.rules
        attempt = Attempt(live, passage, request, reply, hold)
        if self._places is not None and live.is_by_backends:
            await self._places.answer(attempt)
            return
        place, secret = place_of(rules, live.kind), await live.key()
        await self._elsewhere.answer(attempt, place, rules.model, secret)

    def _for_fallback(self, request: ForwardRequest, live: LivePort) -> ForwardRequest:
        """The same request for another place. Adapters are those of a model, and so not of this one."""
        assert request.route is not None
        found = self._endpoints.router.registry.get(live.name) or ModelEndpoint(ModelId(live.name), "")
        _check_ready(found, live)
        former = request.route
        route = Route(found, former.rule, f"{former.detail} fallback of {former.endpoint.id}".strip())
        wish = NOTHING if request.wish is not None else None
        destination = Destination.of(route)
        return msgspec.structs.replace(
            request,
            model=found.base_model,
            endpoint=found.id,
            named=destination.fields,
            route=route,
            wish=wish,
        )


def _check_ready(endpoint: ModelEndpoint, live: LivePort) -> None:
    """Raises: EndpointNotReady, unless backends serve it: these say themselves what is the matter."""
    status = endpoint.status
    if not (status is _READY or (live.is_by_backends and status is not EndpointStatus.DISABLED)):
        raise EndpointNotReady(endpoint.id, status, hint=endpoint.why)
