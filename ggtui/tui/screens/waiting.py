"""Every request that waits, one line each."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.content import Content
from textual.reactive import var

from ggtui.tui.format import lines
from ggtui.tui.screens.reader import ReaderScreen
from ggtui.tui.waiting import WaitingView, request_lines
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.tui.glyphs import Glyphs


class WaitingScreen(ReaderScreen):
    """Follows the line while it is open; esc closes."""

    view: var[WaitingView] = var(WaitingView())
    """The line of requests."""

    def __init__(self, view: WaitingView, glyphs: Glyphs, clock: Callable[[], float] = time.time) -> None:
        super().__init__("Waiting requests", glyphs)
        self._clock = clock
        self._n_rows = 0
        self.set_reactive(WaitingScreen.view, view)

    def watch_view(self) -> None:
        """Follow the line."""
        if self.is_mounted:
            self.draw()

    def tick(self) -> None:
        """Once a second: let ages grow."""
        if self.view.queue:
            self.draw()

    def text(self) -> Content:
        """One line each, or that nobody waits."""
        if not self.view.queue:
            return Content("nobody waits")
        return lines(request_lines(self.view, self._clock(), self.text_width, self.glyphs))

    def draw(self) -> None:
        """Show the lines; only another number of them needs another layout."""
        words = self.text()
        n_rows = 1 + words.plain.count("\n")
        self.query_one("#page-text", TextBlock).show(words, layout=n_rows != self._n_rows)
        self._n_rows = n_rows
