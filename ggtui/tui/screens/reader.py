"""A screen of text to scroll through: help, model info, what went wrong, earlier notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.content import Content

from ggtui.tui.keys import Where, bindings
from ggtui.tui.screens.room import Room
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual import events
    from textual.widget import Widget

    from ggtui.tui.glyphs import Glyphs


class Page(VerticalScroll, can_focus=True):
    """Text that scrolls with the keys of every list."""

    BINDINGS = bindings(Where.LISTS, only=("down", "up", "top", "bottom", "page-down", "page-up"))

    def action_cursor_down(self) -> None:
        """One line down."""
        self.scroll_relative(y=1, animate=False)

    def action_cursor_up(self) -> None:
        """One line up."""
        self.scroll_relative(y=-1, animate=False)

    def action_cursor_top(self) -> None:
        """To the top."""
        self.scroll_home(animate=False)

    def action_cursor_bottom(self) -> None:
        """To the end."""
        self.scroll_end(animate=False)

    def action_cursor_page_down(self) -> None:
        """One page down."""
        self.scroll_page_down(animate=False)

    def action_cursor_page_up(self) -> None:
        """One page up."""
        self.scroll_page_up(animate=False)


class ReaderScreen(Room):
    """A framed page; esc closes."""

    BINDINGS = bindings(Where.DIALOG, only=("close",))

    def __init__(self, title: str, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._heading = title

    def parts(self) -> Iterable[Widget]:
        """One page in a frame."""
        page = Page(TextBlock(id="page-text"), classes="pane page")
        page.border_title = Content(self._heading)
        return (page,)

    def on_mount(self) -> None:
        """Take the keys."""
        self.query_one(Page).focus()
        self.draw()

    def on_resize(self, event: events.Resize) -> None:
        """Text follows the width."""
        super().on_resize(event)
        self.draw()

    @property
    def text_width(self) -> int:
        """Cells of a line: the frame, its padding and the bar taken off."""
        return max(20, self.size.width - 5)

    def draw(self) -> None:
        """Show the text; called again when what it is about changed."""
        self.query_one("#page-text", TextBlock).show(self.text(), layout=True)

    def text(self) -> Content:
        """What is to be read."""
        return Content("")

    @property
    def plain(self) -> str:
        """What is shown, as plain text."""
        return self.query_one("#page-text", TextBlock).shown.plain
