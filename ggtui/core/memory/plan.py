"""Everything that a load holds, by device: prepared once, then a few sums for each context."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from ggtui.core.memory.cache import Rows, cells_of
from ggtui.core.memory.compute import (
    UNKNOWN_BYTES,
    compute_bytes,
    host_compute_bytes,
)
from ggtui.core.memory.families import NO_OUTPUT
from ggtui.core.memory.ladder import Ladder
from ggtui.core.memory.parts import HOST, Companions, DeviceShare
from ggtui.core.memory.placement import borders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.memory.compute import MeasuredCompute
    from ggtui.core.memory.parts import DeviceRoom
    from ggtui.core.memory.request import LoadRequest
    from ggtui.core.memory.weights import ModelWeights
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
    n_blocks: int = 0
    """Its layers without the output, which adapters hardly ever change."""


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
        ladder: Ladder | None = None,
    ) -> None:
        """devices: where layers may go; without any everything is on the host.

        measured: what an earlier load has shown of the compute buffer.
        """
        self.model = model
        self.request = request
        self._shape = model.shape
        self._measured = measured
        self._companions = companions or Companions()
        ladder = ladder or Ladder(model, request)
        self.ladder = ladder
        """Fits any plan of the same model and request, wherever its layers go."""
        self._borders = _borders(ladder, request, devices)
        self._holdings = _holdings(model, ladder, request, devices, self._borders)
        if companions is not None:
            _put_beside(self._holdings, companions)
        draft = self._companions.draft
        self._draft = MemoryPlan(draft, request, devices) if draft is not None else None

    @property
    def uses_host_layers(self) -> bool:
        """True when a layer, or the output, runs on the host."""
        return self._borders[0] > 0

    @property
    def n_places(self) -> int:
        """Layers to be placed, the output counted."""
        return self._borders[-1]

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


def _borders(ladder: Ladder, request: LoadRequest, devices: Sequence[DeviceRoom]) -> tuple[int, ...]:
    by_split = request.tensor_split[: len(devices)]
    shares = by_split if any(by_split) else [device.free_bytes for device in devices]
    return borders(ladder.n_layer, request.n_gpu_layers, shares)


def _holdings(
    model: ModelSummary,
    ladder: Ladder,
    request: LoadRequest,
    devices: Sequence[DeviceRoom],
    ends: Sequence[int],
) -> tuple[_Holding, ...]:
    """What each device holds, in their order, and the host last."""
    weights, n_layer = ladder.weights, ladder.n_layer
    host = _Holding(HOST, True, n_layers=ends[0])
    host.weights = weights.input.n_bytes + ladder.moved_expert_bytes
    places: list[tuple[_Holding, bool, int, int]] = [(host, False, 0, ends[0])]
    for device, (first, end) in zip(devices, pairwise(ends), strict=True):
        overhead = device.overhead_bytes if end > first else 0
        holding = _Holding(device.name, False, overhead=overhead, n_layers=end - first)
        places.append((holding, device.pads_tensors, first, end))
    for holding, is_padded, first, end in places:
        run = (min(first, n_layer), min(end, n_layer))
        holding.n_blocks = run[1] - run[0]
        holding.weights += ladder.tensor_bytes(*run, is_padded=is_padded)
        at = holding if request.offload_kqv else host
        at.rows += ladder.rows(*run)
        at.state += ladder.state_bytes(*run)
        if end > n_layer >= first:
            holding.weights += _output(weights, model.architecture, holding, is_padded=is_padded)
    _map_host(host, weights, is_alone=not devices)
    return (*(holding for holding, *_ in places[1:]), host)


def _output(weights: ModelWeights, architecture: str, holding: _Holding, *, is_padded: bool) -> int:
    """The output's tensors; on a device an embedding matrix that serves as output is there a second time."""
    n_bytes = weights.output.n_bytes + (weights.output.padding_bytes if is_padded else 0)
    if holding.is_host or architecture in NO_OUTPUT:
        return n_bytes
    return n_bytes + weights.tied_bytes + (weights.tied_padding_bytes if is_padded else 0)


def _put_beside(holdings: Sequence[_Holding], companions: Companions) -> None:
    """Adapters with the layers they change, in proportion; the projector with the first layers."""
    busy = [holding for holding in holdings if holding.n_layers]
    changed = [holding for holding in busy if holding.n_blocks] or busy
    n_blocks = sum(holding.n_blocks for holding in changed) or 1
    left = companions.adapters_bytes
    for holding in changed:
        holding.adapters = companions.adapters_bytes * holding.n_blocks // n_blocks
        left -= holding.adapters
    changed[-1].adapters += left
    busy[0].projector = companions.projector_bytes


def _map_host(host: _Holding, weights: ModelWeights, *, is_alone: bool) -> None:
    """Of the host's weights, what stays a mapping of the file: all but what the CPU keeps in another order.

    With a device there the host's tensors are not reordered.
    """
    if is_alone:
        host.weights = max(host.weights, weights.span_bytes)
    host.mapped = max(0, host.weights - (weights.n_repack_bytes if is_alone else 0))
