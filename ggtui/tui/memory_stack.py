"""What a memory holds, drawn as one bar: told apart by shape, its parts always as wide as the whole."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from textual.content import Content

from ggtui.core.units import GIB, used_of_total
from ggtui.tui.format import percent

if TYPE_CHECKING:
    from ggtui.tui.glyphs import Glyphs

STEP_BYTES = GIB // 20
"""A change below this is not worth an arrow: it rounds to the same figure."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Bytes of one memory, ours and those of others, and what a load would make of it."""

    total: int | None
    ours: int = 0
    others: int | None = 0
    """None where the driver does not tell what is used."""
    after: int | None = None
    """Held by all together once the model under the cursor answers; None when no load is looked at."""
    reserve: int = 0
    """To be kept free."""

    @property
    def used(self) -> int | None:
        """Held now by all together."""
        return None if self.others is None else self.ours + self.others

    @property
    def adds(self) -> int:
        """What a load would add, net of what it frees."""
        return max(0, (self.after or 0) - self.ours - (self.others or 0))

    def figures(self) -> str:
        """`19.7/24.0G 82%`, or with a load `19.7→22.9/24.0G`; `–` for what is not told."""
        if not self.total:
            return "–"
        used = self.used
        if used is None or self.after is None or abs(self.after - used) < STEP_BYTES:
            return " ".join(filter(None, (used_of_total(used, self.total), self._percent())))
        now, _, _ = used_of_total(used, self.total).partition("/")
        return f"{now}→{used_of_total(self.after, self.total)}"

    def total_figures(self) -> str:
        """`22.9/24.0G 95%`: as it would be after the load, without what is now."""
        return f"{used_of_total(self.after, self.total)} {percent(self.after, self.total)}"

    def share(self) -> str:
        """`82%` now, `–` where it is not told."""
        return percent(self.used, self.total)

    def _percent(self) -> str:
        return "" if self.used is None else self.share()


def stack_bar(width: int, stack: Stack, glyphs: Glyphs) -> Content:
    """`███▓▓▒░░·`: ours, what a load adds, others, free, kept free. An unknown total is an empty bar."""
    total = stack.total or 0
    if total <= 0 or width <= 0:
        return Content(glyphs.free * max(0, width))
    held, edges = 0, [0]
    for n_bytes in (stack.ours, stack.adds, stack.others or 0):
        held += n_bytes
        edges.append(min(width, round(width * held / total)))
    free = width - edges[-1]
    margin = min(free, max(1, round(width * stack.reserve / total))) if stack.reserve else 0
    ours, adds, others = (end - start for start, end in pairwise(edges))
    return Content.assemble(
        (glyphs.ours * ours, "$ours"),
        (glyphs.adds * adds, "$secondary"),
        (glyphs.others * others, "$others"),
        (glyphs.free * (free - margin), "$quiet"),
        (glyphs.margin * margin, "$quiet"),
    )
