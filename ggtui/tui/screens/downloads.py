"""Downloads: what is fetched in which order, how far it is, and why it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ggtui.tui.download_look import about, heads, row_parts
from ggtui.tui.download_rows import download_rows, summary, why_not
from ggtui.tui.keys import Where, bindings
from ggtui.tui.screens.listing import OrderRoom

if TYPE_CHECKING:
    from textual.binding import BindingType

    from ggtui.core.snapshot import EngineSnapshot
    from ggtui.tui.download_rows import DownloadRow
    from ggtui.tui.format import Part
    from ggtui.tui.glyphs import Glyphs


class DownloadsScreen(OrderRoom):
    """Follows the queue while it is open; every order is the app's to give."""

    PLACE: ClassVar[Where] = Where.DOWNLOADS
    BINDINGS: ClassVar[list[BindingType]] = bindings(Where.DOWNLOADS)

    class Wanted(OrderRoom.Wanted):
        """A key was pressed that orders something."""

        row: DownloadRow | None

    def __init__(self, snapshot: EngineSnapshot, glyphs: Glyphs) -> None:
        super().__init__("Downloads", glyphs)
        self._snapshot = snapshot

    @property
    def row(self) -> DownloadRow | None:
        """The row under the cursor."""
        return self.list.current

    def follow(self, snapshot: EngineSnapshot) -> None:
        """Draw anew when the queue has changed: the rest of the state is not shown here."""
        before, self._snapshot = self._snapshot, snapshot
        is_same = before.downloads is snapshot.downloads or before.downloads == snapshot.downloads
        if not is_same or before.is_read_only != snapshot.is_read_only:
            self.draw()

    def why_not_here(self, binding_id: str) -> str | None:
        """What the row under the cursor does not allow."""
        if binding_id == "filter":
            return "" if self._snapshot.downloads else "there is no download"
        return why_not(self.row, binding_id, self._snapshot)

    def to_copy(self) -> tuple[str, str] | None:
        """The name under the cursor, as `ggtui pull` takes it."""
        return (self.row.job.model, "the name") if self.row is not None else None

    def entries(self) -> tuple[DownloadRow, ...]:
        """The rows that hold the words."""
        return download_rows(self._snapshot, self.words)

    def heads(self, width: int) -> list[Part]:
        """What each column tells."""
        return heads(width)

    def draw_entry(self, entry: DownloadRow, width: int) -> list[Part]:
        """One row."""
        return row_parts(entry, width, self.glyphs)

    def about(self, width: int) -> list[list[Part]]:
        """Where from, what is done now, and what a person can do."""
        return [] if self.row is None else about(self.row, width, self.glyphs)

    def empty_text(self) -> str:
        """No download, or a filter that matches none."""
        if self.list.entries:
            return ""
        if self.words:
            return f'0 of {len(self._snapshot.downloads)} match "{self.words}"\n\nesc clears the filter'
        return (
            "nothing is being downloaded\n\na searches the hub for a model; ggtui pull OWNER/REPO does it too"
        )

    def summary(self) -> str:
        """How many, how fast."""
        return summary(self._snapshot, len(self.list.entries), self.words)
