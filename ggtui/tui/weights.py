"""How much of each LoRA adapter is applied: what the engine says, and what a person has just asked for."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ggtui.core.routing.adapters import AdapterRef

if TYPE_CHECKING:
    from ggtui.core.routing.endpoints import ModelEndpoint
    from ggtui.core.snapshot import EngineSnapshot, TargetStatus

STEP: Final = 0.05
_STEPS: Final = 20


def stepped(weight: float, direction: int) -> float:
    """The next multiple of STEP above (1) or below (-1) a weight; 0 and 1 are the ends."""
    place = weight * _STEPS
    near = round(place)
    if abs(place - near) > 1e-6:
        near = int(place) if direction > 0 else int(place) + 1
    return max(0, min(_STEPS, near + direction)) / _STEPS


def endpoint_of(snapshot: EngineSnapshot, endpoint_id: str) -> ModelEndpoint | None:
    """The endpoint of this id; without a walk through all of them."""
    place = bisect_left(snapshot.endpoints, endpoint_id, key=lambda each: str(each.id))
    found = snapshot.endpoints[place] if place < len(snapshot.endpoints) else None
    return found if found is not None and found.id == endpoint_id else None


@dataclass(slots=True)
class _Wish:
    weight: float
    counts_from: int | None = None
    """Version of the state that has it; None while the engine has not answered."""


class Weights:
    """A wish is shown at once, until the engine's state has it: keys come faster than answers."""

    def __init__(self) -> None:
        self._wishes: dict[tuple[str, str], _Wish] = {}

    def wish(self, model: str, adapter: str, weight: float) -> None:
        """A person wants so much of an adapter."""
        self._wishes[model, adapter] = _Wish(weight)

    def granted(self, model: str, adapter: str, weight: float, version: int) -> None:
        """The engine has taken this wish; its state tells so from this version on."""
        wish = self._wishes.get((model, adapter))
        if wish is not None and wish.weight == weight:
            wish.counts_from = version

    def refused(self, model: str, adapter: str) -> None:
        """It stays as it was."""
        self._wishes.pop((model, adapter), None)

    def settle(self, version: int) -> None:
        """A state of this version is shown now."""
        for key, wish in list(self._wishes.items()):
            if wish.counts_from is not None and version >= wish.counts_from:
                del self._wishes[key]

    def of(self, model: str, adapter: str, told: float) -> float:
        """The wish, else what the engine tells."""
        wish = self._wishes.get((model, adapter))
        return told if wish is None else wish.weight

    def of_target(self, target: TargetStatus) -> tuple[AdapterRef, ...]:
        """The adapters that a server carries, in the engine's order."""
        name = target.public_id
        return tuple(AdapterRef(each.name, self.of(name, each.name, each.weight)) for each in target.adapters)

    def now(self, snapshot: EngineSnapshot, model: str, adapter: str) -> float | None:
        """How much of an adapter `model:adapter` applies; None when there is no such adapter."""
        endpoint = endpoint_of(snapshot, f"{model}:{adapter}")
        if endpoint is None or len(endpoint.stack) != 1:
            return None
        return self.of(model, adapter, endpoint.stack.adapters[0].weight)
