"""The docked log of one server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content

from ggtui.tui.widgets.log_view import LogView
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult

    from ggtui.tui.glyphs import Glyphs


class LogPane(Vertical):
    """Title with the model, subtitle with follow and the number of lines; empty logs say why."""

    def __init__(self, glyphs: Glyphs, *, id: str = "logs", heading: str = "4 Logs") -> None:
        super().__init__(id=id, classes="pane")
        self._glyphs = glyphs
        self._heading = heading
        self.public_id = ""
        """Whose log is shown; empty for none."""

    def compose(self) -> ComposeResult:
        """The lines, or a sentence instead of them."""
        yield TextBlock(id="logs-empty", classes="empty")
        yield LogView(id="logs-view")

    def on_mount(self) -> None:
        """Begin empty."""
        self.watch(self.view, "is_following", self._label, init=False)
        self.show("", ())

    @property
    def view(self) -> LogView:
        """The lines."""
        return self.query_one(LogView)

    def show(self, public_id: str, lines: Iterable[str], why_empty: str = "") -> None:
        """Show this model's log. why_empty: the sentence for a log without lines."""
        self.public_id = public_id
        self.view.set_lines(lines)
        reason = why_empty or (f"{public_id} was not started yet" if public_id else "nothing was started yet")
        self.query_one("#logs-empty", TextBlock).show(Content.assemble((reason, "$quiet")))
        self._label()

    def add(self, lines: Iterable[str]) -> None:
        """New lines of the model that is shown."""
        self.view.add_lines(lines)
        self._label()

    def _label(self) -> None:
        has_lines = self.view.line_count > 0
        self.set_class(not has_lines, "-empty")
        self.border_title = Content(f"{self._heading} {self.public_id}".rstrip())
        mode = "FOLLOW" if self.view.is_following else "SCROLL"
        count = self.view.line_count
        text = f"{mode} · {count} line{'' if count == 1 else 's'}" if has_lines else ""
        self.border_subtitle = Content(self._glyphs.twin(text))
