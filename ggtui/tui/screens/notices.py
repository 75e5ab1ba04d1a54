"""What was said at the edge of the screen, newest first."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.content import Content

from ggtui.tui.format import lines
from ggtui.tui.screens.reader import ReaderScreen

if TYPE_CHECKING:
    from ggtui.tui.glyphs import Glyphs


class NoticesScreen(ReaderScreen):
    """Unix time and words by line."""

    def __init__(self, notices: tuple[tuple[float, str], ...], glyphs: Glyphs) -> None:
        super().__init__("Earlier notices", glyphs)
        self._notices = notices

    def text(self) -> Content:
        """One line each."""
        if not self._notices:
            return Content("nothing was said yet")
        return lines(
            Content.assemble((time.strftime("%H:%M:%S  ", time.localtime(at)), "$quiet"), words)
            for at, words in reversed(self._notices)
        )
