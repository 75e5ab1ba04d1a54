"""Floats that one token takes at the widest place of a model: measured, or by the widths."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ggtui.core.memory.families import (
    ALL_LOGITS,
    COMPRESSED,
    SHARED_BLOCKS,
    SPARSE_INDEXED,
    WITHOUT_MASKS_OF_CONTEXT,
    names,
)
from ggtui.core.memory.graph.kinds import DEEPSTACK
from ggtui.core.memory.graph.positions import positions_floats
from ggtui.core.memory.graph.recurrent import LIGHTNING
from ggtui.core.memory.layers import INDEXED_RATIO, layer_caches

if TYPE_CHECKING:
    from ggtui.core.memory.graph.walk import Launch
    from ggtui.core.memory.request import LoadRequest
    from ggtui.core.memory.shape import ModelShape

INDEX_FLOATS = 2
"""An index has eight bytes."""
SMALL_FLOATS = 6
"""Positions, ids and the like, for each token."""

MEASURED_FLOATS: dict[tuple[str, int, int, int], int] = {
    ("deepseek2", 27, 2048, 64): 41_028,
    ("smallthinker", 52, 2560, 64): 37_002,
    ("nemotron_h", 56, 4480, 0): 76_949,
    ("mamba2", 64, 2560, 0): 35_728,
}
"""Measured on published models with one slot and flash attention, where the walk is more than 0.5 % off.

By architecture, layers, embedding length and number of experts.
"""


OF_ITS_OWN_KIND = COMPRESSED | SHARED_BLOCKS | ALL_LOGITS | SPARSE_INDEXED | names("t5 t5encoder")
"""Their attention, or what follows it, keeps more than a walk through the layers finds."""


def measured_floats(shape: ModelShape) -> int:
    """The figure of a published model; 0 for any other."""
    key = (shape.architecture, shape.n_layer_all, shape.n_embd, shape.experts.n_expert)
    return MEASURED_FLOATS.get(key, 0)


def input_floats(shape: ModelShape, launch: Launch) -> int:
    """Floats of each token that come in from outside and stay in use, masks aside."""
    floats = SMALL_FLOATS + shape.n_embd * DEEPSTACK.get(shape.architecture, 1)
    if shape.architecture in LIGHTNING:
        floats += shape.n_head_first * launch.n_tokens // launch.n_slots
    if not launch.is_flash and shape.architecture not in WITHOUT_MASKS_OF_CONTEXT:
        floats += INDEX_FLOATS * _value_width(shape) * (2 if launch.windowed_cells else 1)
    return floats


@lru_cache(maxsize=512)
def _value_width(shape: ModelShape) -> int:
    """Elements of V that are written one by one, because without flash attention V lies across."""
    return max((layer.v for layer in layer_caches(shape, flash_attn=False)), default=0)


def special_floats(
    shape: ModelShape, request: LoadRequest, n_ctx: int, launch: Launch, floats: float
) -> float:
    """Floats of the batch, with masks, where attention keeps scores of the whole context in its own way.

    floats: of the batch at the widest of the other places; at the scores a share of it is still in use.
    Source: fitted to llama.cpp's figures of deepseek32, deepseek4 and minimax-m3, where views of the scores,
    their masks and the chosen cells lie beside one another.
    """
    name, n_tokens = shape.architecture, launch.n_tokens
    full = request.cells(n_ctx)
    if name in COMPRESSED:
        return n_tokens * _compressed(shape, launch, full) + (0.5 * floats if launch.is_flash else 0)
    if name in SHARED_BLOCKS and launch.is_flash:
        return n_tokens * _block_scores(shape, request, full) + 0.4 * floats
    if name in ALL_LOGITS:
        return float(n_tokens * (shape.n_vocab + 2 * shape.n_embd))
    if name in SPARSE_INDEXED:
        return n_tokens * 2.0 * full + 0.75 * floats if launch.is_flash else floats + 4.0 * n_tokens * full
    return positions_floats(shape, launch, full)


def _compressed(shape: ModelShape, launch: Launch, full: int) -> float:
    if launch.is_flash:
        return 0.65 * full
    cells = full / INDEXED_RATIO + launch.windowed_cells
    return shape.n_head_first * cells + 4 * cells


def _block_scores(shape: ModelShape, request: LoadRequest, full: int) -> float:
    """minimax-m3 scores blocks by KV head, unless several slots share one pool."""
    if request.kv_unified and request.n_parallel > 1:
        return 0.0
    n_head_kv = max(shape.n_head_kv.values, default=0)
    return full * (1.5 + 2 * n_head_kv / request.n_streams)
