"""The compute buffer: floats for each token of a batch, times the batch, and what grows with the context."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ggtui.core.memory.cache import is_quantised, window_cells
from ggtui.core.memory.compute_floats import formula_floats, measured_floats
from ggtui.core.memory.families import (
    ALL_LOGITS,
    COMPRESSED,
    NO_FLASH_ATTENTION,
    RECURRENT,
    SHARED_BLOCKS,
    SPARSE_INDEXED,
    WITHOUT_MASKS_OF_CONTEXT,
)
from ggtui.core.memory.layers import has_full_layers
from ggtui.core.units import MIB

if TYPE_CHECKING:
    from ggtui.core.memory.request import LoadRequest
    from ggtui.core.memory.shape import ModelShape

UNKNOWN_BYTES = 256 * MIB
"""Compute buffer of a model whose widths the file does not tell: a middle figure, not a measurement."""

FLOAT_BYTES = 4
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

    def suits(self, shape: ModelShape, request: LoadRequest) -> bool:
        """True when a load like this one has the same floats per token, not only nearly so."""
        same_slots = shape.recurrent is None or self.n_slots in (0, request.n_parallel)
        return same_slots and _is_quantised(request) == self.has_quantised_cache


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
    return ComputeSource.FORMULA if formula_floats(shape) else ComputeSource.UNKNOWN


def compute_bytes(
    shape: ModelShape, request: LoadRequest, n_ctx: int, measured: MeasuredCompute | None = None
) -> int:
    """Bytes of the compute buffer where the layers run.

    n_ctx: tokens of one request.
    Source: fitted to llama.cpp's own figures; the peak is at a feed-forward layer, or at an attention
    whose scores are kept whole.
    """
    floats = _floats(shape, measured)
    n_batch = request.ubatch(n_ctx, is_causal=shape.is_causal)
    if not floats:
        return UNKNOWN_BYTES + 2 * n_batch * mask_cells(shape, request, n_ctx)
    peak = max(floats + _mask_floats(shape, request, n_ctx), _scores(shape, request, n_ctx, floats))
    return round(FLOAT_BYTES * n_batch * peak)


def _floats(shape: ModelShape, measured: MeasuredCompute | None) -> float:
    if measured is not None:
        return measured.floats_per_token
    return measured_floats(shape) or formula_floats(shape)


def host_compute_bytes(shape: ModelShape, request: LoadRequest, n_ctx: int) -> int:
    """Bytes of the host's compute buffer when all layers run on devices: embeddings in, masks out."""
    n_batch = request.ubatch(n_ctx, is_causal=shape.is_causal)
    return 8 * shape.n_embd * n_batch + 2 * n_batch * mask_cells(shape, request, n_ctx)


def learned(shape: ModelShape, request: LoadRequest, n_ctx: int, logged_bytes: int) -> MeasuredCompute | None:
    """What a load of this model has shown: its log's compute buffer, of the place where the layers ran.

    None when that buffer was as large as the attention alone makes it: it tells nothing of the model then.
    """
    n_batch = request.ubatch(n_ctx, is_causal=shape.is_causal)
    peak = logged_bytes / (FLOAT_BYTES * n_batch)
    floats = peak - _mask_floats(shape, request, n_ctx)
    if floats <= 0 or _scores(shape, request, n_ctx, floats) > MOSTLY * peak:
        return None
    return MeasuredCompute(floats, _is_quantised(request), request.n_parallel)


def mask_cells(shape: ModelShape, request: LoadRequest, n_ctx: int) -> int:
    """Columns of the attention masks: the full cache's cells, and the windowed one's."""
    if shape.architecture in RECURRENT:
        return 0
    if shape.architecture in WITHOUT_MASKS_OF_CONTEXT:
        return request.ubatch(n_ctx, is_causal=shape.is_causal)
    windowed = window_cells(shape, request, n_ctx)
    if windowed and not has_full_layers(shape):
        return windowed
    return request.cells(n_ctx) + windowed


def _mask_floats(shape: ModelShape, request: LoadRequest, n_ctx: int) -> float:
    """Masks have two bytes a cell for flash attention, four without."""
    share = 0.5 if uses_flash_attention(shape, request) else 1.0
    return share * mask_cells(shape, request, n_ctx)


def _scores(shape: ModelShape, request: LoadRequest, n_ctx: int, floats: float) -> float:
    """Floats per token at the attention, where it keeps scores of the whole context; 0 where it does not."""
    full = request.cells(n_ctx)
    if shape.architecture in COMPRESSED:
        return 0.65 * full + 0.5 * floats
    is_flash = uses_flash_attention(shape, request)
    if shape.architecture in SHARED_BLOCKS and is_flash:
        return _block_scores(shape, request, full, floats)
    indexed = 2.0 * full + 0.75 * floats if shape.architecture in SPARSE_INDEXED else 0.0
    if shape.architecture in ALL_LOGITS:
        indexed = float(shape.n_vocab + 2 * shape.n_embd)
    if is_flash or shape.architecture in RECURRENT:
        return indexed
    return max(indexed, _whole_scores(shape, request, n_ctx))


def _whole_scores(shape: ModelShape, request: LoadRequest, n_ctx: int) -> float:
    """Without flash attention: the scores of all heads, beside queries, keys and values."""
    n_head = max(shape.n_head.values, default=0)
    n_head_kv = max(shape.n_head_kv.values, default=0)
    masked = mask_cells(shape, request, n_ctx)
    is_of_batch = shape.architecture in WITHOUT_MASKS_OF_CONTEXT
    cells = masked if is_of_batch else min(masked, request.cells(n_ctx))
    more = 3 * cells if shape.architecture in SPARSE_INDEXED else 0
    vectors = 3 * shape.n_embd + 2 * shape.key_length * (n_head + n_head_kv)
    return n_head * cells + masked + more + vectors


def _block_scores(shape: ModelShape, request: LoadRequest, full: int, floats: float) -> float:
    """minimax-m3 scores blocks by KV head, unless several slots share one pool."""
    if request.kv_unified and request.n_parallel > 1:
        return 0.0
    n_head_kv = max(shape.n_head_kv.values, default=0)
    return full * (1.5 + 2 * n_head_kv / request.n_streams) + 0.4 * floats
