"""The compute buffer: floats for each token of a batch, times the batch, and what grows with the context."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from ggtui.core.memory.cache import is_quantised, window_cells
from ggtui.core.memory.compute_floats import OF_ITS_OWN_KIND, input_floats, measured_floats, special_floats
from ggtui.core.memory.families import NO_FLASH_ATTENTION, RECURRENT, WITHOUT_MASKS_OF_CONTEXT
from ggtui.core.memory.graph.kinds import TWO_MASKS_OF_BATCH
from ggtui.core.memory.graph.replay import widest_floats
from ggtui.core.memory.graph.walk import Launch
from ggtui.core.memory.layers import has_full_layers
from ggtui.core.memory.request import N_UBATCH
from ggtui.core.units import MIB

if TYPE_CHECKING:
    from ggtui.core.memory.request import LoadRequest
    from ggtui.core.memory.shape import ModelShape

UNKNOWN_BYTES = 256 * MIB
"""Compute buffer of a model whose widths the file does not tell: a middle figure, not a measurement."""

FLOAT_BYTES = 4
ROTATED = 64
"""Keys and values of heads so wide, or a multiple of it, are rotated before they are quantised."""
MOSTLY = 0.85
"""Share of a peak from which on the attention's formula is as good a reason for it as the layers' width."""


class ComputeSource(StrEnum):
    """Where the floats per token come from, best first."""

    MEASURED = "measured"
    TABLE = "table"
    FORMULA = "formula"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MeasuredCompute:
    """Floats per token of one model file, learned from a load of it."""

    floats_per_token: float
    has_quantised_cache: bool = False
    n_slots: int = 0
    """Slots of that load; counts only for models with recurrent layers."""
    overhead_bytes: int | None = None
    """What the driver took for the process on each device beside all buffers; None where nobody tells."""
    n_tokens: int = N_UBATCH
    """Tokens of a batch of that load."""

    def suits(self, shape: ModelShape, request: LoadRequest) -> bool:
        """True when a load like this one has the same floats per token, not only nearly so."""
        same_slots = shape.recurrent is None or self.n_slots in (0, request.n_parallel)
        return same_slots and _is_quantised(request) == self.has_quantised_cache

    def launch(self, shape: ModelShape) -> Launch:
        """That load, as the graph sees it."""
        turns = self.has_quantised_cache
        return Launch(
            self.n_tokens,
            max(1, self.n_slots),
            turns_k=turns and shape.key_length % ROTATED == 0,
            turns_v=turns and shape.value_length % ROTATED == 0,
        )


def uses_flash_attention(shape: ModelShape, request: LoadRequest) -> bool:
    """True when the engine will use it: by default wherever the model allows."""
    if shape.architecture in NO_FLASH_ATTENTION:
        return False
    return request.flash_attn is not False


def _is_quantised(request: LoadRequest) -> bool:
    return is_quantised(request.cache_type_k) or is_quantised(request.cache_type_v)


def compute_source(
    shape: ModelShape, request: LoadRequest, measured: MeasuredCompute | None = None
) -> ComputeSource:
    """What `compute_bytes` would take the floats per token from."""
    if measured is not None:
        return ComputeSource.MEASURED if measured.suits(shape, request) else ComputeSource.TABLE
    if measured_floats(shape):
        return ComputeSource.TABLE
    return ComputeSource.FORMULA if shape.n_embd else ComputeSource.UNKNOWN


def compute_bytes(
    shape: ModelShape, request: LoadRequest, n_ctx: int, measured: MeasuredCompute | None = None
) -> int:
    """Bytes of the compute buffer where the layers run.

    n_ctx: tokens of one request.
    Source: a walk through llama.cpp's graph of this architecture, see the package `graph`.
    """
    launch = _launch(shape, request, n_ctx)
    masks = launch.n_tokens * _mask_floats(shape, request, n_ctx)
    if not shape.n_embd:
        return UNKNOWN_BYTES + round(FLOAT_BYTES * masks)
    floats = _floats(shape, launch, measured)
    if shape.architecture in OF_ITS_OWN_KIND:
        return round(FLOAT_BYTES * max(floats + masks, special_floats(shape, request, n_ctx, launch, floats)))
    return round(FLOAT_BYTES * (floats + masks))


@lru_cache(maxsize=512)
def _floats(shape: ModelShape, launch: Launch, measured: MeasuredCompute | None) -> float:
    """Floats of the batch, masks aside; scores of the whole context, without flash attention, are exact."""
    inputs = launch.n_tokens * input_floats(shape, launch)
    plain = _correction(shape, measured) * widest_floats(shape, launch.with_flash())
    return inputs + (plain if launch.is_flash else max(plain, widest_floats(shape, launch)))


def _correction(shape: ModelShape, measured: MeasuredCompute | None) -> float:
    """What a load, or the table, has shown of the layers, by what the walk finds for the same launch."""
    if measured is not None:
        launch, floats = measured.launch(shape), measured.floats_per_token
    else:
        launch, floats = Launch(N_UBATCH), float(measured_floats(shape))
    if not floats:
        return 1.0
    shown = launch.n_tokens * (floats - input_floats(shape, launch))
    found = widest_floats(shape, launch)
    return shown / found if shown > 0 and found else 1.0


def host_compute_bytes(shape: ModelShape, request: LoadRequest, n_ctx: int) -> int:
    """Bytes of the host's compute buffer when all layers run on devices: embeddings in, masks out."""
    n_batch = request.ubatch(n_ctx, is_causal=shape.is_causal)
    return 8 * shape.n_embd * n_batch + 2 * n_batch * mask_cells(shape, request, n_ctx)


