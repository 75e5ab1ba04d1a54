"""The graph of gemma3n: four streams side by side, and embeddings of each layer's own.

Source: llama.cpp src/models/gemma3n.cpp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.memory.graph.arena import NOTHING
from ggtui.core.memory.graph.attention import attended

if TYPE_CHECKING:
    from ggtui.core.memory.graph.arena import Block
    from ggtui.core.memory.graph.attention import Heads
    from ggtui.core.memory.graph.walk import Walk

N_STREAMS = 4
OWN_WIDTH = 256
"""Elements of each layer's own embedding."""


class Streams:
    """What stays in use from layer to layer."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._n_embd = walk.shape.n_embd
        self._own = walk.shape.n_layer_all * OWN_WIDTH
        self._embedding = walk.take(self._n_embd)
        self._selected = walk.remade(walk.take(self._own))
        spread = walk.remade(walk.take((N_STREAMS - 1) * self._n_embd))
        others = walk.take((N_STREAMS - 1) * self._n_embd)
        walk.give(spread)
        self._streams = walk.turned_into(N_STREAMS * self._n_embd, others)

    def pass_layer(self, heads: Heads, n_ff: int) -> None:
        """One layer."""
        walk, n_embd = self._walk, self._n_embd
        predicted = walk.take(N_STREAMS * n_embd)
        predicted = walk.remade(walk.remade(predicted))
        walk.give(self._streams)
        active = walk.take(n_embd)
        seen = walk.turned_into(n_embd, attended(walk, heads, active, keeps_norm=True))
        walk.give(walk.take(n_embd), active)
        found = self._forward(n_ff)
        walk.give(seen)
        corrected = walk.turned_into(N_STREAMS * n_embd, walk.take(n_embd))
        walk.give(found, predicted)
        added = walk.turned_into((N_STREAMS - 1) * n_embd, self._add_own())
        self._streams = walk.turned_into(N_STREAMS * n_embd, corrected, added)

    def _forward(self, n_ff: int) -> Block:
        """Gated, with a threshold for the sparse first layers."""
        walk = self._walk
        norm = walk.take(self._n_embd)
        up = walk.take(n_ff)
        gate = walk.turned_into(n_ff, norm)
        walk.give(walk.take(n_ff))
        walk.give(gate)
        return walk.turned_into(self._n_embd, up)

    def _add_own(self) -> Block:
        """What the layer's own embedding adds; those of all layers are made when the first one is needed."""
        walk = self._walk
        gated = walk.turned_into(OWN_WIDTH, walk.take(self._n_embd))
        if self._selected.size:
            projected = walk.turned_into(self._own, self._embedding)
            normed = walk.remade(projected)
            walk.give(self._selected)
            walk.remade(normed)
            self._selected = NOTHING
        return walk.turned_into(self._n_embd, gated)
