"""Running sums over the layers of a load, so that the share of any run of layers is a subtraction."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from ggtui.core.memory.cache import Rows, rows_by_layer
from ggtui.core.memory.compute import uses_flash_attention
from ggtui.core.memory.state import state_bytes_by_layer
from ggtui.core.memory.weights import ModelWeights, evenly

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ggtui.core.memory.request import LoadRequest
    from ggtui.core.models import ModelSummary


def weights_of(model: ModelSummary) -> ModelWeights:
    """The sums of this model's tensors; all layers alike when they are not known."""
    if model.weights is not None and not model.weights.has_unknown_types:
        return model.weights
    return evenly(model.size_bytes, model.shape.n_layer_all if model.shape is not None else 0)


class Ladder:
    """What does not depend on devices or context. A run of layers is its first and the one after its last."""

    def __init__(self, model: ModelSummary, request: LoadRequest) -> None:
        shape, weights = model.shape, weights_of(model)
        self.weights = weights
        self.n_layer = shape.n_layer_all if shape is not None else 0
        self._tensors = self._running(weights.layers.figures)
        self._padding = self._running(weights.padding.figures)
        self._experts = self._running(weights.experts.figures)
        self._expert_padding = self._running(weights.expert_padding.figures)
        self._n_cpu_moe = min(request.n_cpu_moe, self.n_layer)
        self._states: tuple[int, ...] = ()
        self._rows: tuple[tuple[int, ...], ...] = ()
        if shape is not None:
            self._states = self._running(state_bytes_by_layer(shape, request))
            rows = rows_by_layer(shape, request, flash_attn=uses_flash_attention(shape, request))
            self._rows = tuple(
                self._running(kind)
                for kind in zip(
                    *((row.full, row.windowed, row.by_4, row.by_128) for row in rows), strict=True
                )
            )

    def _running(self, figures: Sequence[int]) -> tuple[int, ...]:
        """Sums up to each layer; layers beyond the last go with it. Empty for nothing."""
        if not any(figures):
            return ()
        n_layer = self.n_layer
        even: Iterable[int] = figures
        if n_layer and len(figures) > n_layer:
            even = (*figures[: n_layer - 1], sum(figures[n_layer - 1 :]))
        elif len(figures) < n_layer:
            even = (*figures, *((0,) * (n_layer - len(figures))))
        return tuple(accumulate(even, initial=0))

    def tensor_bytes(self, first: int, end: int, *, is_padded: bool) -> int:
        """Weights of these layers, without the experts that are kept on the host."""
        moved = max(first, min(end, self._n_cpu_moe))
        n_bytes = _between(self._tensors, first, end) + _between(self._experts, moved, end)
        if is_padded:
            n_bytes += _between(self._padding, first, end) + _between(self._expert_padding, moved, end)
        return n_bytes

    @property
    def moved_expert_bytes(self) -> int:
        """Experts that are kept on the host wherever their layer is."""
        return _between(self._experts, 0, self._n_cpu_moe)

    def state_bytes(self, first: int, end: int) -> int:
        """Recurrent states of these layers."""
        return _between(self._states, first, end)

    def rows(self, first: int, end: int) -> Rows:
        """Cache rows of these layers."""
        return Rows(*(_between(kind, first, end) for kind in self._rows)) if self._rows else Rows()


def _between(running: tuple[int, ...], first: int, end: int) -> int:
    return running[end] - running[first] if running else 0
