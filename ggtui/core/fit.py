"""How many bytes a model takes once it is loaded, by part: plain sums for ordinary attention."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.core.models import KvType
from ggtui.core.units import MIB

if TYPE_CHECKING:
    from ggtui.core.models import AttentionShape, LaunchOptions, ModelSummary

CELL_STEP = 256
"""llama.cpp rounds the KV cache up to this many cells."""

UBATCH = 512
"""Tokens of one physical batch: llama-server's default `-ub`."""

COMPUTE_DEFAULT_BYTES = 256 * MIB
"""Compute buffer of a model whose shape the header does not tell: a middle figure, not a measurement."""

_BLOCK: dict[KvType, tuple[int, int]] = {
    KvType.F32: (1, 4),
    KvType.F16: (1, 2),
    KvType.BF16: (1, 2),
    KvType.Q8_0: (32, 34),
    KvType.Q5_1: (32, 24),
    KvType.Q5_0: (32, 22),
    KvType.Q4_1: (32, 20),
    KvType.Q4_0: (32, 18),
    KvType.IQ4_NL: (32, 18),
}
"""Elements and bytes of one block, by type. Source: llama.cpp ggml/src/ggml-common.h."""


@dataclass(frozen=True, slots=True)
class MemoryParts:
    """What a loaded model holds, in bytes."""

    weights_bytes: int
    kv_bytes: int
    compute_bytes: int
    output_bytes: int

    @property
    def total_bytes(self) -> int:
        """All parts together."""
        return self.weights_bytes + self.kv_bytes + self.compute_bytes + self.output_bytes


def padded_ctx(n_ctx: int) -> int:
    """Tokens rounded up to whole steps of the KV cache."""
    return -(-max(1, n_ctx) // CELL_STEP) * CELL_STEP


def row_bytes(kv_type: KvType, n_elements: int) -> int:
    """Bytes of one cache row of n_elements, whole blocks."""
    elements, size = _BLOCK[kv_type]
    return -(-n_elements // elements) * size


def kv_cell_bytes(attention: AttentionShape, options: LaunchOptions) -> int:
    """Bytes of one token in the KV cache, all layers together; layers without KV heads count 0.

    Without flash attention every layer's V is as wide as the widest of them.
    Source: llama.cpp src/llama-kv-cache.cpp.
    """
    layers_by_heads = Counter(attention.n_head_kv)
    widest = max(layers_by_heads, default=0)

    def layer_bytes(n_heads: int) -> int:
        n_heads_v = widest if options.flash_attn is False else n_heads
        k = row_bytes(options.cache_type_k, n_heads * attention.key_length)
        return k + row_bytes(options.cache_type_v, n_heads_v * attention.value_length)

    return sum(
        n_layers * layer_bytes(n_heads) for n_heads, n_layers in layers_by_heads.items() if n_heads > 0
    )


def kv_cache_bytes(attention: AttentionShape, n_ctx: int, options: LaunchOptions) -> int:
    """Bytes of the whole KV cache.

    n_ctx: tokens of one request, rounded up to 256 here. Slots share one pool of that size when the
    cache is unified; otherwise each slot has its own.
    """
    streams = 1 if options.kv_unified else max(1, options.n_parallel)
    return kv_cell_bytes(attention, options) * padded_ctx(n_ctx) * streams


def compute_buffer_bytes(model: ModelSummary, n_ctx: int, options: LaunchOptions) -> int:
    """First guess of the compute buffer, for a gated dense model: 4 ub (3 n_ff + 4 n_embd) + 2 ub cells.

    Source: fitted to llama.cpp's own log lines; exact for llama, qwen2, qwen3 and phi3 shapes.
    """
    if not model.n_embd or not model.n_ff:
        return COMPUTE_DEFAULT_BYTES
    batch = min(UBATCH, max(1, n_ctx))
    cells = padded_ctx(n_ctx)
    n_bytes = 4 * batch * (3 * model.n_ff + 4 * model.n_embd) + 2 * batch * cells
    if options.flash_attn is False:
        n_bytes += 4 * _n_heads(model) * cells * batch
    return n_bytes


def _n_heads(model: ModelSummary) -> int:
    if model.attention is None or not model.attention.key_length:
        return 32
    of_width = (model.n_embd or 0) // model.attention.key_length
    return max(of_width, *model.attention.n_head_kv, 1)


def output_buffer_bytes(model: ModelSummary, options: LaunchOptions) -> int:
    """Bytes of the logits, one row of the vocabulary for each slot."""
    return 4 * (model.n_vocab or 0) * max(1, options.n_parallel)


def estimate(model: ModelSummary, n_ctx: int, options: LaunchOptions) -> MemoryParts:
    """All parts of a model at this context; the KV cache counts 0 when the shape is unknown.

    n_ctx: tokens of one request.
    """
    kv = 0 if model.attention is None else kv_cache_bytes(model.attention, n_ctx, options)
    return MemoryParts(
        weights_bytes=model.size_bytes,
        kv_bytes=kv,
        compute_bytes=compute_buffer_bytes(model, n_ctx, options),
        output_bytes=output_buffer_bytes(model, options),
    )
