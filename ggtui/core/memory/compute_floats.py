"""Floats that one token takes at the widest place of a model: measured, or by the widths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.memory.families import EXPERTS_BY_COMMON_WIDTH, UNGATED

if TYPE_CHECKING:
    from ggtui.core.memory.shape import ModelShape

SMALL_FLOATS = 6
"""Positions, ids and the like, for each token."""

_MEASURED: dict[tuple[str, int, int, int], int] = {
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
"""Measured on published models with one slot and flash attention, where no formula meets them.

By architecture, layers, embedding length and number of experts.
"""


def measured_floats(shape: ModelShape) -> int:
    """The figure of a published model; 0 for any other."""
    key = (shape.architecture, shape.n_layer_all, shape.n_embd, shape.experts.n_expert)
    return _MEASURED.get(key, 0)


def formula_floats(shape: ModelShape) -> int:
    """First guess by the widths; 0 when the file does not tell them."""
    n_ff = max(shape.n_ff.values, default=0)
    keys, experts = shape.recurrent, shape.experts
    if not shape.n_embd:
        return 0
    floats = []
    if n_ff and (not experts.n_used or experts.n_dense_lead):
        floats.append(_dense(shape, n_ff))
    if experts.n_used:
        floats.append(_sparse(shape, n_ff))
    if keys is not None and keys.inner_size:
        floats.append(5 * keys.inner_size + 3 * shape.n_embd)
    if shape.is_mla:
        floats.append(_compressed_heads(shape))
    return max(floats) + SMALL_FLOATS if floats else 0


def _dense(shape: ModelShape, n_ff: int) -> int:
    if shape.architecture in UNGATED:
        return max(2 * n_ff, 6 * shape.n_embd)
    return 3 * n_ff + 4 * shape.n_embd


def _sparse(shape: ModelShape, n_ff: int) -> int:
    experts = shape.experts
    if shape.architecture in UNGATED:
        return experts.n_used * (shape.n_embd + n_ff) + 2 * shape.n_embd
    is_common = shape.architecture in EXPERTS_BY_COMMON_WIDTH or not experts.n_ff
    return experts.n_used * (shape.n_embd + 3 * (n_ff if is_common else experts.n_ff)) + 5 * shape.n_embd


def _compressed_heads(shape: ModelShape) -> int:
    """Queries of all heads as wide as the compressed K, and what comes back of them."""
    return max(shape.n_head.values, default=0) * (2 * shape.key_length + shape.value_length // 2)
