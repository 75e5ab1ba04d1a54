"""The compute buffer: floats for each token of a batch, times the batch, and the masks beside them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ggtui.core.memory.cache import is_quantised, window_cells
from ggtui.core.memory.families import NO_CACHE, NO_FLASH_ATTENTION, RECURRENT, UNGATED
from ggtui.core.units import MIB

if TYPE_CHECKING:
    from ggtui.core.memory.request import LoadRequest
    from ggtui.core.memory.shape import ModelShape

UNKNOWN_BYTES = 256 * MIB
"""Compute buffer of a model whose widths the file does not tell: a middle figure, not a measurement."""

SMALL_FLOATS = 6
"""Positions, ids and the like, for each token."""


class ComputeSource(StrEnum):
    """Where the floats per token come from, best first."""

    MEASURED = "measured"
    TABLE = "table"
    FORMULA = "formula"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MeasuredCompute:
    """Floats per token of one model file, learned from a load of it; it holds for loads of the same kind."""

    floats_per_token: float
    flash_attn: bool = True
    has_quantised_cache: bool = False
    n_slots: int = 0
    """Slots of that load; counts only for models with recurrent layers."""

    def suits(self, shape: ModelShape, request: LoadRequest) -> bool:
        """True when a load like this one has the same floats per token."""
        kind = (uses_flash_attention(shape, request), _is_quantised(request))
        same_slots = shape.recurrent is None or self.n_slots in (0, request.n_parallel)
        return same_slots and kind == (self.flash_attn, self.has_quantised_cache)


MEASURED_FLOATS: dict[tuple[str, int, int, int], int] = {
    ("llama", 32, 4096, 8): 102_406,
    ("gpt-oss", 24, 2880, 32): 47_306,
    ("gpt-oss", 36, 2880, 128): 47_306,
    ("deepseek2", 61, 7168, 256): 208_900,
    ("deepseek2", 27, 2048, 64): 41_028,
    ("qwen3next", 48, 2048, 512): 44_038,
    ("granitehybrid", 40, 4096, 72): 76_806,
    ("llama4", 48, 5120, 16): 50_235,
    ("jamba", 32, 4096, 16): 98_343,
    ("gemma3n", 35, 2048, 0): 77_323,
    ("gemma2", 42, 3584, 0): 57_866,
    ("gemma3", 48, 3840, 0): 61_706,
    ("gemma3", 62, 5376, 0): 84_746,
    ("cohere2", 32, 4096, 0): 63_498,
    ("seed_oss", 64, 5120, 0): 108_550,
    ("lfm2", 16, 2048, 0): 30_734,
    ("falcon-h1", 44, 3072, 0): 47_622,
    ("nemotron_h", 56, 4480, 0): 76_949,
    ("mamba", 64, 2560, 0): 33_501,
    ("mamba2", 64, 2560, 0): 35_728,
    ("rwkv6", 32, 4096, 0): 58_401,
}
"""Floats per token, measured on real models with one slot and flash attention, where no formula meets them.

By architecture, layers, embedding length and number of experts.
"""


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
    if measured is not None and measured.suits(shape, request):
        return ComputeSource.MEASURED
    if _key(shape) in MEASURED_FLOATS:
        return ComputeSource.TABLE
    return ComputeSource.FORMULA if _formula(shape) else ComputeSource.UNKNOWN


def compute_bytes(
    shape: ModelShape, request: LoadRequest, n_ctx: int, measured: MeasuredCompute | None = None
) -> int:
    """Bytes of the compute buffer where the layers run.

    n_ctx: tokens of one request.
    Source: fitted to llama.cpp's own figures, which grow by 4 ub floats + 2 ub mask cells.
    """
    if measured is not None and measured.suits(shape, request):
        floats = measured.floats_per_token
    else:
        floats = MEASURED_FLOATS.get(_key(shape)) or _formula(shape)
    n_batch = request.ubatch(n_ctx, is_causal=shape.is_causal)
    if not floats:
        return UNKNOWN_BYTES + 2 * n_batch * mask_cells(shape, request, n_ctx)
    return round(4 * n_batch * floats) + mask_bytes(shape, request, n_ctx)


def host_compute_bytes(shape: ModelShape, request: LoadRequest, n_ctx: int) -> int:
    """Bytes of the host's compute buffer when all layers run on devices: embeddings in, masks out."""
    n_batch = request.ubatch(n_ctx, is_causal=shape.is_causal)
    return 8 * shape.n_embd * n_batch + 2 * n_batch * mask_cells(shape, request, n_ctx)


def learned(shape: ModelShape, request: LoadRequest, n_ctx: int, logged_bytes: int) -> MeasuredCompute:
    """What a load of this model has shown: its log's compute buffer, of the place where the layers ran."""
    n_batch = request.ubatch(n_ctx, is_causal=shape.is_causal)
    floats = (logged_bytes - mask_bytes(shape, request, n_ctx)) / (4 * n_batch)
    return MeasuredCompute(
        floats, uses_flash_attention(shape, request), _is_quantised(request), request.n_parallel
    )


def mask_cells(shape: ModelShape, request: LoadRequest, n_ctx: int) -> int:
    """Columns of the attention masks: the full cache's cells, and the windowed one's."""
    if shape.architecture in RECURRENT or shape.architecture == "llama-embed":
        return 0
    if shape.architecture in NO_CACHE:
        return request.ubatch(n_ctx, is_causal=shape.is_causal)
    windowed = window_cells(shape, request, n_ctx)
    if windowed and shape.architecture == "lfm2":
        return windowed
    return request.cells(n_ctx) + windowed


def mask_bytes(shape: ModelShape, request: LoadRequest, n_ctx: int) -> int:
    """Bytes that grow with the context: masks, and without flash attention the scores of all heads."""
    n_batch = request.ubatch(n_ctx, is_causal=shape.is_causal)
    n_bytes = 2 * n_batch * mask_cells(shape, request, n_ctx)
    if not uses_flash_attention(shape, request) and shape.architecture not in RECURRENT:
        n_bytes += 4 * n_batch * max(shape.n_head.values, default=0) * request.cells(n_ctx)
    return n_bytes


def _key(shape: ModelShape) -> tuple[str, int, int, int]:
    return shape.architecture, shape.n_layer_all, shape.n_embd, shape.experts.n_expert


def _formula(shape: ModelShape) -> int:
    """First guess by the widths; 0 when the file does not tell them."""
    n_embd = shape.n_embd
    n_ff = max(shape.n_ff.values, default=0)
    keys = shape.recurrent
    if not n_embd:
        return 0
    floats = []
    if n_ff and (not shape.experts.n_used or shape.experts.n_dense_lead):
        floats.append(_dense(shape, n_ff))
    if shape.experts.n_used:
        floats.append(_sparse(shape, n_ff))
    if keys is not None and keys.inner_size:
        floats.append(5 * keys.inner_size + 3 * n_embd)
    return max(floats) + SMALL_FLOATS if floats else 0


def _dense(shape: ModelShape, n_ff: int) -> int:
    if shape.architecture in UNGATED:
        return max(2 * n_ff, 6 * shape.n_embd)
    return 3 * n_ff + 4 * shape.n_embd


def _sparse(shape: ModelShape, n_ff: int) -> int:
    experts = shape.experts
    return experts.n_used * (shape.n_embd + 3 * (experts.n_ff or n_ff)) + 5 * shape.n_embd
