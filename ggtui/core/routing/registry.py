"""All endpoints and the names that lead to them. Lives on one thread."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ggtui.core.routing.endpoints import ModelId

if TYPE_CHECKING:
    from ggtui.core.routing.endpoints import EndpointStatus, ModelEndpoint


class ModelRegistry:
    """Ids are unique and case-sensitive; an alias leads to an id in one step, never to another alias.

    At most one endpoint says that it is the default, and that is so.
    """

    def __init__(self) -> None:
        self._endpoints: dict[str, ModelEndpoint] = {}
        self._aliases: dict[str, ModelId] = {}
        self._numbers: dict[str, ModelId] = {}
        self._shadowed: dict[str, ModelEndpoint] = {}
        """By number: what another endpoint has taken the id of."""
        self._default: ModelId | None = None

    def __len__(self) -> int:
        return len(self._endpoints)

    def register(self, endpoint: ModelEndpoint) -> None:
        """Add it, or replace the one of the same id. The default moves only to one that says it is."""
        if endpoint.is_default and (former := self.default_endpoint) is not None:
            self._endpoints[former.id] = replace(former, is_default=False)
        if endpoint.is_default:
            self._default = endpoint.id
        self._endpoints[endpoint.id] = replace(endpoint, is_default=endpoint.id == self._default)

    def unregister(self, model_id: str) -> ModelEndpoint | None:
        """Take it out, with its aliases and its being the default; None when there is no such id."""
        removed = self._endpoints.pop(model_id, None)
        if removed is not None:
            if self._default == model_id:
                self._default = None
            self._aliases = {alias: to for alias, to in self._aliases.items() if to != model_id}
            self._numbers = {number: to for number, to in self._numbers.items() if to != model_id}
        return removed

    def add_alias(self, alias: str, target: str) -> None:
        """Let another name lead to an id, which need not exist yet."""
        self._aliases[alias] = ModelId(target)

    def add_number(self, number: int, target: str) -> None:
        """Let a number of the catalog lead to an id."""
        self._numbers[str(number)] = ModelId(target)

    def add_shadowed(self, number: int, endpoint: ModelEndpoint) -> None:
        """Let only a number lead to an endpoint whose id leads to another one."""
        self._shadowed[str(number)] = endpoint

    def get(self, model_id: str) -> ModelEndpoint | None:
        """The endpoint of exactly this id."""
        return self._endpoints.get(model_id)

    def resolve(self, name: str) -> ModelEndpoint | None:
        """The endpoint of this id, else of this number, else of this alias; None when none is meant."""
        found = self._endpoints.get(name) or self._shadowed.get(name)
        if found is None:
            target = self._numbers.get(name) or self._aliases.get(name)
            found = self._endpoints.get(target) if target is not None else None
        return found

    def set_status(self, model_id: str, status: EndpointStatus, why: str = "") -> bool:
        """Change whether it serves; False when there is no such id."""
        endpoint = self._endpoints.get(model_id)
        if endpoint is None:
            return False
        self._endpoints[model_id] = replace(endpoint, status=status, why=why)
        return True

    @property
    def default_endpoint(self) -> ModelEndpoint | None:
        """What serves a request that names no model; None when nothing was said or it does not exist."""
        return self._endpoints.get(self._default) if self._default is not None else None

    @property
    def available_endpoints(self) -> tuple[ModelEndpoint, ...]:
        """Those that are ready, in the order of their ids."""
        return tuple(each for each in self.all_endpoints if each.status.is_available)

    @property
    def all_endpoints(self) -> tuple[ModelEndpoint, ...]:
        """All of them, in the order of their ids."""
        return tuple(self._endpoints[model_id] for model_id in sorted(self._endpoints))

    @property
    def aliases(self) -> dict[str, ModelId]:
        """Every alias with its id, also those whose id does not exist, ordered by alias."""
        return dict(sorted(self._aliases.items()))

    def aliases_of(self, model_id: str) -> tuple[str, ...]:
        """The aliases that lead to this id; an id of the same text shadows an alias."""
        return tuple(
            alias for alias, to in self.aliases.items() if to == model_id and alias not in self._endpoints
        )

    def adapters_of(self, base: str) -> tuple[str, ...]:
        """The names that may stand behind the colon of this model, ordered."""
        start = f"{base}:"
        return tuple(
            model_id.removeprefix(start)
            for model_id in sorted(self._endpoints)
            if model_id.startswith(start) and self._endpoints[model_id].base_model == base
        )
