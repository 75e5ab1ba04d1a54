"""What a recurrent layer takes and gives back, in the engine's order.

Source: llama.cpp src/models/mamba-base.cpp, delta-net-base.cpp, rwkv6-base.cpp, rwkv7-base.cpp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.memory.families import names
from ggtui.core.memory.shape import RecurrentKeys

if TYPE_CHECKING:
    from ggtui.core.memory.graph.arena import Block
    from ggtui.core.memory.graph.walk import Walk

NORMED_SCANS = names("granitehybrid falcon-h1")
"""The norm after the gate finds no gap; elsewhere it lies where the gate's halves were."""
DELTA_NETS = names("qwen35 qwen35moe qwen3next")
"""Gated delta nets; several slots read a state each."""
RECEPTANCES = {"rwkv6": (5, 5), "rwkv6qwen2": (5, 5), "rwkv7": (6, 9), "arwkv7": (6, 8)}
"""Mixes with the token before that are made at once, and vectors in use when the state moves on."""
LIGHTNING = names("minimax-01")
"""Scores within a batch, decayed by distance."""
HEADED_SCANS = names("mamba2 granitehybrid falcon-h1 nemotron_h nemotron_h_moe")
"""Scans of mamba2's kind, with heads and groups; the other scans are mamba's."""


def recurred(walk: Walk) -> Block:
    """What the recurrence of one layer finds, before it is added to the stream."""
    keys, name = walk.shape.recurrent or RecurrentKeys(), walk.shape.architecture
    if name in RECEPTANCES:
        return _receptance(walk, keys)
    if name in LIGHTNING:
        return _lightning(walk)
    norm = walk.take(walk.shape.n_embd)
    if keys.shortconv_l_cache:
        return _short_convolution(walk, keys, norm)
    if keys.kda_head_dim:
        return _key_delta(walk, keys, norm)
    if name in DELTA_NETS:
        return _delta_net(walk, keys, norm)
    if name in HEADED_SCANS:
        return _headed_scan(walk, keys, norm)
    return _scan(walk, keys, norm)


def _short_convolution(walk: Walk, keys: RecurrentKeys, norm: Block) -> Block:
    n_embd, n_kept = walk.shape.n_embd, walk.shape.n_embd * (keys.shortconv_l_cache - 1)
    kept = walk.take(0, n_kept)
    parts = walk.turned_into(3 * n_embd, norm)
    product = walk.take(n_embd)
    joined = walk.take(n_embd, n_kept)
    walk.give(kept, product)
    mixed = walk.turned_into(n_embd, joined)
    walk.give(parts)
    return walk.remade(mixed)


