"""Where a request without a model goes when what would serve it holds too few tokens for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ggtui.core.errors import ContextTooLong
from ggtui.core.routing.route import Route, RouteRule
from ggtui.core.routing.router import context_of
from ggtui.proxy.context_hint import context_hint
from ggtui.proxy.routes import CAPABILITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.models import RunningTarget
    from ggtui.core.ports.catalog import ModelCatalogPort
    from ggtui.core.routing.endpoints import ModelEndpoint
    from ggtui.proxy.answers import Headers
    from ggtui.proxy.body import RequestBody
    from ggtui.proxy.ports import EndpointsPort
    from ggtui.proxy.token_count import TokenCount

_LOG = logging.getLogger(__name__)


class ContextNeed:
    """Routes by the context that a request needs: its text, and what it may generate.

    A request that surely fits is not counted: no token is shorter than a byte. A request with a `num_ctx` or
    with a `lora` list of its own is not for here: it says what it wants.
    """

    def __init__(self, endpoints: EndpointsPort, catalog: ModelCatalogPort, count: TokenCount) -> None:
        self._endpoints = endpoints
        self._catalog = catalog
        self._count = count

    async def route(
        self,
        route: Route,
        path: bytes,
        fields: Headers,
        body: RequestBody,
        running: Sequence[RunningTarget],
    ) -> tuple[Route, int | None]:
        """This route or another one, and the context to ask for when its server must be larger than it is.

        path: one of CAPABILITIES. running: all servers that run.
        Raises: ContextTooLong when nothing that is ready holds so many tokens.
        """
        contexts = {server.model_name: server.effective_ctx for server in running}
        endpoint = route.endpoint
        now = contexts.get(endpoint.base_model, endpoint.max_context_length)
        if len(body.data) + body.max_tokens <= now:
            return route, None
        server = next((each for each in running if each.model_name == endpoint.base_model), None)
        required = await self._count.tokens(path, fields, body.data, server) + body.max_tokens
        available = context_of(endpoint, contexts)
        if required > available:
            route = await self._elsewhere(route, path, required, available, contexts)
        return route, _to_ask_for(route.endpoint, required, contexts)

    async def moved(
        self, route: Route, path: bytes, required: int, available: int, running: Sequence[RunningTarget]
    ) -> tuple[Route, int | None]:
        """The same for a request that its server has refused: estimated too short, its tokens are known now.

        required, available: tokens; what it may generate is a part of the first.
        Raises: ContextTooLong.
        """
        contexts = {server.model_name: server.effective_ctx for server in running}
        route = await self._elsewhere(route, path, required, available, contexts)
        return route, _to_ask_for(route.endpoint, required, contexts)

    async def _elsewhere(
        self, route: Route, path: bytes, required: int, available: int, contexts: dict[str, int]
    ) -> Route:
        router = self._endpoints.router
        larger = router.roomiest(required, CAPABILITIES[path], contexts)
        if larger is None:
            hint = await context_hint(self._catalog, route.endpoint.base_model, required)
            raise ContextTooLong(route.endpoint.id, required=required, available=available, hint=hint)
        found = Route(larger, RouteRule.CONTEXT, f"{required} > {available}")
        self._endpoints.brought_elsewhere(larger.id, found.words)
        _LOG.info("a request without a model goes to %s: %s", larger.id, found.words)
        return found


def _to_ask_for(endpoint: ModelEndpoint, required: int, contexts: dict[str, int]) -> int | None:
    """None leaves a server as it is, or as it would be started."""
    is_too_small = contexts.get(endpoint.base_model, required) < required
    return endpoint.max_context_length if is_too_small else None
