"""Brings a request to an endpoint: by its name, else to the default; where context decides, by that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ggtui.core.errors import ContextTooLong, EndpointNotFound, EndpointNotReady, NoModelsAvailable
from ggtui.core.nearness import near_names
from ggtui.core.routing.adapters import AdapterStack
from ggtui.core.routing.endpoints import ModelId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.core.routing.endpoints import ModelEndpoint
    from ggtui.core.routing.registry import ModelRegistry

CREATED = 1735689600
"""Unix time given for every entry: files have no birth that a client could use, and it must never change."""


NOTHING_RUNS: Final[Mapping[str, int]] = MappingProxyType({})


def context_of(endpoint: ModelEndpoint, running: Mapping[str, int]) -> int:
    """Tokens that one request may use: what it can be started with, or what it was started with."""
    return max(endpoint.max_context_length, running.get(endpoint.base_model, 0))


@dataclass(frozen=True, slots=True)
class ModelListEntry:
    """A line of `GET /v1/models`, in the fields that OpenAI clients read."""

    id: str
    object: str = "model"
    owned_by: str = "ggtui"
    created: int = CREATED


class ModelRouter:
    """The rule of names: exact id, then number, then alias, then a model with adapters of its own.

    Nothing is matched loosely: what is near to an unknown name is told, never served.
    """

    def __init__(self, registry: ModelRegistry) -> None:
        self.registry = registry

    def route(self, name: str | None) -> ModelEndpoint:
        """The endpoint that is named, or the default; never another one in place of one that is not ready.

        Raises: EndpointNotFound, NoModelsAvailable, EndpointNotReady.
        """
        endpoint = self.find(name) if name is not None else self.registry.default_endpoint
        if endpoint is None:
            if name is None:
                raise NoModelsAvailable
            raise EndpointNotFound(name, hint=self.what_was_meant(name))
        if not endpoint.status.is_available:
            raise EndpointNotReady(endpoint.id, endpoint.status, hint=endpoint.why)
        return endpoint

    def find(self, name: str) -> ModelEndpoint | None:
        """What this name means, whether or not it is ready; None when it means nothing."""
        return self.registry.resolve(name) or self._composed(name)

    def route_for_context(self, name: str | None, required: int, capability: str = "") -> ModelEndpoint:
        """The same, where the request needs this many tokens of context.

        Named: that endpoint or none. Unnamed: the default, else the ready endpoint with the most context
        that holds them, the first by id among equals. capability: what such an endpoint must be able to.
        Raises: what `route` raises, ContextTooLong.
        """
        endpoint = self.route(name)
        if required <= endpoint.max_context_length:
            return endpoint
        larger = self.roomiest(required, capability) if name is None else None
        if larger is None:
            raise ContextTooLong(endpoint.id, required=required, available=endpoint.max_context_length)
        return larger

    def roomiest(
        self, required: int, capability: str = "", running: Mapping[str, int] = NOTHING_RUNS
    ) -> ModelEndpoint | None:
        """The ready endpoint with the most context, the first by id among equals; None if it holds too few.

        running: the context of each server that runs, by the public id of its model, when that is larger.
        No request goes to a backend that did not name a model of it: that may cost, and leaves this machine.
        """
        able = [
            each
            for each in self.registry.available_endpoints
            if (not capability or capability in each.capabilities) and not each.backends
        ]
        most = max(able, key=lambda each: context_of(each, running), default=None)
        return most if most is not None and context_of(most, running) >= required else None

    def models_list(self) -> tuple[ModelListEntry, ...]:
        """What can be asked for now, in the order of ids."""
        return tuple(ModelListEntry(each.id) for each in self.registry.available_endpoints)

    def _composed(self, name: str) -> ModelEndpoint | None:
        """`model:a+b`, with the longest model that has every part; each part with its own weight."""
        start = name.rfind(":")
        while start > 0:
            base = self.registry.get(name[:start])
            parts = name[start + 1 :].split("+")
            if base is not None and len(parts) == len(set(parts)) > 1:
                found = [self._single(base, part) for part in parts]
                if all(found):
                    return _together(name, base, [each for each in found if each is not None])
            start = name.rfind(":", 0, start)
        return None

    def _single(self, base: ModelEndpoint, adapter: str) -> ModelEndpoint | None:
        """The endpoint of one adapter of this model; None for a stack, also one of a single adapter."""
        found = self.registry.get(f"{base.id}:{adapter}")
        applied = [] if found is None else [each.name for each in found.stack.adapters]
        return found if found is not None and applied == [found.adapter] else None

    def what_was_meant(self, name: str) -> str:
        """A hint for a name that leads nowhere; empty when nothing is near."""
        aliases = self.registry.aliases
        if name in aliases:
            return f"the alias leads to {aliases[name]}, which does not exist"
        base, _, _ = name.rpartition(":")
        if base and self.registry.get(base) is not None:
            adapters = self.registry.adapters_of(base)
            return f"{base} has the adapters {', '.join(adapters)}" if adapters else f"{base} has no adapters"
        known = [each.id for each in self.registry.all_endpoints]
        leading = [alias for alias, target in aliases.items() if self.registry.get(target) is not None]
        near = near_names(name, [*known, *leading])
        return f"did you mean {', '.join(near)}?" if near else ""


def _together(name: str, base: ModelEndpoint, parts: list[ModelEndpoint]) -> ModelEndpoint:
    not_ready = next((each for each in parts if not each.status.is_available), parts[0])
    return replace(
        base,
        id=ModelId(name),
        display_name=name,
        adapter=name.removeprefix(f"{base.id}:"),
        is_default=False,
        status=not_ready.status,
        why=not_ready.why,
        stack=AdapterStack(tuple(ref for each in parts for ref in each.stack.adapters)),
    )
