"""Backends: what each should serve, what it has, and how that differs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from ggtui.tui.backend_look import about, heads, row_parts
from ggtui.tui.backend_rows import backend_rows, summary, why_not
from ggtui.tui.keys import Where, bindings
from ggtui.tui.screens.listing import OrderRoom

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.binding import BindingType

    from ggtui.core.snapshot import EngineSnapshot
    from ggtui.tui.backend_rows import BackendRow
    from ggtui.tui.format import Part
    from ggtui.tui.glyphs import Glyphs

NOTHING = (
    "the configuration has no [[backend]] and no [[model]]\n\n"
    "declare a server that others run, such as\n\n"
    "[[backend]]\n"
    'name = "box"\ntype = "ollama"\nbase_url = "http://192.168.1.9:11434"\nmodels = ["qwen3:8b"]\n\n'
    "and C reads the configuration again"
)


class BackendsScreen(OrderRoom):
    """Follows the state and the clock while it is open; every order is the app's to give."""

    PLACE: ClassVar[Where] = Where.BACKENDS
    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.BACKENDS)

    class Wanted(OrderRoom.Wanted):
        """A key was pressed that orders something."""

        row: BackendRow | None

    def __init__(
        self, snapshot: EngineSnapshot, glyphs: Glyphs, clock: Callable[[], float] = time.time
    ) -> None:
        """clock: Unix time, for ages."""
        super().__init__("Backends", glyphs)
        self._snapshot = snapshot
        self._clock = clock

    @property
    def row(self) -> BackendRow | None:
        """The row under the cursor."""
        return self.list.current

    def follow(self, snapshot: EngineSnapshot) -> None:
        """Draw anew when what is shown has changed."""
        before, self._snapshot = self._snapshot, snapshot
        if _shown(before) != _shown(snapshot):
            self.draw()

    def tick(self) -> None:
        """Once a second: let ages grow."""
        if self._snapshot.backends:
            self.draw()

    def why_not_here(self, binding_id: str) -> str | None:
        """What the row under the cursor does not allow."""
        if binding_id == "filter":
            return "" if self._snapshot.backends or self._snapshot.rows else "there is no backend"
        return why_not(self.row, binding_id, self._snapshot)

    def to_copy(self) -> tuple[str, str] | None:
        """The name of the model under the cursor, the URL of a backend."""
        row = self.row
        if row is None:
            return None
        if row.model:
            return row.model, "the name"
        url = row.state.backend.base_url if row.state is not None else ""
        return (url, "the URL") if url else (row.title, "the name")

    def entries(self) -> tuple[BackendRow, ...]:
        """The rows that hold the words."""
        return backend_rows(self._snapshot, self._clock(), self.words)

    def heads(self, width: int) -> list[Part]:
        """What each column tells."""
        return heads(width)

    def draw_entry(self, entry: BackendRow, width: int) -> list[Part]:
        """One row."""
        return row_parts(entry, width, self.glyphs)

    def about(self, width: int) -> list[list[Part]]:
        """Errors, ages, and what a person can do."""
        return [] if self.row is None else about(self.row, width, self.glyphs)

    def empty_text(self) -> str:
        """Nothing is declared, or a filter that matches nothing."""
        if self.list.entries:
            return ""
        return f'nothing matches "{self.words}"\n\nesc clears the filter' if self.words else NOTHING

    def summary(self) -> str:
        """How many stand how."""
        return summary(self._snapshot, len(self.list.entries), self.words)


def _shown(snapshot: EngineSnapshot) -> tuple[object, ...]:
    """What of the state is seen here."""
    return (
        snapshot.backends,
        snapshot.rows,
        snapshot.downloads,
        snapshot.is_reconciling,
        snapshot.is_read_only,
    )
