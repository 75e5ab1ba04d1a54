"""What the attention of one layer takes and gives back, in the engine's order.

Source: llama.cpp src/llama-graph.cpp build_qkv, build_attn and build_attn_mha.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ggtui.core.memory.families import WITHOUT_MASKS_OF_CONTEXT
from ggtui.core.memory.graph.kinds import FUSED_QKV, GATED_ATTENTION, KEYS_FIRST, NORMED_BEFORE_OUTPUT

if TYPE_CHECKING:
    from ggtui.core.memory.graph.arena import Block
    from ggtui.core.memory.graph.walk import Walk

LATENT_HEAD = 128
"""Width of an uncompressed head in every published model with compressed heads."""


class Heads(NamedTuple):
    """The attention of one layer, in elements for each token."""

    n_head: int
    queries: int
    keys: int
    values: int
    found: int
    """What all heads find together."""
    cells: int
    """Of the cache, for scores; 0 with flash attention."""
    is_placed: bool = True
    """True when queries and keys are made anew with positions in them, or with a norm of each head."""


def attended(walk: Walk, heads: Heads, norm: Block, *, keeps_norm: bool = False) -> Block:
    """What the heads have found, before the last multiplication.

    norm: the input, freed when the queries, keys and values are made unless something else reads it too.
    """
    name = walk.shape.architecture
    is_gated = name in GATED_ATTENTION
    source = () if keeps_norm or is_gated else (norm,)
    if walk.shape.is_mla:
        found = _latent(walk, heads, *source)
    elif name in FUSED_QKV:
        found = _fused(walk, heads, *source)
    else:
        found = _separate(walk, heads, *source)
    if name in NORMED_BEFORE_OUTPUT:
        return walk.remade(found)
    if is_gated:
        gate = walk.take(heads.found)
        walk.give(norm, found)
        return gate
    return found


def _separate(walk: Walk, heads: Heads, *source: Block) -> Block:
    keys_first = walk.shape.architecture in KEYS_FIRST
    queries = _remade_if(walk, walk.take(heads.queries), is_on=heads.is_placed)
    queries = _remade_if(walk, queries, is_on=walk.launch.turns_k)
    if keys_first:
        keys = _remade_if(walk, walk.take(heads.keys), is_on=heads.is_placed)
        values = walk.take(heads.values)
        walk.give(*source)
    else:
        values = _remade_if(walk, walk.take(heads.values), is_on=walk.launch.turns_v)
        keys = walk.take(heads.keys)
        walk.give(*source)
        keys = _remade_if(walk, keys, is_on=heads.is_placed)
    keys = _remade_if(walk, keys, is_on=walk.launch.turns_k)
    if keys_first:
        values = _remade_if(walk, values, is_on=walk.launch.turns_v)
    return _looked_up(walk, heads, queries, keys, values)


def _fused(walk: Walk, heads: Heads, *source: Block) -> Block:
    every = walk.take(heads.queries + heads.keys + heads.values)
    walk.give(*source)
    if not heads.is_placed:
        return _looked_up(walk, heads, every)
    queries = _remade_if(walk, walk.take(heads.queries), is_on=walk.launch.turns_k)
    keys = _remade_if(walk, walk.take(heads.keys), is_on=walk.launch.turns_k)
    return _looked_up(walk, heads, queries, keys, every)


def _remade_if(walk: Walk, made: Block, *, is_on: bool) -> Block:
    """A view is never written over, so what changes it makes a tensor anew."""
    return walk.remade(made) if is_on else made


def _looked_up(walk: Walk, heads: Heads, queries: Block, *stored: Block) -> Block:
    if walk.shape.architecture in WITHOUT_MASKS_OF_CONTEXT:
        return _looked_at_batch(walk, heads, queries, *stored)
    walk.give(*stored)
    found = _scored(walk, heads, queries)
    return _remade_if(walk, found, is_on=walk.launch.turns_v)


def _scored(walk: Walk, heads: Heads, queries: Block) -> Block:
    if walk.launch.is_flash:
        return walk.turned_into(heads.found, queries)
    scores = walk.turned_into(heads.n_head * heads.cells, queries)
    return walk.remade(walk.turned_into(heads.found, scores))


def _looked_at_batch(walk: Walk, heads: Heads, queries: Block, *stored: Block) -> Block:
    """Without a cache the keys and values of the batch are kept, as f16 for flash attention."""
    if not walk.launch.is_flash:
        *others, values = stored
        across = walk.remade(values) if others else walk.take(heads.values)
        kept = others or [values]
        scores = walk.turned_into(heads.n_head * heads.cells, queries, *kept)
        return walk.remade(walk.turned_into(heads.found, scores, across))
    halves = [walk.turned_into(block.size / 2 / walk.launch.n_tokens, block) for block in stored]
    return walk.turned_into(heads.found, queries, *halves)


def _latent(walk: Walk, heads: Heads, *source: Block) -> Block:
    """Queries of all heads as wide as the compressed keys, and what comes back of them."""
    shape, n_head = walk.shape, heads.n_head
    n_rope = shape.key_length - shape.value_length
    plain = walk.take(n_head * (LATENT_HEAD + n_rope))
    absorbed = walk.take(n_head * shape.value_length)
    positions = walk.turned_into(n_head * n_rope, plain)
    queries = walk.turned_into(n_head * shape.key_length, absorbed, positions)
    compressed = walk.take(shape.key_length)
    walk.give(*source)
    normed = walk.take(shape.value_length)
    keys = walk.turned_into(shape.key_length, compressed, normed)
    walk.give(keys)
    if walk.launch.is_flash:
        found = walk.turned_into(n_head * shape.value_length, queries)
    else:
        scores = walk.turned_into(n_head * heads.cells, queries)
        found = walk.turned_into(n_head * shape.value_length, scores)
    return walk.remade(walk.turned_into(n_head * LATENT_HEAD, found))