def _scan(walk: Walk, keys: RecurrentKeys, norm: Block) -> Block:
    inner, n_kept = keys.inner_size, (keys.conv_kernel - 1) * keys.inner_size
    kept = walk.take(0, n_kept)
    both = walk.turned_into(2 * inner, norm)
    joined = walk.take(inner, n_kept)
    walk.give(kept)
    mixed = walk.turned_into(inner, joined)
    steps = walk.take(walk.shape.n_embd // 16 + 2 * keys.state_size)
    spread = walk.take(inner)
    scanned = walk.take(inner, inner * keys.state_size)
    walk.give(spread, steps)
    return _gated_out(walk, inner, both, mixed, scanned)


def _headed_scan(walk: Walk, keys: RecurrentKeys, norm: Block) -> Block:
    inner = keys.inner_size
    mixed_width = inner + 2 * keys.group_count * keys.state_size
    n_kept = (keys.conv_kernel - 1) * mixed_width
    kept = walk.take(0, n_kept)
    every = walk.turned_into(inner + mixed_width, norm)
    joined = walk.take(mixed_width, n_kept)
    walk.give(kept)
    mixed = walk.turned_into(mixed_width, joined)
    scanned = walk.take(inner, inner * keys.state_size)
    return _gated_out(walk, inner, every, mixed, scanned, is_normed=walk.shape.architecture in NORMED_SCANS)


def _gated_out(
    walk: Walk, inner: int, both: Block, mixed: Block, scanned: Block, *, is_normed: bool = False
) -> Block:
    gate = walk.turned_into(inner, both)
    skipped = walk.turned_into(inner, mixed)
    walk.give(scanned)
    gated = walk.turned_into(inner, gate, skipped)
    gated = walk.remade(gated) if is_normed else gated
    return walk.turned_into(walk.shape.n_embd, gated)


def _delta_net(walk: Walk, keys: RecurrentKeys, norm: Block) -> Block:
    inner, n_key = keys.inner_size, keys.group_count * keys.state_size
    mixed_width = inner + 2 * n_key
    n_kept = (keys.conv_kernel - 1) * mixed_width
    kept = walk.take(0, n_kept)
    every = walk.take(mixed_width)
    joined = walk.take(mixed_width, n_kept)
    walk.give(kept, every)
    state = walk.take(0, inner * keys.state_size)
    mixed = walk.turned_into(mixed_width, joined)
    if walk.shape.architecture == "qwen3next":
        queries = walk.turned_into(inner, walk.take(n_key))
        looked_for = walk.turned_into(inner, walk.take(n_key))
    else:
        queries, looked_for = walk.take(n_key), walk.take(n_key)
    updated = walk.take(inner, inner * keys.state_size)
    walk.give(queries, looked_for, mixed, state)
    found = walk.turned_into(inner, updated)
    gate = walk.turned_into(inner, norm)
    walk.give(walk.remade(gate))
    return walk.turned_into(walk.shape.n_embd, found)


def _key_delta(walk: Walk, keys: RecurrentKeys, norm: Block) -> Block:
    """Kimi's delta attention: queries, keys and values with a convolution each."""
    head = keys.kda_head_dim
    wide = head * walk.shape.n_head_first
    n_kept = ((keys.conv_kernel or 4) - 1) * wide
    kept = walk.take(0, 3 * n_kept)
    joined = []
    for _ in range(3):
        made = walk.take(wide)
        joined.append(walk.take(wide, n_kept))
        walk.give(made)
    walk.give(kept)
    state = walk.take(0, wide * head)
    queries, looked_for = (walk.remade(walk.remade(walk.turned_into(wide, each))) for each in joined[:2])
    values = walk.remade(walk.turned_into(wide, joined[2]))
    decay = walk.remade(walk.take(wide))
    updated = walk.take(wide, wide * head)
    walk.give(queries, looked_for, values, decay, state)
    found = walk.remade(walk.turned_into(wide, updated))
    gate = walk.turned_into(wide, norm)
    walk.give(walk.remade(gate))
    return walk.turned_into(walk.shape.n_embd, walk.remade(found))


def _receptance(walk: Walk, keys: RecurrentKeys) -> Block:
    """rwkv's time mixing: several mixes with the token before, then one vector of each."""
    n_embd = walk.shape.n_embd
    n_mixes, n_vectors = RECEPTANCES[walk.shape.architecture]
    state = walk.take(0, n_embd * keys.wkv_head_size)
    norm, shifted = walk.take(n_embd), walk.take(n_embd)
    mixes = walk.turned_into(n_mixes * n_embd, shifted)
    vectors = [walk.take(n_embd) for _ in range(n_vectors)]
    updated = walk.take(n_embd, n_embd * keys.wkv_head_size)
    walk.give(*vectors, state)
    found = walk.remade(walk.turned_into(n_embd, updated))
    walk.give(mixes, norm)
    return walk.turned_into(n_embd, found)


def _lightning(walk: Walk) -> Block:
    """minimax-01: scores within the batch, and a state of what came before."""
    shape, launch = walk.shape, walk.launch
    n_head = shape.n_head_first
    wide = n_head * shape.key_length
    every = walk.take(3 * wide)
    before = walk.remade(walk.take(wide))
    values = walk.take(wide)
    scores = walk.take(n_head * (launch.n_tokens // launch.n_slots))
    walk.give(walk.take(n_head * (launch.n_tokens // launch.n_slots)))
    walk.give(walk.turned_into(wide, scores))
    decayed = walk.turned_into(wide, walk.turned_into(wide, every))
    walk.give(decayed, values)
    gate = walk.take(wide)
    walk.give(walk.remade(walk.remade(before)))
    return walk.turned_into(shape.n_embd, gate)
