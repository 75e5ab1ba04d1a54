"""Sums of tensors by the place the engine loads them to, gathered while the tensor infos go by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.tensor_types import TENSOR_TYPES
from ggtui.core.memory.shape import PerLayer
from ggtui.core.memory.weights import ModelWeights, PlaceWeights, cuda_padding

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_LAYERS = 512
"""Blocks beyond this are no layers of a model that the engine would load."""

_BLOCKS = ("blk.", "enc.blk.", "dec.blk.")
_INPUT = ("token_embd.", "position_embd.", "token_types.", "per_layer_token_embd.")
_WITH_FIRST_LAYER = ("token_embd_norm.", "rope_freqs.", "rope_factors_", "per_layer_")
_EXPERTS = ("_exps.", "_chexps.")
_REPACKED = frozenset({2, 12, 20, 39})
"""Q4_0, Q4_K, IQ4_NL and MXFP4: types that a CPU with AVX2 copies into another order when it may."""
_REPACKED_ROWS = 8


@dataclass(slots=True)
class _Sum:
    n_bytes: int = 0
    padding: int = 0
    expert_bytes: int = 0
    expert_padding: int = 0


@dataclass(slots=True)
class _Span:
    first: int | None = None
    end: int = 0

    def take(self, offset: int, n_bytes: int) -> None:
        self.first = offset if self.first is None else min(self.first, offset)
        self.end = max(self.end, offset + n_bytes)

    @property
    def n_bytes(self) -> int:
        return 0 if self.first is None else self.end - self.first


@dataclass(slots=True)
class PlaceSums:
    """What the tensors of one file add up to; bounded, whatever their names."""

    _layers: dict[int, _Sum] = field(default_factory=dict)
    _input: _Sum = field(default_factory=_Sum)
    _output: _Sum = field(default_factory=_Sum)
    _embedding: _Sum = field(default_factory=_Sum)
    _span: _Span = field(default_factory=_Span)
    _input_span: _Span = field(default_factory=_Span)
    _repacked: int = 0
    _has_output_matrix: bool = False
    _has_unknown_types: bool = False

    def add(self, name: str, dims: list[int], type_id: int, n_bytes: int, offset: int) -> None:
        """Take one tensor. offset: bytes from the start of the data."""
        if type_id not in TENSOR_TYPES:
            self._has_unknown_types = True
            return
        _, block, block_bytes = TENSOR_TYPES[type_id]
        padding = cuda_padding(n_bytes, dims[0], block, block_bytes)
        self._span.take(offset, n_bytes)
        if name.startswith(_INPUT):
            self._add_input(name, n_bytes, padding, offset)
            return
        if type_id in _REPACKED and len(dims) > 1 and dims[1] % _REPACKED_ROWS == 0:
            self._repacked += n_bytes
        layer = _layer_of(name)
        if layer is None:
            self._has_output_matrix |= name == "output.weight"
            _add(self._output, n_bytes, padding)
        elif any(mark in name for mark in _EXPERTS):
            found = self._layers.setdefault(layer, _Sum())
            found.expert_bytes += n_bytes
            found.expert_padding += padding
        else:
            _add(self._layers.setdefault(layer, _Sum()), n_bytes, padding)

    def _add_input(self, name: str, n_bytes: int, padding: int, offset: int) -> None:
        _add(self._input, n_bytes, padding)
        self._input_span.take(offset, n_bytes)
        if name == "token_embd.weight":
            _add(self._embedding, n_bytes, padding)

    def merge(self, other: PlaceSums) -> None:
        """Take the sums of a further shard of the same model."""
        for layer, more in other._layers.items():
            found = self._layers.setdefault(layer, _Sum())
            _add(found, more.n_bytes, more.padding)
            found.expert_bytes += more.expert_bytes
            found.expert_padding += more.expert_padding
        for mine, theirs in (
            (self._input, other._input),
            (self._output, other._output),
            (self._embedding, other._embedding),
        ):
            _add(mine, theirs.n_bytes, theirs.padding)
        for span, further in ((self._span, other._span), (self._input_span, other._input_span)):
            span.take(span.end, further.n_bytes)
        self._repacked += other._repacked
        self._has_output_matrix |= other._has_output_matrix
        self._has_unknown_types |= other._has_unknown_types

    def weights(self) -> ModelWeights | None:
        """The sums as the forecast takes them; None for a file without tensors."""
        if self._span.first is None:
            return None
        layers = [self._layers.get(at, _Sum()) for at in range(max(self._layers, default=-1) + 1)]
        tied = _Sum() if self._has_output_matrix else self._embedding
        return ModelWeights(
            layers=PerLayer.of(each.n_bytes for each in layers),
            experts=_or_nothing(each.expert_bytes for each in layers),
            padding=_or_nothing(each.padding for each in layers),
            expert_padding=_or_nothing(each.expert_padding for each in layers),
            input=PlaceWeights(self._input.n_bytes, 0, self._input_span.n_bytes),
            output=PlaceWeights(self._output.n_bytes, self._output.padding),
            n_repack_bytes=self._repacked,
            span_bytes=self._span.n_bytes,
            tied_bytes=tied.n_bytes,
            tied_padding_bytes=tied.padding,
            has_unknown_types=self._has_unknown_types,
        )


def _add(found: _Sum, n_bytes: int, padding: int) -> None:
    found.n_bytes += n_bytes
    found.padding += padding


def _or_nothing(figures: Iterable[int]) -> PerLayer:
    """The figures; nothing when all of them are 0, as in most models."""
    kept = PerLayer.of(figures)
    return PerLayer() if kept.values in ((), (0,)) else kept


def _layer_of(name: str) -> int | None:
    """The layer of a tensor; None for what goes with the output."""
    for start in _BLOCKS:
        if name.startswith(start):
            number = name[len(start) :].partition(".")[0]
            is_layer = number.isascii() and number.isdigit() and len(number) <= len(str(MOST_LAYERS))
            return min(int(number), MOST_LAYERS) if is_layer else None
    return 0 if name.startswith(_WITH_FIRST_LAYER) else None
