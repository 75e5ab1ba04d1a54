"""What a person or a script may do about names: aliases, the default, switching off, adapters and weights."""

from __future__ import annotations

import asyncio
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol

from ggtui.core.errors import ConfigInvalid, EndpointNotFound, ReadOnly
from ggtui.core.naming import slug
from ggtui.core.routing.adapters import (
    NAME_RULE,
    WEIGHT_RULE,
    AttachedAdapter,
    is_adapter_name,
    is_weight,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.core.model_settings import ModelSettings
    from ggtui.core.ports.names import NamesPort
    from ggtui.core.routing.adapters import NamedStack
    from ggtui.core.routing.endpoints import ModelEndpoint
    from ggtui.services.catalog import CatalogService
    from ggtui.services.endpoints import Endpoints


class SettingsChanger(Protocol):
    """Who keeps settings of models and makes them count."""

    async def change(self, public_id: str, changes: Mapping[str, object]) -> object:
        """Set these keys of one model, remove those whose value is None; see SettingsEffects."""


class Names:
    """Changes are kept, and count for the next request. Lives on the engine's loop.

    Each call may raise StoreUnavailable when nothing can be written, and ReadOnly.
    """

    def __init__(
        self,
        catalog: CatalogService,
        endpoints: Endpoints,
        port: NamesPort,
        effects: SettingsChanger,
        *,
        is_read_only: bool = False,
    ) -> None:
        self._catalog = catalog
        self._endpoints = endpoints
        self._port = port
        self._effects = effects
        self._is_read_only = is_read_only
        self._turn = asyncio.Lock()
        """What was kept last is taken last, and a list that is written whole is read just before."""

    def base_of(self, name: str) -> str | None:
        """Public id of the model behind any name that a client may send; None for what is not known now."""
        endpoint = self._endpoints.router.find(name)
        return (endpoint.base_model or None) if endpoint is not None else None

    async def model(self, name: str) -> str:
        """Public id of the model that a name leads to; an adapter of it is none. Raises: EndpointNotFound."""
        endpoint = await self._endpoint(name)
        if endpoint.stack:
            hint = f"{endpoint.id} is {endpoint.base_model} with an adapter: name the model"
            raise EndpointNotFound(name, hint=hint)
        if not endpoint.base_model:
            raise EndpointNotFound(name, hint=f"{endpoint.id} is no model of this machine")
        return endpoint.base_model

    async def set_alias(self, alias: str, target: str | None) -> None:
        """Let another name lead to an endpoint, or to nothing with None.

        Raises: EndpointNotFound, ConfigInvalid.
        """
        self._check_writable()
        if target is not None:
            target = await self._known(target)
            if self._endpoints.router.registry.get(alias) is not None:
                raise ConfigInvalid(
                    f"{alias} is the id of an endpoint, so an alias of that name would never count",
                    param="alias",
                )
        async with self._turn:
            self._endpoints.take(await self._port.set_alias(alias, target))

    async def set_default(self, target: str | None) -> None:
        """Choose what serves requests that name no model; None for nothing.

        Raises: EndpointNotFound, ConfigInvalid when a deployment says that it is the default.
        """
        self._check_writable()
        if own := self._endpoints.default_deployment:
            hint = "take default = true out of its [[deployment]] first"
            raise ConfigInvalid(f"deployment '{own}' is the default by its own table", hint=hint)
        target = None if target is None else await self._known(target)
        async with self._turn:
            self._endpoints.take(await self._port.set_default(target))

    async def set_enabled(self, target: str, is_enabled: bool) -> str:
        """Switch an endpoint on or off; returns its id. Requests that run go on. Raises: EndpointNotFound."""
        self._check_writable()
        if target not in self._endpoints.names.disabled:
            target = await self._known(target)
        async with self._turn:
            self._endpoints.take(await self._port.set_disabled(target, not is_enabled))
        return target

    async def set_weight(self, model: str, adapter: str, weight: object) -> float:
        """Apply so much of an adapter from the next request on, until ggtui ends; returns the weight.

        Raises: EndpointNotFound, ConfigInvalid for what is no weight.
        """
        self._check_writable()
        checked = _weight(weight)
        self._endpoints.set_weight(await self.model(model), adapter, checked)
        return checked

    async def attach(self, model: str, lora: str, name: str | None = None, weight: object = 1.0) -> str:
        """Attach a LoRA file to a model, so that `model:name` applies it; returns the name.

        lora: an absolute path, or the name of a file that was found. Its server restarts after its requests.
        Raises: EndpointNotFound, ConfigInvalid.
        """
        self._check_writable()
        public_id = await self.model(model)
        if not lora.strip():
            raise ConfigInvalid("no LoRA file is named", param="lora")
        name = name or _name_for(lora)
        if not is_adapter_name(name):
            raise ConfigInvalid(f"the name of an adapter is {NAME_RULE}", param="name")
        async with self._turn:
            own = await self._kept(public_id)
            taken = {each.name for each in own.adapters or ()} | {stack.name for stack in own.stacks or ()}
            if name in taken:
                raise ConfigInvalid(
                    f"{public_id} has an adapter or a stack called {name} already",
                    hint="give it another name",
                    param="name",
                )
            new = AttachedAdapter(name, "" if lora == name else lora, _weight(weight))
            if problem := (await self._catalog.look_at_adapter(public_id, new)).problem:
                raise ConfigInvalid(
                    f"{name} cannot be attached to {public_id}: {problem}",
                    hint="ggtui lora lists the LoRA files that were found",
                    param="lora",
                )
            await self._effects.change(public_id, {"adapters": (*(own.adapters or ()), new)})
        return name

    async def detach(self, model: str, name: str) -> None:
        """Take an adapter off a model. Raises: EndpointNotFound, ConfigInvalid while a stack needs it."""
        self._check_writable()
        public_id = await self.model(model)
        async with self._turn:
            own = await self._kept(public_id)
            kept = tuple(each for each in own.adapters or () if each.name != name)
            if len(kept) == len(own.adapters or ()):
                raise EndpointNotFound(f"{public_id}:{name}", hint=f"{public_id} has no adapter of that name")
            using = [stack.name for stack in own.stacks or () if name in _parts(stack)]
            if using:
                raise ConfigInvalid(
                    f"the stack {using[0]} of {public_id} applies {name}",
                    hint="take it out of the stack first",
                )
            await self._effects.change(public_id, {"adapters": kept or None})
            self._endpoints.forget_weight(public_id, name)

    async def _kept(self, public_id: str) -> ModelSettings:
        """The settings of a model as they are kept now: others write them too."""
        await self._effects.change(public_id, {})
        return self._catalog.settings.of(public_id)

    def _check_writable(self) -> None:
        if self._is_read_only:
            raise ReadOnly

    async def _known(self, name: str) -> str:
        """The id that this name leads to. Raises: EndpointNotFound."""
        return str((await self._endpoint(name)).id)

    async def _endpoint(self, name: str) -> ModelEndpoint:
        """What is unknown waits for a look at the folders to end. Raises: EndpointNotFound."""
        endpoint = self._endpoints.router.registry.resolve(name)
        if endpoint is None and await self._catalog.scan_ended():
            endpoint = self._endpoints.router.registry.resolve(name)
        if endpoint is None:
            raise EndpointNotFound(name, hint=self._endpoints.router.what_was_meant(name))
        return endpoint


def _parts(stack: NamedStack) -> set[str]:
    return {ref.name for ref in stack.adapters.adapters}


def _weight(value: object) -> float:
    if not is_weight(value):
        raise ConfigInvalid(f"weight must be {WEIGHT_RULE}", param="weight")
    assert isinstance(value, (int, float))
    return float(value)


def _name_for(lora: str) -> str:
    return slug(PurePath(lora).name)
