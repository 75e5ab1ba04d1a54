"""Which endpoint serves a request: the one that it names, else the default or what context decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.errors import EndpointNotReady, InvalidRequest
from ggtui.proxy.adapter_list import AdapterWish
from ggtui.proxy.destination import Destination, Destinations
from ggtui.proxy.routes import BASE_ALONE_POSTS, CAPABILITIES, LIST_POSTS, MODEL_POSTS

if TYPE_CHECKING:
    from ggtui.core.errors import ContextTooLong
    from ggtui.core.routing.endpoints import ModelEndpoint
    from ggtui.proxy.adapter_list import OwnEntry
    from ggtui.proxy.answers import Headers
    from ggtui.proxy.body import RequestBody
    from ggtui.proxy.context_need import ContextNeed
    from ggtui.proxy.ports import EndpointsPort, RunningServers


class Naming:
    """Routes requests by name, and judges what of adapters they may ask for."""

    def __init__(self, endpoints: EndpointsPort, servers: RunningServers, need: ContextNeed) -> None:
        self._endpoints = endpoints
        self._destinations = Destinations(endpoints)
        self._servers = servers
        self._need = need

    async def destination(
        self, path: bytes, fields: Headers, body: RequestBody
    ) -> tuple[Destination, int | None]:
        """Where a request goes, and the context to ask for.

        Raises: EndpointNotFound, NoModelsAvailable, EndpointNotReady, ContextTooLong.
        """
        if body.model:
            return await self._destinations.named(body.model), body.num_ctx
        running = await self._servers.list_running()
        newest = running[-1].model_name if running else None
        route, num_ctx = await self._endpoints.route(None, newest), body.num_ctx
        endpoint = route.endpoint
        # Nobody here knows what another server holds, nor which one serves in place of what is not ready.
        is_here = endpoint.base_model and endpoint.status.is_available
        if is_here and self.may_move(path, body):
            route, num_ctx = await self._need.route(route, path, fields, body, running)
        return Destination.of(route), num_ctx

    def may_move(self, path: bytes, body: RequestBody) -> bool:
        """True when the context that the request needs decides which model serves it."""
        says_what_it_wants = body.model or body.num_ctx is not None or body.lora is not None
        return not says_what_it_wants and path in CAPABILITIES

    async def moved(
        self, path: bytes, body: RequestBody, former: Destination, refused: ContextTooLong
    ) -> tuple[Destination, int | None]:
        """Where a request goes that was too long for the server that it went to. Raises: ContextTooLong."""
        required = refused.required + body.max_tokens
        running = await self._servers.list_running()
        route, num_ctx = await self._need.moved(former.route, path, required, refused.available, running)
        return Destination.of(route), num_ctx

    def wish(self, path: bytes, destination: Destination, body: RequestBody) -> AdapterWish | None:
        """What the request applies of adapters; None where llama-server takes no list.

        Raises: InvalidRequest, EndpointNotReady for an adapter that is switched off.
        """
        if path in LIST_POSTS:
            return destination.wish if body.lora is None else self._own(destination, body.lora)
        endpoint = destination.route.endpoint
        if endpoint.stack.adapters and path in BASE_ALONE_POSTS:
            raise InvalidRequest(
                _not_here(path, endpoint.id), hint=f"or name {endpoint.base_model}, the model alone"
            )
        return None

    def _own(self, destination: Destination, entries: tuple[OwnEntry, ...]) -> AdapterWish:
        """The client's own list."""
        endpoint = destination.route.endpoint
        if entries and not endpoint.base_model:
            raise InvalidRequest(f"{endpoint.id} is not served here, and takes no lora", param="lora")
        if endpoint.stack.adapters:
            raise InvalidRequest(
                f"{endpoint.id} chooses adapters already, so the request can have no lora of its own",
                param="lora",
                hint=f"name {endpoint.base_model}, the model alone",
            )
        for entry in entries:
            self._check_known(endpoint.base_model, entry)
        adapters = self._adapters_of(endpoint.base_model)
        shut = tuple(each for each in adapters if not each.status.is_available)
        return AdapterWish(own=entries, shut=shut)

    def _check_known(self, model: str, entry: OwnEntry) -> None:
        if not isinstance(entry.adapter, str):
            return
        known = {each.adapter: each for each in self._adapters_of(model)}
        endpoint = known.get(entry.adapter)
        if endpoint is None:
            has = f"{model} has {', '.join(sorted(filter(None, known)))}" if known else f"{model} has none"
            raise InvalidRequest(f"lora names the adapter '{entry.adapter[:64]}', but {has}", param="lora")
        if not endpoint.status.is_available:
            raise EndpointNotReady(endpoint.id, endpoint.status, hint=endpoint.why)

    def _adapters_of(self, model: str) -> list[ModelEndpoint]:
        """Those of its endpoints that apply one adapter under that adapter's own name."""
        registry = self._endpoints.router.registry
        named = (registry.get(f"{model}:{name}") for name in registry.adapters_of(model))
        return [
            each for each in named if each and [ref.name for ref in each.stack.adapters] == [each.adapter]
        ]


def _not_here(path: bytes, endpoint: str) -> str:
    at_server = MODEL_POSTS[path].decode()
    return f"llama-server applies no adapters on {at_server}: ask {endpoint} for text on /v1/chat/completions"
