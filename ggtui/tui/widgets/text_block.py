"""A block of styled text that redraws only when its text or style changed."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class TextBlock(Static):
    """A Static whose size is given by the stylesheet, so a new text never asks for a new layout."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(Content(""), id=id, classes=classes, markup=False)
        self._shown = Content("")

    @property
    def shown(self) -> Content:
        """What is on the screen."""
        return self._shown

    def show(self, content: Content, *, layout: bool = False) -> None:
        """Draw this, unless it is what is drawn already."""
        if not content.is_same(self._shown):
            self._shown = content
            self.update(content, layout=layout)
