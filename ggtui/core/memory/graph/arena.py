"""The engine's allocator of graph tensors: the best fitting gap, else the end."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

ENDLESS = 1 << 62


class Block(NamedTuple):
    """A place in the arena."""

    at: int
    size: int


NOTHING = Block(0, 0)


class Arena:
    """Gaps between tensors that are in use, and how far the tensors have ever reached.

    Sizes are in floats of 4 bytes. `peak` is what the compute buffer has to hold: more than the tensors in
    use together, because a gap that is too small stays empty.
    Source: llama.cpp ggml/src/ggml-alloc.c, ggml_dyn_tallocr_alloc and ggml_dyn_tallocr_free_bytes.
    """

    def __init__(self) -> None:
        self._gaps = [Block(0, ENDLESS)]
        self.peak = 0

    def take(self, size: int) -> Block:
        """A place for a tensor: the smallest gap that is wide enough, the later one of two."""
        if size <= 0:
            return NOTHING
        gaps = self._gaps
        chosen = len(gaps) - 1
        best = ENDLESS
        for index in range(chosen):
            room = gaps[index].size
            if size <= room <= best:
                chosen, best = index, room
        at, room = gaps[chosen]
        if room > size:
            gaps[chosen] = Block(at + size, room - size)
        else:
            del gaps[chosen]
        self.peak = max(self.peak, at + size)
        return Block(at, size)

    def give(self, *blocks: Block) -> None:
        """Free these places; neighbouring gaps become one."""
        for block in blocks:
            if block.size:
                self._give(block)

    def _give(self, block: Block) -> None:
        gaps = self._gaps
        index = bisect_left(gaps, block)
        start, end = block.at, block.at + block.size
        if end == gaps[index].at:
            end = gaps[index].at + gaps[index].size
            del gaps[index]
        if index and gaps[index - 1].at + gaps[index - 1].size == start:
            index -= 1
            start = gaps[index].at
            del gaps[index]
        gaps.insert(index, Block(start, end - start))
