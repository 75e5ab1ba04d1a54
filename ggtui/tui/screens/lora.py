"""LoRA adapters of one model: what is attached with its weights, and the files that could be."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.message import Message
from textual.reactive import var

from ggtui.tui.keys import Where, bindings
from ggtui.tui.lora_look import heads, row_parts
from ggtui.tui.lora_rows import Kind, LoraRow, lora_rows
from ggtui.tui.messages import WeightWanted
from ggtui.tui.reasons import READ_ONLY
from ggtui.tui.screens.listing import ListRoom
from ggtui.tui.widgets.pick_list import PickList

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.binding import BindingType

    from ggtui.tui.desk import Desk
    from ggtui.tui.format import Part
    from ggtui.tui.glyphs import Glyphs

WEIGHS = frozenset({"lora-down", "lora-up", "lora-none", "lora-full"})
"""Ids of the keys that change a weight."""


class LoraScreen(ListRoom):
    """Follows the state while it is open; every change is the app's to make."""

    PLACE: ClassVar[Where] = Where.LORA
    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.LORA)

    kept: var[Mapping[str, float]] = var(dict[str, float])
    """Weights by adapter, as models.toml says; empty until that was read."""

    class Wanted(Message):
        """Attach this file, detach this adapter, or type a path."""

        def __init__(self, public_id: str, row: LoraRow) -> None:
            super().__init__()
            self.public_id = public_id
            self.row = row

    def __init__(
        self, desk: Desk, public_id: str, about: Callable[[LoraRow], list[list[Part]]], glyphs: Glyphs
    ) -> None:
        """about: three lines about a row."""
        super().__init__(f"LoRA of {public_id}", glyphs)
        self.public_id = public_id
        """Whose adapters these are."""
        self.read_with: object = None
        """The endpoints that there were when `kept` was asked for last."""
        self._desk = desk
        self._about = about

    @property
    def row(self) -> LoraRow | None:
        """The row under the cursor."""
        return self.list.current

    def watch_kept(self) -> None:
        """They were read."""
        self.draw()

    def why_not_here(self, binding_id: str) -> str | None:
        """What the row under the cursor does not allow."""
        if binding_id == "filter":
            return ""
        if binding_id not in WEIGHS | {"attach", "lora-file"}:
            return None
        if self._desk.snapshot.is_read_only:
            return READ_ONLY
        if binding_id in WEIGHS:
            return self._why_no_weight()
        if binding_id == "attach" and self.row is not None and self.row.kind is Kind.STACK:
            return "stacks are written in models.toml"
        return self.row.why if binding_id == "attach" and self.row and self.row.found else ""

    def _why_no_weight(self) -> str:
        if self.row is None or self.row.kind is not Kind.ADAPTER:
            return "no adapter under the cursor"
        return ""

    def to_copy(self) -> tuple[str, str] | None:
        """The name under the cursor, as clients send it; the path of a file."""
        if self.row is None or not (self.row.endpoint or self.row.file):
            return None
        return (str(self.row.endpoint.id), "the name") if self.row.endpoint else (self.row.file, "the path")

    def entries(self) -> tuple[LoraRow, ...]:
        """What is attached, and the files."""
        status = self._desk.by_name(self.public_id)
        if status is None:
            return ()
        return lora_rows(self._desk.snapshot, status, self._desk.weights, self.kept, self.words)

    def heads(self, width: int) -> list[Part]:
        """Name, weights, size, file."""
        return heads(width)

    def draw_entry(self, entry: LoraRow, width: int) -> list[Part]:
        """One row."""
        return row_parts(entry, width, self.glyphs)

    def about(self, width: int) -> list[list[Part]]:
        """What enter would do, or what is applied."""
        return [] if self.row is None else self._about(self.row)

    def empty_text(self) -> str:
        """Only a model that has left has no rows."""
        return "" if self.list.entries else f"{self.public_id} has left the catalog"

    def summary(self) -> str:
        """How many."""
        n_attached = sum(row.kind is Kind.ADAPTER for row in self.list.entries)
        return f"{n_attached} attached · {len(self._desk.snapshot.catalog.adapters)} LoRA files found"

    @on(PickList.Activated)
    def action_activate(self) -> None:
        """Intent goes up."""
        if self.row is not None:
            self.post_message(self.Wanted(self.public_id, self.row))

    def action_add_file(self) -> None:
        """Intent goes up."""
        self.post_message(self.Wanted(self.public_id, LoraRow(Kind.TYPED, "")))

    def action_weight(self, step: int) -> None:
        """Intent goes up."""
        self._weigh(step)

    def action_whole_weight(self, exact: int) -> None:
        """Intent goes up."""
        self._weigh(0, float(exact))

    def _weigh(self, step: int, exact: float | None = None) -> None:
        adapter = self.row.name if self.row is not None and self.row.kind is Kind.ADAPTER else ""
        self.post_message(WeightWanted(self.public_id, adapter, step, exact))
