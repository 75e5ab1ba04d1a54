"""The catalog's rows: a cursor, fixed columns, one drawn line per row.

Textual's DataTable was tried: one changed cell a second costs 4.6% of a core there and a refill of 1,000
rows 0.4 s, because it measures each cell. Drawing only the visible lines makes both free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from ggtui.tui.format import cut
from ggtui.tui.keys import Where, bindings
from ggtui.tui.widgets.cursor_view import CursorView
from ggtui.tui.widgets.lazy_rows import LazyRows

if TYPE_CHECKING:
    from textual import events
    from textual.binding import BindingType

    from ggtui.tui.glyphs import Glyphs

QUANT, SIZE, CTX, FIT = 9, 8, 7, 19
"""Cells of a column, the gap after it counted."""
STATE = 5
NARROWEST_NAME = 12


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """One model as it is drawn."""

    model_id: int
    public_id: str
    sign: str
    sign_class: str
    """Name of the state or verdict whose colour the sign has."""
    quant: str
    size: str
    ctx: str
    fit: str
    fit_class: str
    pin: str = ""
    """Sign of a pinned model, else empty."""
    favourite: str = ""
    """Sign of a favourite, else empty."""
    mark: str = ""
    """Sign of a marked row, else empty."""
    name: str = ""
    """What a person calls it, shown in place of the public id; else empty."""


NO_ROWS: LazyRows[CatalogRow] = LazyRows((), lambda _index: CatalogRow(0, "", "", "", "", "", "", "", ""), ())


class CatalogTable(CursorView, can_focus=True):
    """Invariant: the cursor stays on its model while rows are sorted, filtered or refreshed around it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Where.CATALOG),
        *bindings(Where.LISTS, only=("down", "up", "top", "bottom", "page-down", "page-up")),
    ]
    CLASS_NAMES = (
        "idle", "queued", "loading", "ready", "draining", "stopping", "failed", "external",
        "fits", "part", "no", "guess", "pinned",
    )  # fmt: skip
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"catalog-table--{name}" for name in CLASS_NAMES}

    rows: reactive[LazyRows[CatalogRow]] = reactive(lambda: NO_ROWS)
    """What is drawn, in order."""

    class CursorMoved(Message):
        """Another model is under the cursor, or none."""

        def __init__(self, model_id: int | None) -> None:
            super().__init__()
            self.model_id = model_id

    class Activated(Message):
        """Enter, or a click on the row under the cursor."""

        def __init__(self, model_id: int) -> None:
            super().__init__()
            self.model_id = model_id

    class NothingToActivate(Message):
        """Enter where there are no rows."""

    class SortWanted(Message):
        """Another order is wanted."""

        def __init__(self, *, is_reverse: bool) -> None:
            super().__init__()
            self.is_reverse = is_reverse

    class MarkWanted(Message):
        """Mark this model, or no longer."""

        def __init__(self, model_id: int) -> None:
            super().__init__()
            self.model_id = model_id

    class RemoveWanted(Message):
        """Take this model off the disk."""

        def __init__(self, model_id: int) -> None:
            super().__init__()
            self.model_id = model_id

    def __init__(self, glyphs: Glyphs, *, id: str) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._told: int | None = None

    @property
    def current(self) -> CatalogRow | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def move_to(self, model_id: int) -> bool:
        """Put the cursor on a model; False when it is not among the rows."""
        index = self.rows.index_of(model_id)
        if index is None:
            return False
        self.cursor = index
        return True

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a row."""
        return max(0, min(cursor, len(self.rows) - 1))

    def watch_rows(self, old: LazyRows[CatalogRow], new: LazyRows[CatalogRow]) -> None:
        """Follow the model under the cursor to its new place."""
        self.virtual_size = Size(self.size.width, len(new))
        kept = old.id_at(self.cursor) if self.cursor < len(old) else self._told
        stays = self.cursor < len(new) and new.id_at(self.cursor) == kept
        if not stays and (kept is None or not self.move_to(kept)):
            self.cursor = self.validate_cursor(self.cursor)
        self._tell()
        self._keep_in_view()

    def watch_cursor(self) -> None:
        """Show the row and say whose it is."""
        self._keep_in_view()
        self._tell()

    def on_resize(self) -> None:
        """Columns follow the width."""
        self.virtual_size = Size(self.size.width, len(self.rows))
        self._keep_in_view()

    def _keep_in_view(self) -> None:
        self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True)

    def _tell(self) -> None:
        model_id = self.rows.id_at(self.cursor)
        if model_id != self._told:
            self._told = model_id
            self.post_message(self.CursorMoved(model_id))

    def render_line(self, y: int) -> Strip:
        """One row; below the last, blank."""
        index = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        base = self.rich_style
        if index >= len(self.rows):
            return Strip.blank(width, base)
        row = self.rows[index]
        is_tiny = width < 58
        cells = _cells(row, width, self._glyphs, is_tiny=is_tiny)
        if index == self.cursor:
            base += Style(reverse=True, bold=self.has_focus)
            return Strip([Segment(text, base) for text, _ in cells]).adjust_cell_length(width, base)
        segments = [Segment(text, base + self._colour(name)) for text, name in cells]
        return Strip(segments).adjust_cell_length(width, base)

    def _colour(self, name: str) -> Style:
        if not name:
            return Style.null()
        style = self.get_component_rich_style(f"catalog-table--{name}", partial=True)
        return Style(color=style.color, bold=style.bold)

    def header(self, width: int) -> str:
        """The column heads over the rows."""
        heads = CatalogRow(0, "Model", "", "", "Quant", "Size", "Ctx", "Fit", "")
        return "".join(text for text, _ in _cells(heads, width, self._glyphs, is_tiny=width < 58))

    def on_click(self, event: events.Click) -> None:
        """The first click moves the cursor, a click on the cursor's row activates it."""
        index = event.y + self.scroll_offset.y
        if index >= len(self.rows):
            return
        if index == self.cursor and self.has_focus:
            self.action_activate()
        self.cursor = index

    def action_activate(self) -> None:
        """Ask to load the model under the cursor."""
        if (model_id := self.rows.id_at(self.cursor)) is not None:
            self.post_message(self.Activated(model_id))
        else:
            self.post_message(self.NothingToActivate())

    def action_mark(self) -> None:
        """Mark the model under the cursor, and go on to the next."""
        if (model_id := self.rows.id_at(self.cursor)) is not None:
            self.post_message(self.MarkWanted(model_id))
            self.cursor += 1

    def action_remove(self) -> None:
        """Ask to take the model under the cursor off the disk."""
        if (model_id := self.rows.id_at(self.cursor)) is not None:
            self.post_message(self.RemoveWanted(model_id))

    @property
    def n_rows(self) -> int:
        """How many there are."""
        return len(self.rows)

    def action_sort(self) -> None:
        """Ask for the next sort column."""
        self.post_message(self.SortWanted(is_reverse=False))

    def action_sort_reverse(self) -> None:
        """Ask for the other direction."""
        self.post_message(self.SortWanted(is_reverse=True))


