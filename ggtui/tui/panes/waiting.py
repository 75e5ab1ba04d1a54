"""Who waits, beside the other panes: one line where room is short, a list by model where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.reactive import var

from ggtui.tui.format import lines
from ggtui.tui.waiting import WaitingView, group_lines, waiting_line
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from ggtui.tui.glyphs import Glyphs

ROWS, ROWS_WHEN_TALL = 4, 8
"""Lines of the list at most."""


class WaitingLine(TextBlock):
    """One line, there only while somebody waits."""

    view: var[WaitingView] = var(WaitingView())
    """The line of requests."""
    now: var[float] = var(0.0)
    """Unix time, for ages; set once a second while somebody waits."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="waiting-line")
        self._glyphs = glyphs

    def on_resize(self) -> None:
        """Text follows the width."""
        self._draw()

    def watch_view(self) -> None:
        """Follow the line."""
        self._draw()

    def watch_now(self) -> None:
        """Let ages grow."""
        self._draw()

    def _draw(self) -> None:
        self.set_class(self.view.is_worth_showing(self.now), "-shown")
        if self.size.width:
            self.show(waiting_line(self.view, self.now, self.content_size.width, self._glyphs))


class WaitingPane(Vertical):
    """A framed list by model, there only while somebody waits."""

    view: var[WaitingView] = var(WaitingView())
    """The line of requests."""
    now: var[float] = var(0.0)
    """Unix time, for ages; set once a second while somebody waits."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="waiting", classes="pane")
        self._glyphs = glyphs
        self._n_rows = 0

    def compose(self) -> ComposeResult:
        """One block of text."""
        yield TextBlock(id="waiting-text")

    def on_resize(self) -> None:
        """Text follows the size."""
        self._draw()

    def watch_view(self) -> None:
        """Follow the line."""
        self._draw()

    def watch_now(self) -> None:
        """Let ages grow."""
        self._draw()

    def _draw(self) -> None:
        self.set_class(self.view.is_worth_showing(self.now), "-shown")
        if not self.is_mounted or not self.size.width:
            return
        most = ROWS_WHEN_TALL if self.screen.has_class("-tall") else ROWS
        rows = group_lines(self.view, self.now, self.size.width, most, self._glyphs)
        self.border_title = f"Waiting {len(self.view.queue)}"
        self.border_subtitle = "W all"
        is_other_size = len(rows) != self._n_rows
        self._n_rows = len(rows)
        self.query_one(TextBlock).show(lines(rows), layout=is_other_size)
