"""LoRA adapters of a model: what is attached to it, and how much of which is applied to an answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPSILON: Final = 2.0**-23
"""Of a 32-bit float, which is what the engine keeps weights in."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NAME_RULE: Final = "1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter or a digit"
WEIGHT_RULE: Final = "a number from 0 to 1"


def is_adapter_name(text: str) -> bool:
    """True for what may stand behind the colon of `model:adapter`: see NAME_RULE."""
    return _NAME.fullmatch(text) is not None


def is_weight(value: object) -> bool:
    """True for a number from 0 to 1."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


@dataclass(frozen=True, slots=True)
class AdapterRef:
    """One adapter and how much of it is applied."""

    name: str
    weight: float = 1.0
    """0 to 1; 0 is none of it."""


@dataclass(frozen=True, slots=True)
class AdapterStack:
    """Adapters that are applied together. The empty stack is the model alone."""

    adapters: tuple[AdapterRef, ...] = ()

    def __len__(self) -> int:
        return len(self.adapters)

    def add(self, name: str, weight: float = 1.0) -> AdapterStack:
        """The same with one more."""
        return AdapterStack((*self.adapters, AdapterRef(name, weight)))

    @property
    def total_weight(self) -> float:
        """The sum of all weights."""
        return sum(each.weight for each in self.adapters)

    def normalize_weights(self) -> AdapterStack:
        """The same with weights that sum to 1; unchanged when there is nothing to share out."""
        total = self.total_weight
        if abs(total) < _EPSILON:
            return self
        return AdapterStack(tuple(replace(each, weight=each.weight / total) for each in self.adapters))

    def scales(self, carried: Sequence[str]) -> tuple[float, ...]:
        """How much of each adapter that a server carries is applied, in their order.

        Adapters of the stack that the server does not carry are left out: see `missing`.
        """
        weights: dict[str, float] = {}
        for each in self.adapters:
            weights[each.name] = weights.get(each.name, 0.0) + each.weight
        return tuple(weights.get(name, 0.0) for name in carried)

    def missing(self, carried: Sequence[str]) -> str | None:
        """The first adapter of the stack that a server with these does not carry."""
        return next((each.name for each in self.adapters if each.name not in carried), None)


BASE_ALONE: Final = AdapterStack()


@dataclass(frozen=True, slots=True)
class AttachedAdapter:
    """An adapter of one model, as the settings of that model name it."""

    name: str
    """What stands behind the colon."""
    path: str = ""
    """An absolute path, or the name of a LoRA file that the catalog found; empty for one called `name`."""
    weight: float = 1.0
    """How much of it `model:name` applies."""


@dataclass(frozen=True, slots=True)
class NamedStack:
    """Several adapters of one model under one name."""

    name: str
    adapters: AdapterStack
    normalise: bool = False
    """True: the weights are made to sum to 1."""

    @property
    def applied(self) -> AdapterStack:
        """The weights that reach the engine."""
        return self.adapters.normalize_weights() if self.normalise else self.adapters
