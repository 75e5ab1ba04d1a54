"""How much of each adapter applies now: what the settings say, or what a person set while ggtui runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.errors import EndpointNotFound
from ggtui.core.routing.adapters import AdapterRef

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.routing.adapters import AttachedAdapter
    from ggtui.services.adapters import ModelAdapter
    from ggtui.services.catalog import CatalogService


class LiveWeights:
    """A weight that was set counts for as long as the settings say what they said then."""

    def __init__(self, catalog: CatalogService) -> None:
        self._catalog = catalog
        self._set: dict[tuple[str, str], tuple[AttachedAdapter, float]] = {}
        """By public id and name of the adapter."""

    def of(self, public_id: str, adapter: ModelAdapter) -> float:
        """How much of an adapter `model:adapter` applies now."""
        setting, weight = self._set.get((public_id, adapter.setting.name), (None, 0.0))
        return weight if setting == adapter.setting else adapter.setting.weight

    def applied(self, public_id: str, carried: Iterable[str]) -> tuple[AdapterRef, ...]:
        """These adapters of a model with the weights that they have now."""
        known = {each.setting.name: each for each in self._catalog.adapters_of(public_id)}
        return tuple(
            AdapterRef(name, self.of(public_id, known[name]) if name in known else 1.0) for name in carried
        )

    def set(self, public_id: str, adapter: str, weight: float) -> None:
        """Apply so much from now on. Raises: EndpointNotFound when the model has no such adapter."""
        known = {each.setting.name: each.setting for each in self._catalog.adapters_of(public_id)}
        if adapter not in known:
            has = f"{public_id} has the adapters {', '.join(sorted(known))}" if known else ""
            raise EndpointNotFound(f"{public_id}:{adapter}", hint=has or f"{public_id} has no adapters")
        self._set[public_id, adapter] = known[adapter], weight

    def forget(self, public_id: str, adapter: str) -> bool:
        """Apply what the settings say again; False when nothing was set."""
        return self._set.pop((public_id, adapter), None) is not None
