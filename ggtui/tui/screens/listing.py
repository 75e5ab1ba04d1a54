"""What the screens with a list share: a filter over it, and lines below about the entry under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from ggtui.tui.format import fit_line, lines
from ggtui.tui.keys import Where, bindings
from ggtui.tui.screens.room import Room
from ggtui.tui.widgets.filter_bar import FilterBar
from ggtui.tui.widgets.key_bar import KeyBar
from ggtui.tui.widgets.pick_list import PickList
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual import events
    from textual.binding import BindingType
    from textual.widget import Widget

    from ggtui.tui.format import Part
    from ggtui.tui.glyphs import Glyphs

SCROLLBAR = 1
"""Cells kept free for the bar, shown or not, so that heads and rows have the same columns."""

PARTS = ("#list-head", "#list-empty", "#list-about", "#key-bar")
"""What is drawn into."""


class ListRoom(Room):
    """Invariant: what is drawn is made of the newest values. esc clears the filter first, then closes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Where.LISTS, only=("filter",)),
        *bindings(Where.DIALOG, only=("close",)),
    ]

    def __init__(self, title: str, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._heading = title
        self.words = ""
        """What is filtered by."""
        self.list: PickList[Any] = PickList(self.draw_entry, glyphs, id="list-rows")

    def parts(self) -> Iterable[Widget]:
        """Filter, heads and rows in a frame; below it what there is to say about one."""
        frame = Vertical(
            FilterBar("words of a name", id="list-filter"),
            TextBlock(id="list-head"),
            self.list,
            TextBlock(id="list-empty", classes="empty"),
            id="list",
            classes="pane",
        )
        frame.border_title = Content(self.glyphs.twin(self._heading))
        return (frame, TextBlock(id="list-about"))

    def on_mount(self) -> None:
        """Somebody takes the keys."""
        self.first().focus()
        self.draw()

    def first(self) -> Widget:
        """Who takes the keys at the beginning: the rows, unless there is something to type before."""
        return self.list

    def on_resize(self, event: events.Resize) -> None:
        """Heads and lines follow the width."""
        super().on_resize(event)
        self.call_after_refresh(self.draw)

    @property
    def is_whole(self) -> bool:
        """True when its parts are there: not before it is composed, and not while the app shuts down."""
        return self.is_mounted and all(self.query(part) for part in PARTS)

    def draw(self) -> None:
        """Show the newest values; called again when they changed."""
        if not self.is_whole:
            return
        self.list.entries = self.entries()
        width = max(20, self.size.width - 2 - SCROLLBAR)
        self.query_one("#list-head", TextBlock).show(fit_line(self.heads(width), width, self.glyphs))
        empty = self.empty_text()
        self.query_one("#list").set_class(bool(empty), "-empty")
        self.query_one("#list-empty", TextBlock).show(Content(self.glyphs.twin(empty)), layout=True)
        self.query_one("#list").border_subtitle = Content(self.glyphs.twin(self.summary()))
        self.draw_about()

    @on(PickList.Moved)
    def draw_about(self) -> None:
        """Say more about the entry under the cursor, and which keys do something to it."""
        if not self.is_whole:
            return
        width = max(20, self.size.width - 2)
        rows = [fit_line(row, width, self.glyphs) for row in self.about(width)]
        self.query_one("#list-about", TextBlock).show(lines(rows))
        self.query_one(KeyBar).look_again()

    def entries(self) -> tuple[Any, ...]:
        """What is listed now."""
        return ()

    def heads(self, width: int) -> list[Part]:
        """The column heads."""
        return []

    def draw_entry(self, entry: Any, width: int) -> list[Part]:
        """The line of an entry."""
        return []

    def about(self, width: int) -> list[list[Part]]:
        """Lines about the entry under the cursor."""
        return []

    def empty_text(self) -> str:
        """The sentence in place of the rows; empty when there are some."""
        return ""

    def summary(self) -> str:
        """Lower edge of the frame."""
        return ""

    def action_filter(self) -> None:
        """Type to find."""
        self.query_one(FilterBar).open()

    @on(FilterBar.Typed)
    def find(self, typed: FilterBar.Typed) -> None:
        """Other words."""
        self.words = typed.words
        self.draw()

    @on(FilterBar.Left)
    def pick_again(self) -> None:
        """Typing is over."""
        self.list.focus()

    def action_close(self) -> None:
        """Clear the filter, else close."""
        if self.words:
            self.query_one(FilterBar).reset()
            self.words = ""
            self.draw()
            return
        self.dismiss()


class OrderRoom(ListRoom):
    """A list whose keys order something of the row under the cursor; every order is the app's to give."""

    class Wanted(Message):
        """A key was pressed that orders something. Each screen has a kind of its own."""

        def __init__(self, binding_id: str, row: Any) -> None:
            """row: under the cursor; None where there is none."""
            super().__init__()
            self.binding_id = binding_id
            self.row = row

    def action_want(self, binding_id: str) -> None:
        """Intent goes up."""
        self.post_message(self.Wanted(binding_id, self.list.current))
