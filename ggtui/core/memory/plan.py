"""Everything that a load holds, by device: prepared once, then a few sums for each context."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ggtui.core.memory.cache import Rows, cells_of, rows_by_layer
from ggtui.core.memory.compute import (
    UNKNOWN_BYTES,
    compute_bytes,
    host_compute_bytes,
    uses_flash_attention,
)
from ggtui.core.memory.families import NO_OUTPUT
from ggtui.core.memory.parts import HOST, Companions, DeviceShare
from ggtui.core.memory.placement import ON_HOST, places
from ggtui.core.memory.state import state_bytes_by_layer
from ggtui.core.memory.weights import ModelWeights, evenly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.memory.compute import MeasuredCompute
    from ggtui.core.memory.parts import DeviceRoom
    from ggtui.core.memory.request import LoadRequest
    from ggtui.core.memory.shape import ModelShape
    from ggtui.core.models import ModelSummary


@dataclass(slots=True)
class _Holding:
    """What one place holds whatever the context, and what it takes for each cell."""

    name: str
    is_host: bool
    weights: int = 0
    mapped: int = 0
    rows: Rows = field(default_factory=Rows)
    state: int = 0
    overhead: int = 0
    adapters: int = 0
    projector: int = 0
    n_layers: int = 0


class MemoryPlan:
    """A load on these devices; `shares` answers for one context after the other."""

    def __init__(
        self,
        model: ModelSummary,
        request: LoadRequest,
        devices: Sequence[DeviceRoom] = (),
        *,
        companions: Companions | None = None,
        measured: MeasuredCompute | None = None,
    ) -> None:
        """devices: where layers may go; without any everything is on the host.

        measured: what an earlier load has shown of the compute buffer.
        """
        self.model = model
        self.request = request
        self._shape = model.shape
        self._measured = measured
        self._companions = companions or Companions()
        self.places = _places(model, request, devices)
        """The device of each layer and, last, of the output; ON_HOST for the host."""
        self._holdings = _holdings(model, request, devices, self.places, self._companions)
        draft = self._companions.draft
        self._draft = MemoryPlan(draft, request, devices) if draft is not None else None

    @property
    def uses_host_layers(self) -> bool:
        """True when a layer, or the output, runs on the host."""
        return ON_HOST in self.places

    def shares(self, n_ctx: int) -> tuple[DeviceShare, ...]:
        """What each device holds, in their order, and the host last.

        n_ctx: tokens of one request.
        """
        shape, request = self._shape, self.request
        cells = cells_of(shape, request, n_ctx)
        at_work, beside = self._compute(n_ctx)
        drafted = self._draft.shares(n_ctx) if self._draft is not None else ()
        shares = []
        for at, each in enumerate(self._holdings):
            of_draft = drafted[at].total_bytes - drafted[at].overhead_bytes if drafted else 0
            shares.append(
                DeviceShare(
                    name=each.name,
                    is_host=each.is_host,
                    weights_bytes=each.weights,
                    kv_bytes=each.rows.bytes_of(cells),
                    state_bytes=each.state,
                    compute_bytes=at_work if each.n_layers else (beside if each.is_host else 0),
                    output_bytes=self._output_bytes() if each.is_host else 0,
                    overhead_bytes=each.overhead,
                    adapters_bytes=each.adapters,
                    projector_bytes=each.projector,
                    draft_bytes=of_draft,
                    mapped_bytes=each.mapped,
                    n_layers=each.n_layers,
                )
            )
        return tuple(shares)

    def _compute(self, n_ctx: int) -> tuple[int, int]:
        """Bytes of the compute buffer where layers run, and on a host where none does."""
        shape = self._shape
        if shape is None:
            return UNKNOWN_BYTES, 0
        beside = host_compute_bytes(shape, self.request, n_ctx)
        return compute_bytes(shape, self.request, n_ctx, self._measured), beside

    def _output_bytes(self) -> int:
        """The logits: one row of the vocabulary for each slot."""
        n_vocab = self._shape.n_vocab if self._shape is not None else 0
        return 4 * n_vocab * max(1, self.request.n_parallel)


def weights_of(model: ModelSummary) -> ModelWeights:
    """The sums of this model's tensors; all layers alike when they are not known."""
    if model.weights is not None and not model.weights.has_unknown_types:
        return model.weights
    return evenly(model.size_bytes, model.shape.n_layer_all if model.shape is not None else 0)


