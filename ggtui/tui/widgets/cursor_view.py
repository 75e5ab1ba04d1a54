"""A scrolling list with a cursor that the usual keys move."""

from __future__ import annotations

from textual.reactive import reactive
from textual.scroll_view import ScrollView


class CursorView(ScrollView):
    """Where the cursor may stand is for the list itself to say, in `validate_cursor`."""

    cursor: reactive[int] = reactive(0)
    """Index of the row under the cursor; 0 when there are none."""

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def action_cursor_down(self) -> None:
        """One row down."""
        self.cursor += 1

    def action_cursor_up(self) -> None:
        """One row up."""
        self.cursor -= 1

    def action_cursor_top(self) -> None:
        """To the first row."""
        self.cursor = 0

    def action_cursor_bottom(self) -> None:
        """To the last row."""
        self.cursor = self.n_rows - 1

    def action_cursor_page_down(self) -> None:
        """One page down."""
        self.cursor += max(1, self.size.height - 1)

    def action_cursor_page_up(self) -> None:
        """One page up."""
        self.cursor -= max(1, self.size.height - 1)
