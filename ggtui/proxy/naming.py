"""Which endpoint serves a request: the one that it names, else the default or what context decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.errors import EndpointNotReady, InvalidRequest
from ggtui.proxy.adapter_list import NOTHING, AdapterWish
from ggtui.proxy.routes import BASE_ALONE_POSTS, CAPABILITIES, LIST_POSTS, MODEL_POSTS

if TYPE_CHECKING:
    from ggtui.core.routing.endpoints import ModelEndpoint
    from ggtui.core.routing.route import Route
    from ggtui.proxy.adapter_list import OwnEntry
    from ggtui.proxy.answers import Headers
    from ggtui.proxy.body import RequestBody
    from ggtui.proxy.context_need import ContextNeed
    from ggtui.proxy.ports import EndpointsPort, RunningServers


class Naming:
    """Routes requests by name, and judges what of adapters they may ask for."""

    def __init__(self, endpoints: EndpointsPort, servers: RunningServers, need: ContextNeed) -> None:
        self._endpoints = endpoints
        self._servers = servers
        self._need = need

    async def route(self, path: bytes, fields: Headers, body: RequestBody) -> tuple[Route, int | None]:
        """The route of a request, and the context it asks for.

        Raises: EndpointNotFound, NoModelsAvailable, EndpointNotReady, ContextTooLong.
        """
        if body.model:
            return await self._endpoints.route(body.model), body.num_ctx
        running = await self._servers.list_running()
        newest = running[-1].model_name if running else None
        route = await self._endpoints.route(None, newest)
        is_elsewhere = not route.endpoint.base_model  # nobody here knows what another server holds
        if is_elsewhere or body.num_ctx is not None or body.lora is not None or path not in CAPABILITIES:
            return route, body.num_ctx
        return await self._need.route(route, path, fields, body, running)

    def wish(self, path: bytes, route: Route, body: RequestBody) -> AdapterWish | None:
        """What the request applies of adapters; None where llama-server takes no list.

        Raises: InvalidRequest, EndpointNotReady for an adapter that is switched off.
        """
        stack = route.endpoint.stack
        if path not in LIST_POSTS:
            if stack.adapters and path in BASE_ALONE_POSTS:
                raise InvalidRequest(
                    _not_here(path, route.endpoint.id), hint=f"name {route.endpoint.base_model}"
                )
            return None
        if body.lora and not route.endpoint.base_model:
            raise InvalidRequest(f"{route.endpoint.id} is not served here, and takes no lora", param="lora")
        if body.lora is None:
            return AdapterWish(stack) if stack.adapters else NOTHING
        if stack.adapters:
            raise InvalidRequest(
                f"{route.endpoint.id} chooses adapters already, so the request can have no lora of its own",
                param="lora",
                hint=f"name {route.endpoint.base_model}",
            )
        for entry in body.lora:
            self._check_known(route.endpoint.base_model, entry)
        return AdapterWish(own=body.lora)

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
    return (
        f"llama-server applies adapters to generated text only, and not on {at_server}: "
        f"{endpoint} cannot be asked here"
    )
