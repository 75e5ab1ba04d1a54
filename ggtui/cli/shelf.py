"""The models on disk and the names that lead to them: as a running ggtui knows them, else looked at now."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ggtui.adapters.gguf.catalog import GgufCatalog
from ggtui.cli.surroundings import instance_state
from ggtui.config.paths import make_private
from ggtui.core.deployment.replicas import ONE
from ggtui.core.errors import ModelNotFound, StoreUnavailable
from ggtui.core.nearness import near_names
from ggtui.core.routing.name_settings import NameSettings, Unnamed
from ggtui.core.routing.registry import ModelRegistry
from ggtui.core.routing.router import ModelRouter
from ggtui.core.stores import StoreKind, StoreRoot
from ggtui.services.catalog import CatalogService
from ggtui.services.endpoints import Endpoints
from ggtui.services.model_settings import SettingsBook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from ggtui.config.schema import Config
    from ggtui.core.deployment.replicas import ReplicaPlan
    from ggtui.core.models import AdapterFile, ModelSummary
    from ggtui.core.ports.catalog import CatalogReport
    from ggtui.core.ports.model_settings import ModelSettingsPort
    from ggtui.core.routing.endpoints import ModelEndpoint


def _nothing() -> ModelRouter:
    return ModelRouter(ModelRegistry())


@dataclass(frozen=True, slots=True)
class Shelf:
    """The models on disk, and what leads to them."""

    models: tuple[ModelSummary, ...]
    report: CatalogReport
    router: ModelRouter = field(default_factory=_nothing)
    names: NameSettings = field(default_factory=NameSettings)
    adapters: Mapping[str, tuple[AdapterFile, ...]] = field(default_factory=dict)
    """LoRA files that a model is launched with, by public id; models without any are not in it."""
    plans: Mapping[str, ReplicaPlan] = field(default_factory=dict)
    """See Room."""

    def model(self, name: str) -> ModelSummary:
        """The model of this public id, else of this number, else behind this name. Raises: ModelNotFound."""
        for key in ("public_id", "id"):
            for model in self.models:
                if str(getattr(model, key)) == name:
                    return model
        endpoint = self.router.find(name)
        if endpoint is not None and endpoint.base_model:
            return self.model(endpoint.base_model)
        failure = not_found(name, [model.public_id for model in self.models])
        failure.hint = self.router.what_was_meant(name) or failure.hint
        raise failure

    def endpoints_of(self, public_id: str) -> tuple[ModelEndpoint, ...]:
        """What can be asked for of one model: itself, its adapters, its stacks, in the order of ids."""
        return tuple(each for each in self.router.registry.all_endpoints if each.base_model == public_id)


def not_found(name: str, known: Sequence[str]) -> ModelNotFound:
    """The failure, with what may have been meant, or where the names are."""
    failure = ModelNotFound(name, near=near_names(name, known))
    failure.hint = failure.hint or "ggtui ls lists the models"
    return failure


async def read_shelf(config: Config, state: dict[str, Any] | None) -> Shelf:
    """The catalog; beside a running ggtui its folders as they were last seen, else looked at now.

    state: the running one's, None when none runs. Raises: StoreUnavailable.
    """
    async with open_endpoints(config, state) as (catalog, endpoints):
        carried = {model.public_id: catalog.options_of(model).adapters for model in catalog.models}
        adapters = {public_id: files for public_id, files in carried.items() if files}
        plans = {model.public_id: catalog.replicas_of(model.public_id) for model in catalog.models}
        plans = {public_id: plan for public_id, plan in plans.items() if plan != ONE}
        return Shelf(catalog.models, catalog.report(), endpoints.router, endpoints.names, adapters, plans)


@asynccontextmanager
async def open_endpoints(
    config: Config, state: dict[str, Any] | None = None, port: ModelSettingsPort | None = None
) -> AsyncIterator[tuple[CatalogService, Endpoints]]:
    """The models with their settings, and the names, closed at the end; see read_shelf.

    port: where settings of models are changed; None where they are only read. Raises: StoreUnavailable.
    """
    async with open_catalog(config, state) as store:
        if state is None:
            await store.refresh()
        yield await _drawn(store, config, state, port)


async def _drawn(
    store: GgufCatalog, config: Config, state: dict[str, Any] | None, port: ModelSettingsPort | None
) -> tuple[CatalogService, Endpoints]:
    """Models, settings and names drawn together."""
    catalog = CatalogService(store, SettingsBook(config.model_settings, config.common_settings, port))
    endpoints = Endpoints(catalog, _names(config, state), config.n_ctx, config.deployments)
    await catalog.reread()
    return catalog, endpoints


@asynccontextmanager
async def open_catalog(config: Config, state: dict[str, Any] | None = None) -> AsyncIterator[GgufCatalog]:
    """The catalog as it was last seen, closed at the end; of the running ggtui's places when one runs."""
    folders, stores = (config.models_dirs, config.stores) if state is None else _places(state)
    with suppress(StoreUnavailable):  # a catalog that cannot be written is kept in memory
        make_private(config.data_dir)
    catalog = GgufCatalog(config.database, folders, config.options, stores)
    try:
        yield catalog
    finally:
        await catalog.close()


def _places(state: dict[str, Any]) -> tuple[tuple[Path, ...], tuple[StoreRoot, ...]]:
    """The folders and stores of the running ggtui."""
    told = state["catalog"].get("stores", [])
    stores = tuple(StoreRoot(StoreKind(each["store"]), Path(each["path"])) for each in told)
    return tuple(Path(each) for each in state["catalog"]["folders"]), stores


def _names(config: Config, state: dict[str, Any] | None) -> NameSettings:
    """What a person said about names; the running ggtui may keep it nowhere else."""
    told = (state or {}).get("names")
    if told is None:
        return config.names
    disabled = frozenset(told["disabled"])
    return NameSettings(told["default"] or "", Unnamed(told["unnamed"]), disabled, told["aliases"])


async def seen_names(config: Config) -> list[str]:
    """Public ids as they were last seen; looks into no folder.

    Raises: StoreUnavailable.
    """
    state = instance_state(config)
    if state is not None:
        return sorted(row["public_id"] for row in state["models"])
    store = GgufCatalog(config.database, config.models_dirs, config.options, config.stores)
    try:
        return sorted(model.public_id for model in await store.list_models())
    finally:
        await store.close()


async def seen_router(config: Config) -> ModelRouter:
    """What leads to models, as it was last seen; looks into no folder.

    Raises: StoreUnavailable.
    """
    state = instance_state(config)
    folders, stores = (config.models_dirs, config.stores) if state is None else _places(state)
    store = GgufCatalog(config.database, folders, config.options, stores)
    try:
        _, endpoints = await _drawn(store, config, state, None)
        return endpoints.router
    finally:
        await store.close()
