"""Names: what clients can ask for, which other names lead there, and what is switched off."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on

from ggtui.tui.keys import Where, bindings
from ggtui.tui.name_look import about, heads, row_parts
from ggtui.tui.name_rows import key_of, name_rows, summary, why_not
from ggtui.tui.screens.listing import OrderRoom
from ggtui.tui.widgets.pick_list import PickList

if TYPE_CHECKING:
    from textual.binding import BindingType

    from ggtui.core.snapshot import EngineSnapshot
    from ggtui.tui.format import Part
    from ggtui.tui.glyphs import Glyphs
    from ggtui.tui.name_rows import NameRow


class NamesScreen(OrderRoom):
    """Follows the state while it is open; every change is the app's to make."""

    PLACE: ClassVar[Where] = Where.NAMES
    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.NAMES)

    class Wanted(OrderRoom.Wanted):
        """A key was pressed that does something to a row."""

        row: NameRow | None

    def __init__(self, snapshot: EngineSnapshot, endpoint_id: str, glyphs: Glyphs) -> None:
        """endpoint_id: where the cursor begins; empty for the first row."""
        super().__init__("Names", glyphs)
        self._snapshot = snapshot
        if endpoint_id:
            self.list.move_to(key_of(endpoint_id))

    @property
    def row(self) -> NameRow | None:
        """The row under the cursor."""
        return self.list.current

    def follow(self, snapshot: EngineSnapshot) -> None:
        """Draw anew when endpoints or names have changed: the rest of the state is not shown here."""
        before, self._snapshot = self._snapshot, snapshot
        is_same = before.endpoints is snapshot.endpoints and before.names == snapshot.names
        if not is_same or before.is_read_only != snapshot.is_read_only:
            self.draw()

    def why_not_here(self, binding_id: str) -> str | None:
        """What the row under the cursor does not allow."""
        if binding_id == "filter":
            return "" if self._snapshot.endpoints else "there is no name yet"
        return why_not(self.row, binding_id, is_read_only=self._snapshot.is_read_only)

    def to_copy(self) -> tuple[str, str] | None:
        """The name under the cursor, as clients send it."""
        return (self.row.name, "the name") if self.row is not None else None

    def entries(self) -> tuple[NameRow, ...]:
        """The rows that hold the words."""
        return name_rows(self._snapshot, self.words)

    def heads(self, width: int) -> list[Part]:
        """Name, status, context, other names."""
        return heads(width)

    def draw_entry(self, entry: NameRow, width: int) -> list[Part]:
        """One row."""
        return row_parts(entry, width, self.glyphs)

    def about(self, width: int) -> list[list[Part]]:
        """Why it serves nobody, all its names, what it is."""
        return [] if self.row is None else about(self.row, self.glyphs)

    def empty_text(self) -> str:
        """No model yet, or a filter that matches none."""
        if self.list.entries:
            return ""
        if not self.words:
            return "no model yet, so there is nothing to ask for"
        return f'0 of {len(self._snapshot.endpoints)} match "{self.words}"\n\nesc clears the filter'

    def summary(self) -> str:
        """How many."""
        return summary(self._snapshot, len(self.list.entries), self.words)

    @on(PickList.Activated)
    def activate(self) -> None:
        """A second click is enter."""
        self.action_want("show-model")
