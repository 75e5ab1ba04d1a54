"""How full the memory is: devices or main memory, told apart by shape, and the last minutes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.reactive import var

from ggtui.tui.format import lines
from ggtui.tui.panes.gpu_rows import gpu_lines
from ggtui.tui.panes.gpu_view import GpuView
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from ggtui.tui.glyphs import Glyphs


class GpuPane(VerticalScroll, can_focus=True):
    """Devices, bars, legend; words and graphs when tall."""

    view: var[GpuView] = var(GpuView())
    """The state to show."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="gpu", classes="pane")
        self._glyphs = glyphs
        self._drawn_width = 0
        self.border_title = "3 GPU"

    def compose(self) -> ComposeResult:
        """One block of text."""
        yield TextBlock(id="gpu-text")

    def on_resize(self) -> None:
        """Text follows the size."""
        self._draw()

    def watch_show_vertical_scrollbar(self) -> None:
        """Text follows the room that the scrollbar leaves."""
        self.call_after_refresh(self._draw)

    def watch_view(self) -> None:
        """Follow the memory and the forecast."""
        self._draw()

    @property
    def text(self) -> str:
        """What is shown, as plain text."""
        return self.query_one(TextBlock).shown.plain

    def _draw(self) -> None:
        if not self.is_mounted or not self.size.width:
            return
        height, width = self.content_size.height, self.scrollable_content_region.width
        rows = gpu_lines(self.view, width, self._glyphs, height=height)
        block = self.query_one(TextBlock)
        # Lines that were drawn before the scrollbar was there are a cell too wide, and count twice.
        is_other = width != self._drawn_width or len(rows) != len(block.shown.plain.splitlines())
        self._drawn_width = width
        block.show(lines(rows), layout=is_other)
