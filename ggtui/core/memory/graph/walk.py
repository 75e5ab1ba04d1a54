"""A walk through the graph: the model, the launch, and the tensors in use at this point."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ggtui.core.memory.graph.arena import Arena, Block

if TYPE_CHECKING:
    from ggtui.core.memory.shape import ModelShape


@dataclass(frozen=True, slots=True)
class Launch:
    """What of a launch shapes the graph."""

    n_tokens: int
    """Tokens of a batch, rounded up to a multiple of the slots."""
    n_slots: int = 1
    is_flash: bool = True
    full_cells: int = 0
    """Cells of each stream's full cache, for scores; 0 with flash attention."""
    windowed_cells: int = 0
    """The same of the cache with a window; 0 when there is none."""
    turns_k: bool = False
    """True when K is rotated before it is quantised."""
    turns_v: bool = False

    def with_flash(self) -> Launch:
        """The same with flash attention."""
        return self if self.is_flash else replace(self, is_flash=True, full_cells=0, windowed_cells=0)


@dataclass(slots=True)
class Walk:
    """Where a walk has come to."""

    shape: ModelShape
    launch: Launch
    arena: Arena = field(default_factory=Arena)

    def take(self, per_token: float, per_slot: int = 0) -> Block:
        """A place for a tensor of so many floats for each token, and for each slot."""
        launch = self.launch
        return self.arena.take(round(per_token * launch.n_tokens) + per_slot * launch.n_slots)

    def give(self, *blocks: Block) -> None:
        """Free these places."""
        self.arena.give(*blocks)

    def remade(self, block: Block) -> Block:
        """A tensor of the same size made of this one, where the engine cannot write over it."""
        made = self.arena.take(block.size)
        self.arena.give(block)
        return made

    def turned_into(self, per_token: float, *sources: Block) -> Block:
        """A tensor made of others, which are not needed after."""
        made = self.take(per_token)
        self.arena.give(*sources)
        return made
