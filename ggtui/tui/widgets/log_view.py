"""Log lines with wrap, search and follow, drawn line by line.

Textual's Log cannot wrap or search, and its RichLog takes seconds for ten thousand lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ggtui.tui.keys import Where, bindings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.style import Style
    from textual.selection import Selection

MAX_LINES = 5000


class LogView(ScrollView, can_focus=True):
    """Invariant: at most MAX_LINES lines; `follow` keeps the newest in view until somebody scrolls up."""

    BINDINGS = bindings(Where.LISTS, only=("down", "up", "top", "bottom", "page-down", "page-up"))
    COMPONENT_CLASSES: ClassVar[set[str]] = {"log-view--match"}

    is_following: reactive[bool] = reactive(True)
    """True: new lines scroll into view."""
    is_wrapped: reactive[bool] = reactive(False)
    """True: long lines go on below."""
    query_text: reactive[str] = reactive("")
    """What is searched for, in any case; empty for no search."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._lines: list[str] = []
        self._rows: list[str] = []
        self._widest = 0
        self._match = 0

    @property
    def line_count(self) -> int:
        """How many lines are held."""
        return len(self._lines)

    @property
    def rows_shown(self) -> tuple[str, ...]:
        """The drawn lines, wrapped when they are."""
        return tuple(self._rows)

    def set_lines(self, lines: Iterable[str]) -> None:
        """Show these lines instead."""
        self._lines = list(lines)[-MAX_LINES:]
        self._lay_out()

    def add_lines(self, lines: Iterable[str]) -> None:
        """Add lines at the end."""
        new = list(lines)
        self._lines += new
        surplus = len(self._lines) - MAX_LINES
        if surplus > 0:
            del self._lines[:surplus]
            self._lay_out()
            return
        self._rows += self._rows_of(new)
        self._measure(new)
        self._settle()

    def watch_is_wrapped(self) -> None:
        """Lay the lines out again."""
        self._lay_out()

    def watch_is_following(self) -> None:
        """Jump to the end when following begins."""
        if self.is_following:
            self.scroll_end(animate=False, immediate=True, force=True, x_axis=False)

    def watch_query_text(self) -> None:
        """Mark the matches."""
        self.refresh()

    def on_resize(self) -> None:
        """Wrapped lines follow the width."""
        if self.is_wrapped:
            self._lay_out()
        else:
            self._settle()

    def _rows_of(self, lines: Iterable[str]) -> list[str]:
        width = self.size.width
        if not self.is_wrapped or width <= 0:
            return list(lines)
        return [part for line in lines for part in (chop_cells(line, width) or [""])]

    def _lay_out(self) -> None:
        self._rows = self._rows_of(self._lines)
        self._widest = 0
        self._measure(self._lines)
        self._settle()

    def _measure(self, lines: Iterable[str]) -> None:
        self._widest = max((self._widest, *(cell_len(line) for line in lines)))

    def _settle(self) -> None:
        width = self.size.width if self.is_wrapped else max(self._widest, 1)
        self.virtual_size = Size(width, len(self._rows))
        if self.is_following:
            self.scroll_end(animate=False, immediate=True, force=True, x_axis=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row, matches and selection marked."""
        index = y + self.scroll_offset.y
        base = self.rich_style
        if index >= len(self._rows):
            return Strip.blank(self.size.width, base)
        strip = Strip(self._segments(index, base))
        start = self.scroll_offset.x
        strip = strip.crop_extend(start, start + self.size.width, base)
        return strip.apply_offsets(start, index)

    def _segments(self, index: int, base: Style) -> list[Segment]:
        text = self._rows[index]
        marks = self._matches(text)
        match_style = base + self.get_component_rich_style("log-view--match", partial=True)
        selected = self._selected_span(index, len(text))
        if selected is not None:
            marks = [selected]
            match_style = base + self.screen.get_component_rich_style("screen--selection", partial=True)
        segments, at = [], 0
        for start, end in marks:
            segments += [Segment(text[at:start], base), Segment(text[start:end], match_style)]
            at = end
        segments.append(Segment(text[at:], base))
        return segments

    def _matches(self, text: str) -> list[tuple[int, int]]:
        wanted = self.query_text.lower()
        found, at = [], 0
        lowered = text.lower()
        while wanted and (at := lowered.find(wanted, at)) >= 0:
            found.append((at, at + len(wanted)))
            at += len(wanted)
        return found

    def _selected_span(self, index: int, length: int) -> tuple[int, int] | None:
        selection = self.text_selection
        span = None if selection is None else selection.get_span(index)
        return None if span is None else (span[0], length if span[1] == -1 else span[1])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text under the pointer's selection, and what ends it."""
        return selection.extract("\n".join(self._rows)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Redraw the selection."""
        self.refresh()

    def begin_search(self) -> None:
        """Search from what is in view now."""
        self._match = self.scroll_offset.y + self.size.height

    def find(self, words: str) -> None:
        """Mark these words and show the nearest row above the place where the search began."""
        self.query_text = words
        hits = self._hits()
        if hits:
            self._show_match(next((row for row in reversed(hits) if row <= self._match), hits[0]))

    def go_to_match(self, step: int) -> bool:
        """Show the next (1) or previous (-1) row with a match, round the end; False when there is none."""
        hits = self._hits()
        if not hits:
            return False
        if step > 0:
            self._match = next((row for row in hits if row > self._match), hits[0])
        else:
            self._match = next((row for row in reversed(hits) if row < self._match), hits[-1])
        self._show_match(self._match)
        return True

    def settle_search(self) -> None:
        """The row that is shown is where next and previous go on from."""
        hits = self._hits()
        self._match = next((row for row in reversed(hits) if row <= self._match), hits[0] if hits else 0)

    def _hits(self) -> list[int]:
        return [index for index, row in enumerate(self._rows) if self._matches(row)]

    def _show_match(self, row: int) -> None:
        self.is_following = False
        self.scroll_to(y=max(0, row - self.size.height // 2), animate=False, immediate=True, force=True)

    def _stop_following(self) -> None:
        self.is_following = False

    def action_cursor_down(self) -> None:
        """One line down."""
        self.scroll_relative(y=1, animate=False)

    def action_cursor_up(self) -> None:
        """One line up."""
        self._stop_following()
        self.scroll_relative(y=-1, animate=False)

    def action_cursor_top(self) -> None:
        """To the first line."""
        self._stop_following()
        self.scroll_home(animate=False)

    def action_cursor_bottom(self) -> None:
        """To the last line, and follow."""
        self.is_following = True

    def action_cursor_page_down(self) -> None:
        """One page down."""
        self.scroll_page_down(animate=False)

    def action_cursor_page_up(self) -> None:
        """One page up."""
        self._stop_following()
        self.scroll_page_up(animate=False)

    def on_mouse_scroll_up(self) -> None:
        """Reading back ends following."""
        self._stop_following()