def learned(shape: ModelShape, request: LoadRequest, n_ctx: int, logged_bytes: int) -> MeasuredCompute | None:
    """What a load of this model has shown: its log's compute buffer, of the place where the layers ran.

    None when that buffer was as large as the attention alone makes it: it tells nothing of the model then.
    """
    launch = _launch(shape, request, n_ctx)
    n_tokens, found = launch.n_tokens, widest_floats(shape, launch)
    peak = logged_bytes / FLOAT_BYTES
    floats = peak - n_tokens * _mask_floats(shape, request, n_ctx)
    shown = floats - n_tokens * input_floats(shape, launch)
    scores = special_floats(shape, request, n_ctx, launch, floats)
    is_of_scores = found > widest_floats(shape, launch.with_flash())
    if shown <= 0 or not found or is_of_scores or scores > MOSTLY * peak:
        return None
    taught = MeasuredCompute(0.0, _is_quantised(request), launch.n_slots, n_tokens=n_tokens)
    like = taught.launch(shape)
    layers = shown / found * widest_floats(shape, like) / n_tokens
    return replace(taught, floats_per_token=input_floats(shape, like) + layers)


def tokens_at_once(shape: ModelShape, request: LoadRequest, n_ctx: int) -> int:
    """Tokens of a batch as the engine reserves for it: the same number for each slot."""
    n_slots = max(1, request.n_parallel)
    n_batch = request.ubatch(n_ctx, is_causal=shape.is_causal)
    n_tokens = min(n_batch, request.cells(n_ctx) * request.n_streams)
    return -(-n_tokens // n_slots) * n_slots


def _launch(shape: ModelShape, request: LoadRequest, n_ctx: int) -> Launch:
    is_flash = uses_flash_attention(shape, request)
    n_tokens = tokens_at_once(shape, request, n_ctx)
    n_slots = max(1, request.n_parallel)
    if shape.architecture in WITHOUT_MASKS_OF_CONTEXT:
        cells = 0 if is_flash else n_tokens
        return Launch(n_tokens, n_slots, is_flash, full_cells=cells, windowed_cells=cells)
    return Launch(
        n_tokens,
        n_slots,
        is_flash,
        full_cells=0 if is_flash else request.cells(n_ctx),
        windowed_cells=0 if is_flash else window_cells(shape, request, n_ctx),
        turns_k=is_quantised(request.cache_type_k) and shape.key_length % ROTATED == 0,
        turns_v=is_quantised(request.cache_type_v) and shape.value_length % ROTATED == 0,
    )


def mask_cells(shape: ModelShape, request: LoadRequest, n_ctx: int) -> int:
    """Columns of the attention masks: the full cache's cells, and the windowed one's."""
    if shape.architecture in RECURRENT:
        return 0
    if shape.architecture in WITHOUT_MASKS_OF_CONTEXT:
        n_masks = 2 if shape.architecture in TWO_MASKS_OF_BATCH else 1
        return n_masks * tokens_at_once(shape, request, n_ctx)
    windowed = window_cells(shape, request, n_ctx)
    if windowed and not has_full_layers(shape):
        return windowed
    return request.cells(n_ctx) + windowed


def _mask_floats(shape: ModelShape, request: LoadRequest, n_ctx: int) -> float:
    """Masks have two bytes a cell for flash attention, four without."""
    share = 0.5 if uses_flash_attention(shape, request) else 1.0
    return share * mask_cells(shape, request, n_ctx)
