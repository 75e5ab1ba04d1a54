"""`GET /v1/models`: what can be asked for, in the shape OpenAI clients list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.context import choose_context
from ggtui.core.errors import ModelNotFound
from ggtui.core.nearness import near_names

if TYPE_CHECKING:
    from ggtui.core.models import ModelSummary, RunningTarget
    from ggtui.core.ports.catalog import ModelCatalogPort
    from ggtui.proxy.ports import RunningServers

CREATED = 1735689600
"""Unix time given for every model: files have no birth that a client could use, and it must never change."""


class ModelsApi:
    """The models as clients see them: those that can be started, in a stable order."""

    def __init__(self, catalog: ModelCatalogPort, servers: RunningServers, default_ctx: int) -> None:
        self._catalog = catalog
        self._servers = servers
        self._default_ctx = default_ctx

    async def listing(self, *, is_all: bool = False) -> dict[str, object]:
        """The list. is_all: broken ones too, each with its status.

        Raises: StoreUnavailable.
        """
        running = await self._running()
        models = await self._catalog.list_models()
        shown = [model for model in models if is_all or model.problem is None]
        return {"object": "list", "data": [self._entry(model, running.get(model.id)) for model in shown]}

    async def one(self, name: str) -> dict[str, object]:
        """One model by public id or number.

        Raises: ModelNotFound, StoreUnavailable.
        """
        model = await self._catalog.resolve_model(name)
        if model is None:
            known = [each.public_id for each in await self._catalog.list_models()]
            raise ModelNotFound(name, near=near_names(name, known))
        return self._entry(model, (await self._running()).get(model.id))

    async def _running(self) -> dict[int, RunningTarget]:
        return {server.model_id: server for server in await self._servers.list_running()}

    def _entry(self, model: ModelSummary, running: RunningTarget | None) -> dict[str, object]:
        n_ctx = (
            running.effective_ctx
            if running is not None
            else choose_context(
                None, model.n_ctx_chosen, self._default_ctx, model.n_ctx_train, model.n_ctx_advised
            ).n_ctx
        )
        return {
            "id": model.public_id,
            "object": "model",
            "created": CREATED,
            "owned_by": "ggtui",
            "context_window": n_ctx,
            "max_context_window": model.n_ctx_train,
            "capabilities": list(model.capabilities),
            "aliases": [],
            "status": "error" if model.problem else "ready",
            "is_running": running is not None,
            "meta": {
                "catalog_id": model.id,
                "name": model.name,
                "architecture": model.architecture,
                "quantisation": model.quantisation,
                "size": model.size_bytes,
                "n_params": model.n_params,
                "n_ctx_train": model.n_ctx_train,
            },
        }
