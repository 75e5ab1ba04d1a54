"""Floats that the graph holds at its widest point, without masks and inputs."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ggtui.core.memory.families import HYBRID_PARALLEL
from ggtui.core.memory.graph.arena import NOTHING
from ggtui.core.memory.graph.attention import Heads, attended
from ggtui.core.memory.graph.feed_forward import chosen_experts, fed_forward, has_experts, width
from ggtui.core.memory.graph.gemma3n import Streams
from ggtui.core.memory.graph.kinds import (
    KEPT_INPUT,
    NORM_LAST,
    NORMED_EMBEDDING,
    PARALLEL,
    PARALLEL_BEFORE_OUTPUT,
    PARALLEL_WITH_OWN_NORM,
    STREAM_TAKES_ATTENTION,
    STREAM_TAKES_FORWARD,
    STREAM_TAKES_RECURRENCE,
    UNPLACED,
    UNPLACED_WHEN_FULL,
    WITHOUT_FIRST_NORM,
)
from ggtui.core.memory.graph.recurrent import recurred
from ggtui.core.memory.graph.walk import Launch, Walk
from ggtui.core.memory.layers import recurrent_layers, window_layers

if TYPE_CHECKING:
    from ggtui.core.memory.graph.arena import Block
    from ggtui.core.memory.shape import ModelShape, PerLayer

ROUNDS = 3
"""How often a kind of layer is walked through: the first time finds other gaps than the next."""


@lru_cache(maxsize=512)
def widest_floats(shape: ModelShape, launch: Launch) -> int:
    """Floats of the whole batch that the engine's allocator needs for the layers.

    Not all layers are walked through, only the first few of each kind; the others find the same gaps.
    Source: the graphs of llama.cpp src/models/; whole buffers are equal to 0.1 % in three of four launches
    of tests/golden, and within a tenth or 32 MiB in all.
    """
    walk = Walk(shape, launch)
    if shape.architecture == "gemma3n":
        return _widest_of_streams(walk)
    kept = KEPT_INPUT.get(shape.architecture, 0)
    stream = walk.take(shape.n_embd * max(1, kept))
    stream = NOTHING if kept else stream
    if shape.architecture in NORMED_EMBEDDING:
        stream = walk.remade(stream)
    windowed, recurrent = window_layers(shape), recurrent_layers(shape)
    met: dict[object, int] = {}
    # The last layer's feed-forward sees only the tokens whose logits are wanted.
    for layer in range(min(max(1, shape.n_layer - 1), shape.n_layer_all)):
        kind = (recurrent[layer], windowed[layer], has_experts(shape, layer), width(shape, layer))
        met[kind] = met.get(kind, 0) + 1
        if met[kind] > ROUNDS:
            continue
        stream = _layer(walk, layer, stream, is_recurrent=recurrent[layer], is_windowed=windowed[layer])
    return walk.arena.peak


def _widest_of_streams(walk: Walk) -> int:
    streams, windowed = Streams(walk), window_layers(walk.shape)
    for layer in range(min(2 * ROUNDS, len(windowed))):
        heads = _heads(walk, layer, is_windowed=windowed[layer])
        streams.pass_layer(heads, width(walk.shape, layer))
    return walk.arena.peak


def _layer(walk: Walk, layer: int, stream: Block, *, is_recurrent: bool, is_windowed: bool) -> Block:
    name = walk.shape.architecture
    if is_recurrent and name not in HYBRID_PARALLEL:
        return _then_forward(walk, layer, _summed(walk, stream, recurred(walk), STREAM_TAKES_RECURRENCE))
    heads = _heads(walk, layer, is_windowed=is_windowed)
    if name in PARALLEL:
        return _side_by_side(walk, layer, stream, heads)
    if name in PARALLEL_BEFORE_OUTPUT or name in PARALLEL_WITH_OWN_NORM:
        return _forward_first(walk, layer, stream, heads)
    if name in NORM_LAST:
        return _normed_last(walk, layer, stream, heads)
    norm = NOTHING if name in WITHOUT_FIRST_NORM else walk.take(walk.shape.n_embd)
    found = attended(walk, heads, norm)
    if name in HYBRID_PARALLEL:
        scanned = recurred(walk)
        found = walk.turned_into(walk.shape.n_embd, found)
        walk.give(scanned)
    else:
        found = walk.turned_into(walk.shape.n_embd, found)
    return _then_forward(walk, layer, _summed(walk, stream, found, STREAM_TAKES_ATTENTION))


def _summed(walk: Walk, stream: Block, found: Block, takes: frozenset[str]) -> Block:
    """The sum lies where one of the two was."""
    if walk.shape.architecture in takes:
        walk.give(found)
        return stream
    walk.give(stream)
    return found


def _heads(walk: Walk, layer: int, *, is_windowed: bool) -> Heads:
    shape, launch = walk.shape, walk.launch
    n_head, n_head_kv = _figure(shape.n_head, layer), _figure(shape.n_head_kv, layer)
    key = shape.key_length_swa if is_windowed else shape.key_length
    value = shape.value_length_swa if is_windowed else shape.value_length
    cells = launch.windowed_cells if is_windowed else launch.full_cells
    bare = UNPLACED if is_windowed else UNPLACED | UNPLACED_WHEN_FULL
    is_placed = shape.architecture not in bare
    return Heads(n_head, n_head * key, n_head_kv * key, n_head_kv * value, n_head * value, cells, is_placed)


def _figure(per_layer: PerLayer, layer: int) -> int:
    """The figure of one layer, 0 where the file says nothing of it."""
    figures = per_layer.figures
    return figures[layer] if layer < len(figures) else 0


def _then_forward(walk: Walk, layer: int, stream: Block) -> Block:
    """The second half of a layer."""
    if not has_experts(walk.shape, layer) and not width(walk.shape, layer):
        return stream
    is_bare = walk.shape.architecture in WITHOUT_FIRST_NORM
    found = _forward(walk, layer, NOTHING if is_bare else walk.take(walk.shape.n_embd))
    return _summed(walk, stream, found, STREAM_TAKES_FORWARD)


def _forward(walk: Walk, layer: int, norm: Block) -> Block:
    if has_experts(walk.shape, layer):
        return chosen_experts(walk, layer, norm)
    return fed_forward(walk, width(walk.shape, layer), norm)


def _side_by_side(walk: Walk, layer: int, stream: Block, heads: Heads) -> Block:
    norm = walk.take(walk.shape.n_embd)
    seen = walk.turned_into(walk.shape.n_embd, attended(walk, heads, norm, keeps_norm=True))
    found = _forward(walk, layer, norm)
    walk.give(seen, stream)
    return found


def _forward_first(walk: Walk, layer: int, stream: Block, heads: Heads) -> Block:
    n_embd, has_own_norm = walk.shape.n_embd, walk.shape.architecture in PARALLEL_WITH_OWN_NORM
    norm = walk.take(n_embd)
    seen = attended(walk, heads, norm, keeps_norm=not has_own_norm)
    found = _forward(walk, layer, walk.take(n_embd) if has_own_norm else norm)
    walk.give(stream)
    walk.give(walk.turned_into(n_embd, seen))
    return found


def _normed_last(walk: Walk, layer: int, stream: Block, heads: Heads) -> Block:
    seen = walk.turned_into(walk.shape.n_embd, attended(walk, heads, stream, keeps_norm=True))
    walk.give(stream)
    normed = walk.remade(seen)
    found = _forward(walk, layer, NOTHING)
    walk.give(normed)
    return walk.remade(found)
