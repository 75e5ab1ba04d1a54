"""Names and adapters in config.toml and models.toml, changed without a running ggtui."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ggtui.adapters.settings_file.file import ModelSettingsFile
from ggtui.adapters.settings_file.names import ConfigNames
from ggtui.cli.shelf import open_endpoints
from ggtui.cli.surroundings import look, read_room
from ggtui.config.paths import default_config_file
from ggtui.core.context import AUTO_CTX
from ggtui.core.errors import ConfigInvalid, EndpointNotFound
from ggtui.core.forecast_servers import advised_ctx_of_servers
from ggtui.core.names_json import (
    adapters_document,
    aliases_document,
    attached_document,
    default_document,
    enabled_document,
    endpoints_document,
)
from ggtui.core.snapshot import EngineSnapshot, ModelStatus
from ggtui.services.names import Names

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from ggtui.config.schema import Config
    from ggtui.services.catalog import CatalogService
    from ggtui.services.endpoints import Endpoints

T = TypeVar("T")
Document = dict[str, Any]


class KeptNames:
    """The NamesDesk of the files; the same service decides here and in a running ggtui."""

    def __init__(self, config: Config, state: dict[str, Any] | None = None) -> None:
        """state: of the running ggtui whose models are meant; None when none runs."""
        self._config = config
        self._state = state

    def endpoints(self) -> Document:
        """See NamesDesk."""
        return look(self._endpoints())

    def adapters(self, model: str | None = None) -> Document:
        """See NamesDesk."""
        return _looked(self._adapters(model))

    def set_alias(self, alias: str, target: str | None) -> Document:
        """See NamesDesk."""
        return self._changed(
            lambda names: names.set_alias(alias, target), lambda now, _: aliases_document(now)
        )

    def set_default(self, target: str | None) -> Document:
        """See NamesDesk."""
        return self._changed(lambda names: names.set_default(target), lambda now, _: default_document(now))

    def set_enabled(self, endpoint: str, is_enabled: bool) -> Document:
        """See NamesDesk."""
        return self._changed(lambda names: names.set_enabled(endpoint, is_enabled), enabled_document)

    def attach(self, model: str, lora: str, name: str | None, weight: float) -> Document:
        """See NamesDesk."""

        async def change(names: Names) -> tuple[str, str]:
            public_id = await names.model(model)
            return public_id, await names.attach(public_id, lora, name, weight)

        return self._changed(change, lambda now, done: attached_document(now, *done))

    def detach(self, model: str, name: str) -> Document:
        """See NamesDesk."""

        async def change(names: Names) -> str:
            public_id = await names.model(model)
            await names.detach(public_id, name)
            return public_id

        return self._changed(change, adapters_document)

    def _changed(
        self, change: Callable[[Names], Awaitable[T]], tell: Callable[[EngineSnapshot, T], Document]
    ) -> Document:
        if self._config.read_only:
            raise ConfigInvalid("nothing is changed with --read-only")
        return _looked(self._change(change, tell))

    async def _change(
        self, change: Callable[[Names], Awaitable[T]], tell: Callable[[EngineSnapshot, T], Document]
    ) -> Document:
        config = self._config
        port = None if config.models_file is None else ModelSettingsFile(config.models_file)
        async with open_endpoints(config, self._state, port) as (catalog, endpoints):
            done = await change(self._names(catalog, endpoints))
            return tell(_snapshot(catalog, endpoints), done)

    async def _endpoints(self) -> Document:
        async with open_endpoints(self._config, self._state) as (catalog, endpoints):
            if self._config.n_ctx == AUTO_CTX:
                await self._advise(catalog)
            return endpoints_document(endpoints.all, endpoints.names)

    async def _advise(self, catalog: CatalogService) -> None:
        """The context that each model would get when nobody chooses, by the memory there is now."""
        pool = (await read_room(self._config, self._state)).pool
        nobody_chose = [model for model in catalog.models if model.n_ctx_chosen is None]
        advice = {
            model.id: advised_ctx_of_servers(
                model, catalog.options_of(model), pool, catalog.replicas_of(model.public_id)
            )
            for model in nobody_chose
        }
        catalog.take_advice(advice)

    async def _adapters(self, model: str | None) -> Document:
        async with open_endpoints(self._config, self._state) as (catalog, endpoints):
            if model is not None:
                model = await self._names(catalog, endpoints).model(model)
            return adapters_document(_snapshot(catalog, endpoints), model)

    def _names(self, catalog: CatalogService, endpoints: Endpoints) -> Names:
        file = ConfigNames(self._config.config_file or default_config_file())
        return Names(catalog, endpoints, file, _Settings(catalog))


def _looked(work: Coroutine[Any, Any, T]) -> T:
    """The same, with a way out where nothing near was meant."""
    try:
        return look(work)
    except EndpointNotFound as failure:
        failure.hint = failure.hint or "ggtui names --all lists what there is"
        raise


class _Settings:
    """Changes models.toml, where nothing runs that could be affected."""

    def __init__(self, catalog: CatalogService) -> None:
        self._catalog = catalog

    async def change(self, public_id: str, changes: Mapping[str, object]) -> None:
        await self._catalog.settings.write(public_id, changes)
        await self._catalog.reread()


def _snapshot(catalog: CatalogService, endpoints: Endpoints) -> EngineSnapshot:
    """What the documents need."""
    rows = tuple(ModelStatus(model, options=catalog.options_of(model)) for model in catalog.models)
    return EngineSnapshot(
        0, models=rows, catalog=catalog.report(), endpoints=endpoints.all, names=endpoints.names
    )
