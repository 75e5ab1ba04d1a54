"""The way back: the largest context that fits, and how many layers the devices hold when not all do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ggtui.core.memory.request import CELL_STEP
from ggtui.core.models import KvType

if TYPE_CHECKING:
    from collections.abc import Callable

UNKNOWN_CTX_CAP = 131_072
"""Largest context offered for a model whose header does not tell what it was trained for."""

USUAL_TYPES = (KvType.F16, KvType.Q8_0, KvType.Q4_0)
"""Cache types worth comparing: each of the others lies between two of them."""


class Limit(StrEnum):
    """What keeps a context from being larger."""

    MEMORY = "memory"
    TRAINED = "trained"
    REFUSED = "refused"
    """The engine takes no launch with this cache type."""


@dataclass(frozen=True, slots=True)
class LargestContext:
    """The largest context of one request, and what limits it."""

    n_ctx: int | None
    """A multiple of 256, or the trained maximum; None when nothing fits."""
    limit: Limit
    cache_type: KvType | None = None
    """K and V alike."""


def largest_context(n_ctx_train: int | None, fits: Callable[[int], bool]) -> LargestContext:
    """The largest context at which `fits` is still true, which falls from true to false once.

    n_ctx_train: what the model was trained for; None for unknown.
    """
    cap = n_ctx_train or UNKNOWN_CTX_CAP
    if fits(cap):
        return LargestContext(cap, Limit.TRAINED)
    low, high = 0, -(-cap // CELL_STEP) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle * CELL_STEP) else (low, middle - 1)
    return LargestContext(low * CELL_STEP or None, Limit.MEMORY)


def most_gpu_layers(n_layer: int, fits: Callable[[int], bool]) -> int:
    """The largest `-ngl` from 0 to n_layer, the output counted, at which `fits` is still true."""
    low, high = 0, n_layer
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
