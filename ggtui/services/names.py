"""What a person or a script may do about names: aliases, the default, switching off, adapters and weights."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from ggtui.core.errors import ConfigInvalid, EndpointNotFound, read_only
from ggtui.core.naming import slug
from ggtui.core.routing.adapters import NAME_RULE, WEIGHT_RULE, is_adapter_name, is_weight

if TYPE_CHECKING:
    from ggtui.core.ports.names import NamesPort
    from ggtui.core.routing.adapters import NamedStack
    from ggtui.services.catalog import CatalogService
    from ggtui.services.endpoints import Endpoints
    from ggtui.services.settings_effects import SettingsEffects


class Names:
    """Changes are kept, and count for the next request. Lives on the engine's loop.

    Each call may raise StoreUnavailable when nothing can be written, and LaunchRejected when read-only.
    """

    def __init__(
        self,
        catalog: CatalogService,
        endpoints: Endpoints,
        port: NamesPort,
        effects: SettingsEffects,
        *,
        is_read_only: bool = False,
    ) -> None:
        self._catalog = catalog
        self._endpoints = endpoints
        self._port = port
        self._effects = effects
        self._is_read_only = is_read_only

    async def set_alias(self, alias: str, target: str | None) -> None:
        """Let another name lead to an endpoint, or to nothing with None.

        Raises: EndpointNotFound, ConfigInvalid.
        """
        self._check_writable()
        if target is not None:
            target = self._known(target)
            if self._endpoints.router.registry.get(alias) is not None:
                raise ConfigInvalid(
                    f"{alias} is the id of an endpoint, so an alias of that name would never count",
                    param="alias",
                )
        self._endpoints.take(await self._port.set_alias(alias, target))

    async def set_default(self, target: str | None) -> None:
        """Choose what serves requests that name no model; None for nothing. Raises: EndpointNotFound."""
        self._check_writable()
        target = None if target is None else self._known(target)
        self._endpoints.take(await self._port.set_default(target))

    async def set_enabled(self, target: str, is_enabled: bool) -> None:
        """Switch an endpoint on or off. Requests that run go on. Raises: EndpointNotFound."""
        self._check_writable()
        if target not in self._endpoints.names.disabled:
            target = self._known(target)
        self._endpoints.take(await self._port.set_disabled(target, not is_enabled))

    async def set_weight(self, model: str, adapter: str, weight: object) -> float:
        """Apply so much of an adapter from the next request on, until ggtui ends; returns the weight.

        Raises: EndpointNotFound, ConfigInvalid for what is no weight.
        """
        self._check_writable()
        self._endpoints.set_weight(self._model(model), adapter, checked := _weight(weight))
        return checked

    async def attach(self, model: str, lora: str, name: str | None = None, weight: object = 1.0) -> str:
        """Attach a LoRA file to a model, so that `model:name` applies it; returns the name.

        lora: an absolute path, or the name of a file that was found. Its server restarts after its requests.
        Raises: EndpointNotFound, ConfigInvalid.
        """
        self._check_writable()
        public_id = self._model(model)
        name = name or _name_for(lora)
        if not is_adapter_name(name):
            raise ConfigInvalid(f"the name of an adapter is {NAME_RULE}", param="name")
        own = self._catalog.settings.of(public_id)
        taken = {each.name for each in own.adapters or ()} | {stack.name for stack in own.stacks or ()}
        if name in taken:
            raise ConfigInvalid(f"{public_id} has an adapter or a stack called {name} already", param="name")
        tables = [_table(each.name, each.path, each.weight) for each in own.adapters or ()]
        tables.append(_table(name, lora, _weight(weight)))
        await self._effects.change(public_id, {"adapters": tables})
        return name

    async def detach(self, model: str, name: str) -> None:
        """Take an adapter off a model. Raises: EndpointNotFound, ConfigInvalid while a stack needs it."""
        self._check_writable()
        public_id = self._model(model)
        own = self._catalog.settings.of(public_id)
        kept = [each for each in own.adapters or () if each.name != name]
        if len(kept) == len(own.adapters or ()):
            raise EndpointNotFound(f"{public_id}:{name}", hint=f"{public_id} has no adapter of that name")
        using = [stack.name for stack in own.stacks or () if name in _parts(stack)]
        if using:
            raise ConfigInvalid(
                f"the stack {using[0]} of {public_id} applies {name}", hint="take it out of the stack first"
            )
        tables = [_table(each.name, each.path, each.weight) for each in kept]
        await self._effects.change(public_id, {"adapters": tables or None})

    def _check_writable(self) -> None:
        if self._is_read_only:
            raise read_only()

    def _known(self, name: str) -> str:
        """The id that this name leads to. Raises: EndpointNotFound."""
        registry = self._endpoints.router.registry
        endpoint = registry.resolve(name)
        if endpoint is None:
            raise EndpointNotFound(name, hint=self._endpoints.router.what_was_meant(name))
        return endpoint.id

    def _model(self, name: str) -> str:
        """The public id of a model. Raises: EndpointNotFound."""
        endpoint = self._endpoints.router.registry.resolve(name)
        if endpoint is None or endpoint.stack:
            raise EndpointNotFound(name, hint=self._endpoints.router.what_was_meant(name))
        return endpoint.base_model


def _table(name: str, path: str, weight: float) -> dict[str, object]:
    """An adapter as models.toml has it; what is as by default is left out."""
    table: dict[str, object] = {"name": name}
    if path and path != name:
        table["path"] = path
    if weight != 1.0:
        table["weight"] = weight
    return table


def _parts(stack: NamedStack) -> set[str]:
    return {ref.name for ref in stack.adapters.adapters}


def _weight(value: object) -> float:
    if not is_weight(value):
        raise ConfigInvalid(f"weight must be {WEIGHT_RULE}", param="weight")
    assert isinstance(value, (int, float))
    return float(value)


def _name_for(lora: str) -> str:
    return slug(PurePath(lora).name)
