"""Questions to running servers, such as `/props`: asking starts none, keeps none and brings none back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.core.errors import EndpointNotFound, InvalidRequest
from ggtui.core.state import TargetState
from ggtui.proxy.body import check_name
from ggtui.proxy.destination import named_by
from ggtui.proxy.forward_request import ForwardRequest
from ggtui.proxy.presence import presence_of
from ggtui.proxy.query import parameters, with_query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.models import RunningTarget
    from ggtui.core.ports.catalog import ModelCatalogPort
    from ggtui.proxy.answers import Receive, Reply
    from ggtui.proxy.forward import Forwarder
    from ggtui.proxy.ports import ControlPort, EndpointsPort, RunningServers


class Questions:
    """Goes without a lease to the server that is meant, over a connection that a stop closes."""

    def __init__(
        self,
        servers: RunningServers,
        catalog: ModelCatalogPort,
        endpoints: EndpointsPort,
        control: ControlPort,
        forwarder: Forwarder,
    ) -> None:
        self._servers = servers
        self._catalog = catalog
        self._endpoints = endpoints
        self._control = control
        self._forwarder = forwarder

    async def ask(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """GET one of TARGET_GETS, `?model=` names one of several.

        Raises: InvalidRequest when nothing runs or it is not clear who is meant, EndpointNotFound.
        """
        server = await self._meant(parameters(scope).get("model", ""))
        target = with_query(scope["raw_path"], scope)
        named = named_by(server.model_name)
        request = ForwardRequest(
            "GET", target, scope["headers"], server.model_name, named=named, server=server
        )
        await self._forwarder.forward(request, presence_of(scope), reply)

    async def servers(self) -> Sequence[RunningTarget]:
        """Those that may be asked: they run, and were not told to stop."""
        return [server for server in await self._servers.list_running() if not self._is_ending(server)]

    async def _meant(self, name: str) -> RunningTarget:
        wanted = await self._model_id(name) if name else None
        running = await self.servers()
        meant = [server for server in running if wanted in (None, server.model_id)]
        if len({server.model_id for server in meant}) == 1:  # any replica speaks for its model
            return meant[0]
        names = " and ".join(server.model_name for server in running)
        if not running:
            raise InvalidRequest("no model is running", param="model")
        if meant:
            raise InvalidRequest(f"several models are running: name {names}", param="model")
        raise InvalidRequest(f"{name} is not running, but {names}", param="model")

    async def _model_id(self, name: str) -> int:
        """Of the model behind a name, whether or not that is ready."""
        check_name(name)
        known = self._endpoints.router.find(name)
        endpoint = known or (await self._endpoints.route(name)).endpoint
        model = await self._catalog.resolve_model(endpoint.base_model)
        if model is None:
            raise EndpointNotFound(name)
        return model.id

    def _is_ending(self, server: RunningTarget) -> bool:
        # A request in flight to a server that was told to stop keeps it from ending.
        targets = self._control.snapshot().targets
        return any(
            each.base_url == server.base_url and each.state is TargetState.STOPPING for each in targets
        )