def _places(model: ModelSummary, request: LoadRequest, devices: Sequence[DeviceRoom]) -> tuple[int, ...]:
    n_layer = model.shape.n_layer_all if model.shape is not None else 0
    by_split = request.tensor_split[: len(devices)]
    shares = by_split if any(by_split) else [device.free_bytes for device in devices]
    return places(n_layer, request.n_gpu_layers, shares)


def _holdings(
    model: ModelSummary,
    request: LoadRequest,
    devices: Sequence[DeviceRoom],
    place: Sequence[int],
    companions: Companions,
) -> tuple[_Holding, ...]:
    shape, weights = model.shape, weights_of(model)
    holdings = [_Holding(device.name, False) for device in devices]
    host = _Holding(HOST, True)
    at_place = [*holdings, host]
    pads = [*(device.pads_tensors for device in devices), False]
    _put_weights(at_place, place, weights, pads, request.n_cpu_moe)
    _put_ends(at_place, place[-1], weights, pads, model)
    if shape is not None:
        _put_context(at_place, place, shape, request)
    _put_beside(at_place, place, companions)
    for device, holding in zip(devices, holdings, strict=True):
        holding.overhead = device.overhead_bytes if holding.n_layers else 0
    _map_host(host, holdings, weights)
    return tuple(at_place)


def _put_weights(
    at_place: list[_Holding],
    place: Sequence[int],
    weights: ModelWeights,
    pads: Sequence[bool],
    n_cpu_moe: int,
) -> None:
    padding, expert_padding = weights.padding.figures, weights.expert_padding.figures
    experts = weights.experts.figures
    last = max(0, len(place) - 2)
    for layer, n_bytes in enumerate(weights.layers.figures):
        where = place[min(layer, last)]
        holding = at_place[where]
        holding.n_layers += 1
        holding.weights += n_bytes
        if pads[where] and padding:
            holding.weights += padding[layer]
        if experts and experts[layer]:
            with_layer = layer >= n_cpu_moe
            apart = holding if with_layer else at_place[ON_HOST]
            apart.weights += experts[layer]
            if with_layer and pads[where] and expert_padding:
                apart.weights += expert_padding[layer]


def _put_ends(
    at_place: list[_Holding],
    output_place: int,
    weights: ModelWeights,
    pads: Sequence[bool],
    model: ModelSummary,
) -> None:
    """Embeddings on the host, output where the last place is; a tied matrix is there a second time."""
    at_place[ON_HOST].weights += weights.input.n_bytes
    end = at_place[output_place]
    end.weights += weights.output.n_bytes
    if pads[output_place]:
        end.weights += weights.output.padding_bytes
    if not end.is_host:
        end.n_layers += 1
        if model.architecture not in NO_OUTPUT:
            end.weights += weights.tied_bytes + (weights.tied_padding_bytes if pads[output_place] else 0)


def _put_context(
    at_place: list[_Holding], place: Sequence[int], shape: ModelShape, request: LoadRequest
) -> None:
    rows = rows_by_layer(shape, request, flash_attn=uses_flash_attention(shape, request))
    kinds = [Counter[Rows]() for _ in at_place]
    states = state_bytes_by_layer(shape, request)
    for layer, (row, state) in enumerate(zip(rows, states, strict=True)):
        where = place[layer] if request.offload_kqv and layer < len(place) - 1 else ON_HOST
        kinds[where][row] += 1
        at_place[where].state += state
    for holding, counts in zip(at_place, kinds, strict=True):
        holding.rows = sum((row.times(n) for row, n in counts.items()), Rows())


def _put_beside(at_place: list[_Holding], place: Sequence[int], companions: Companions) -> None:
    """Adapters with the layers they change, in proportion; the projector with the first device."""
    n_layers = len(place) - 1
    left = companions.adapters_bytes
    for holding in at_place:
        n_here = sum(1 for where in place[:-1] if at_place[where] is holding)
        holding.adapters = companions.adapters_bytes * n_here // n_layers if n_layers else 0
        left -= holding.adapters
    at_place[place[-1]].adapters += left
    first = next((holding for holding in at_place if holding.n_layers), at_place[ON_HOST])
    first.projector = companions.projector_bytes


def _map_host(host: _Holding, devices: Sequence[_Holding], weights: ModelWeights) -> None:
    """Of the host's weights, what stays a mapping of the file: all but what the CPU keeps in another order.

    With a device there the host's tensors are not reordered.
    """
    is_alone = not devices
    if is_alone and weights.span_bytes:
        host.weights = max(host.weights, weights.span_bytes)
    reordered = weights.n_repack_bytes if is_alone else 0
    host.mapped = max(0, host.weights - reordered)