def _cells(row: CatalogRow, width: int, glyphs: Glyphs, *, is_tiny: bool) -> list[tuple[str, str]]:
    """Text and colour name by column; names are cut, never signs."""
    if is_tiny:
        name_width = max(NARROWEST_NAME, width - 3 - CTX - 11)
        return [
            *_signs(row, row.mark or row.favourite or " "),
            (row.pin or " ", "pinned"),
            (_field(row.name or row.public_id, name_width, glyphs), ""),
            (_field(row.ctx, CTX, glyphs), ""),
            (row.fit, row.fit_class),
        ]
    name_width = min(50, max(NARROWEST_NAME, width - STATE - QUANT - SIZE - CTX - FIT - 1))
    return [
        *_signs(row, f"{row.mark or ' '}{row.favourite or ' '}"),
        (f"{row.pin or ' '} ", "pinned"),
        (_field(row.name or row.public_id, name_width, glyphs), ""),
        (_field(row.quant, QUANT, glyphs), ""),
        (_field(row.size, SIZE, glyphs), ""),
        (_field(row.ctx, CTX, glyphs), ""),
        (row.fit, row.fit_class),
    ]


def _signs(row: CatalogRow, before: str) -> list[tuple[str, str]]:
    """The sign of the state behind those that a person set."""
    sign = row.sign or " "
    if not before.strip():
        return [(before + sign, row.sign_class)]
    return [(before, "pinned"), (sign, row.sign_class)]


def _field(text: str, width: int, glyphs: Glyphs) -> str:
    return set_cell_size(cut(text, width - 2 if cell_len(text) > width - 2 else width, glyphs), width)
