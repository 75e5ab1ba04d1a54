"""What the feed-forward of one layer takes and gives back, in the engine's order.

Source: llama.cpp src/llama-graph.cpp build_ffn and build_moe_ffn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.memory.families import EXPERTS_BY_COMMON_WIDTH, UNGATED
from ggtui.core.memory.graph.arena import NOTHING
from ggtui.core.memory.graph.kinds import (
    DENSE_FIRST,
    FUSED_GATE,
    HALVED_WIDTHS,
    SHARED_EXPERTS,
    WIDTHS_BY_LAYER,
)

if TYPE_CHECKING:
    from ggtui.core.memory.graph.arena import Block
    from ggtui.core.memory.graph.walk import Walk
    from ggtui.core.memory.shape import ModelShape


def width(shape: ModelShape, layer: int) -> int:
    """Width of this layer's dense feed-forward, 0 for none."""
    widths = shape.n_ff.figures
    if not widths:
        return 0
    own = widths[layer] if shape.architecture in WIDTHS_BY_LAYER and layer < len(widths) else widths[0]
    return own // 2 if shape.architecture in HALVED_WIDTHS else own


def has_experts(shape: ModelShape, layer: int) -> bool:
    """True when this layer chooses among experts."""
    experts = shape.experts
    n_dense = experts.n_dense_lead if shape.architecture in DENSE_FIRST else 0
    return bool(experts.n_used) and layer >= n_dense


def fed_forward(walk: Walk, n_ff: int, *source: Block) -> Block:
    """A dense feed-forward. source: its input, when nothing else reads it."""
    shape = walk.shape
    if shape.architecture in FUSED_GATE:
        halves = walk.take(2 * n_ff)
        walk.give(*source)
        return walk.turned_into(shape.n_embd, walk.turned_into(n_ff, halves))
    up = walk.take(n_ff)
    if shape.architecture in UNGATED:
        walk.give(*source)
        return walk.turned_into(shape.n_embd, up)
    gate = walk.take(n_ff)
    walk.give(*source)
    both = walk.turned_into(n_ff, up, gate)
    return walk.turned_into(shape.n_embd, both)


def chosen_experts(walk: Walk, layer: int, norm: Block) -> Block:
    """The experts' sum. norm: the input, freed here."""
    shape, experts = walk.shape, walk.shape.experts
    name, n_used = shape.architecture, experts.n_used
    shared = shared_width(shape, layer)
    source = () if shared else (norm,)
    scores = walk.take(experts.n_expert)
    order = walk.take(experts.n_expert)
    weights = walk.turned_into(n_used, scores)
    repeated = walk.take(n_used * shape.n_embd) if name == "llama4" else NOTHING
    n_ff = n_used * expert_width(shape, layer)
    up = walk.take(n_ff)
    if name in UNGATED or name == "nemotron_h_moe":
        walk.give(*source)
        both = up
    else:
        gate = walk.take(n_ff)
        walk.give(repeated, *source)
        both = walk.turned_into(n_ff, up, gate)
    found = walk.turned_into(n_used * shape.n_embd, both, order)
    walk.give(weights)
    total = walk.turned_into(shape.n_embd, found)
    if shared:
        walk.give(fed_forward(walk, shared, norm))
    return total


def expert_width(shape: ModelShape, layer: int) -> int:
    """Width of one expert's feed-forward."""
    is_common = shape.architecture in EXPERTS_BY_COMMON_WIDTH or not shape.experts.n_ff
    return width(shape, layer) if is_common else shape.experts.n_ff


def shared_width(shape: ModelShape, layer: int) -> int:
    """Width of the expert that sees every token; 0 for none."""
    experts = shape.experts
    if shape.architecture not in SHARED_EXPERTS:
        return 0
    if shape.architecture == "llama4":
        return experts.n_ff
    if experts.n_ff_shared or experts.n_shared:
        return experts.n_ff_shared or experts.n_shared * expert_width(shape, layer)
    return 0
