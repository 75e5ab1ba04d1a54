"""A long list with a cursor: entries of one line each, of which only the visible ones are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.style import Style
from textual.visual import Visual

from ggtui.tui.format import fit_line
from ggtui.tui.keys import Where, bindings
from ggtui.tui.widgets.cursor_view import CursorView

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.binding import BindingType

    from ggtui.tui.format import Part
    from ggtui.tui.glyphs import Glyphs


class Entry(Protocol):
    """One line of a list."""

    @property
    def key(self) -> str:
        """Which entry it is, whatever it says: the cursor stays on it."""

    @property
    def is_heading(self) -> bool:
        """True for a line that the cursor passes over."""


E = TypeVar("E", bound=Entry)


class PickList(CursorView, Generic[E], can_focus=True):
    """Invariant: the cursor stays on its entry while others come and go around it, and on no heading."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Where.LISTS, only=("down", "up", "top", "bottom", "page-down", "page-up")),
    ]

    entries: reactive[tuple[E, ...]] = reactive(())
    """What is listed, in order; no two with the same key."""

    class Moved(Message):
        """Another entry is under the cursor, or it says something else."""

    class Activated(Message):
        """A click on the entry under the cursor."""

    def __init__(self, draw: Callable[[E, int], list[Part]], glyphs: Glyphs, *, id: str) -> None:
        """draw: the parts of an entry's line in so many cells."""
        super().__init__(id=id)
        self._draw = draw
        self._glyphs = glyphs
        self._wanted = ""
        """Key of the entry that the cursor goes to as soon as it is there."""

    @property
    def current(self) -> E | None:
        """The entry under the cursor; None when there is none."""
        entry = self.entries[self.cursor] if self.cursor < len(self.entries) else None
        return entry if entry is not None and not entry.is_heading else None

    def move_to(self, key: str) -> None:
        """Put the cursor on this entry, at once or when it comes."""
        self._wanted = key
        index = self._index_of(key)
        if index is not None:
            self.cursor = index

    def _index_of(self, key: str) -> int | None:
        return next((index for index, entry in enumerate(self.entries) if entry.key == key), None)

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on an entry: over a heading it goes on, and back where there is nothing more."""
        last = len(self.entries) - 1
        cursor = max(0, min(cursor, last))
        step = -1 if cursor < self.cursor else 1
        for way in (step, -step):
            index = cursor
            while 0 <= index <= last and self.entries[index].is_heading:
                index += way
            if 0 <= index <= last:
                return index
        return cursor

    def watch_entries(self, old: tuple[E, ...], new: tuple[E, ...]) -> None:
        """Follow the entry under the cursor to its new place."""
        self.virtual_size = Size(self.size.width, len(new))
        kept = self._wanted or (old[self.cursor].key if self.cursor < len(old) else "")
        index = self._index_of(kept)
        self.cursor = self.validate_cursor(self.cursor if index is None else index)
        self._keep_in_view()
        self.post_message(self.Moved())

    def watch_cursor(self) -> None:
        """Show the entry and say that it is another one."""
        current = self.current
        if current is not None:
            self._wanted = current.key
        self._keep_in_view()
        self.post_message(self.Moved())

    def on_resize(self) -> None:
        """Lines follow the width."""
        self.virtual_size = Size(self.size.width, len(self.entries))
        self._keep_in_view()

    def _keep_in_view(self) -> None:
        above = self.cursor
        while above > 0 and self.entries[above - 1].is_heading:
            above -= 1
        if self.cursor - above >= self.size.height:
            above = self.cursor
        self.scroll_to_region(Region(0, above, 1, self.cursor - above + 1), animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        """One entry; below the last, blank."""
        index = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if index >= len(self.entries):
            return Strip.blank(width, self.rich_style)
        content = fit_line(self._draw(self.entries[index], width), width, self._glyphs)
        style = self.visual_style
        if index == self.cursor:
            content = Content(content.plain)
            style += Style(reverse=True, bold=self.has_focus)
        strip = Visual.to_strips(self, content, width, 1, style, apply_selection=False)[0]
        return strip.adjust_cell_length(width, style.rich_style)

    def on_click(self, event: events.Click) -> None:
        """The first click moves the cursor, a click on the cursor's entry activates it."""
        index = event.y + self.scroll_offset.y
        if index >= len(self.entries) or self.entries[index].is_heading:
            return
        if index == self.cursor and self.has_focus:
            self.post_message(self.Activated())
        self.cursor = index

    @property
    def n_rows(self) -> int:
        """How many there are."""
        return len(self.entries)
