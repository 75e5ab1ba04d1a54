"""What was served, newest first: when, how long, why, and how it ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.content import Content
from textual.reactive import var

from ggtui.tui.format import lines
from ggtui.tui.generations import generation_lines
from ggtui.tui.screens.reader import ReaderScreen
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.core.history import Generation
    from ggtui.tui.glyphs import Glyphs


class HistoryScreen(ReaderScreen):
    """Follows what is served while it is open; esc closes."""

    generations: var[tuple[Generation, ...]] = var(())
    """Newest first."""

    def __init__(
        self, generations: tuple[Generation, ...], glyphs: Glyphs, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__("History", glyphs)
        self._clock = clock
        self._n_rows = 0
        self.set_reactive(HistoryScreen.generations, generations)

    def watch_generations(self) -> None:
        """Something began or ended."""
        if self.is_mounted:
            self.draw()

    def tick(self) -> None:
        """Once a second: let the time of what is served grow."""
        if any(each.is_serving for each in self.generations):
            self.draw()

    def text(self) -> Content:
        """A line or more each, or that nothing was served."""
        if not self.generations:
            return Content("nothing was served yet")
        return lines(generation_lines(self.generations, self._clock(), self.text_width, self.glyphs))

    def draw(self) -> None:
        """Show the lines; only another number of them needs another layout."""
        words = self.text()
        n_rows = 1 + words.plain.count("\n")
        self.query_one("#page-text", TextBlock).show(words, layout=n_rows != self._n_rows)
        self._n_rows = n_rows
