"""Scroll bars without block signs: whole cells of colour."""

from __future__ import annotations

from typing import ClassVar

from textual.scrollbar import ScrollBarRender


class AsciiBars(ScrollBarRender):
    """Ends on whole cells, where Textual's own ends on eighths."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8
