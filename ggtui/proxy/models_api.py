"""`GET /v1/models`: what can be asked for, in the shape OpenAI clients list."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from ggtui.core.routing.router import ModelListEntry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ggtui.core.models import ModelSummary, RunningTarget
    from ggtui.core.ports.catalog import ModelCatalogPort
    from ggtui.core.routing.endpoints import ModelEndpoint
    from ggtui.proxy.ports import DeploymentsPort, EndpointsPort, RunningServers


class ModelsApi:
    """The endpoints as clients see them: models, adapters of models and stacks of adapters, by id."""

    def __init__(
        self,
        catalog: ModelCatalogPort,
        servers: RunningServers,
        endpoints: EndpointsPort,
        deployments: DeploymentsPort | None = None,
    ) -> None:
        self._catalog = catalog
        self._servers = servers
        self._endpoints = endpoints
        self._deployments = deployments

    async def listing(self, *, is_all: bool = False) -> dict[str, object]:
        """The list. is_all: those that do not serve too, each with its status and the reason.

        Raises: StoreUnavailable.
        """
        await self._catalog.list_models()  # waits for the first look at the folders
        shown = [each for each in self._endpoints.all if is_all or each.status.is_available]
        return {"object": "list", "data": await self._entries(shown)}

    async def one(self, name: str) -> dict[str, object]:
        """One endpoint by any name that a request may send, also one that does not serve.

        Raises: EndpointNotFound, StoreUnavailable.
        """
        known = self._endpoints.router.find(name)
        endpoint = known or (await self._endpoints.route(name)).endpoint
        return (await self._entries([endpoint]))[0]

    async def _entries(self, endpoints: Sequence[ModelEndpoint]) -> list[dict[str, object]]:
        running = {server.model_id: server for server in await self._servers.list_running()}
        models = {model.public_id: model for model in await self._catalog.list_models()}
        return [self._entry(each, models.get(each.base_model), running) for each in endpoints]

    def _entry(
        self, endpoint: ModelEndpoint, model: ModelSummary | None, servers: Mapping[int, RunningTarget]
    ) -> dict[str, object]:
        running = servers.get(model.id) if model is not None else None
        entry: dict[str, object] = {
            **asdict(ModelListEntry(str(endpoint.id))),
            "context_window": running.effective_ctx if running is not None else endpoint.max_context_length,
            "max_context_window": model.n_ctx_train if model is not None else None,
            "capabilities": list(endpoint.capabilities),
            "aliases": list(self._endpoints.router.registry.aliases_of(endpoint.id)),
            "status": str(endpoint.status),
            "is_running": running is not None,
            "meta": {
                **(_facts(model) if model is not None else {}),
                **(_adapters(endpoint) if endpoint.stack.adapters else {}),
            },
        }
        live = self._deployments.get(endpoint.deployment) if self._deployments is not None else None
        if live is not None:
            entry["deployment"] = {"name": live.name, "runtime": str(live.kind), "model": live.rules.model}
        if endpoint.backends:
            entry["backends"] = list(endpoint.backends)
        if endpoint.why:
            entry["reason"] = endpoint.why
        return entry


def _facts(model: ModelSummary) -> dict[str, object]:
    return {
        "catalog_id": model.id,
        "name": model.name,
        "architecture": model.architecture,
        "quantisation": model.quantisation,
        "size": model.size_bytes,
        "n_params": model.n_params,
        "n_ctx_train": model.n_ctx_train,
    }


def _adapters(endpoint: ModelEndpoint) -> dict[str, object]:
    return {
        "base": endpoint.base_model,
        "adapter": endpoint.adapter,
        "adapters": [{"name": each.name, "weight": each.weight} for each in endpoint.stack.adapters],
    }
