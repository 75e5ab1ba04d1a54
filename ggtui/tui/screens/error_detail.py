"""What went wrong: what failed, why, what to do, and the server's own last words."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from ggtui.tui.format import lines
from ggtui.tui.keys import Where, bindings
from ggtui.tui.reasons import NO_RETRY
from ggtui.tui.screens.reader import ReaderScreen
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from textual.binding import BindingType

    from ggtui.core.snapshot import FailureNote
    from ggtui.tui.glyphs import Glyphs

LOG_LINES = 20


class ErrorScreen(ReaderScreen):
    """`y` copies the report, `r` tries again; esc closes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Where.ANY, only=("restart",), footer="Retry"),
        *bindings(Where.DIALOG, only=("close",)),
    ]

    def __init__(self, note: FailureNote, glyphs: Glyphs, public_id: str = "") -> None:
        super().__init__(f"! {public_id or note.title}", glyphs)
        self.note = note
        self.public_id = public_id
        """The model it is about; empty for none."""

    @property
    def report(self) -> str:
        """The whole story as plain text, to copy."""
        return self.text().plain

    def why_not_here(self, binding_id: str) -> str | None:
        """Only a model can be tried again."""
        if binding_id != "restart":
            return None
        return "" if self.public_id else NO_RETRY

    def to_copy(self) -> tuple[str, str]:
        """The report."""
        return self.report, "the report"

    def text(self) -> Content:
        """Title, detail, hint, log."""
        note = self.note
        rows = [Content.assemble((note.title, "$error bold"))]
        if self.public_id:
            rows.append(Content.assemble(("model  ", "$quiet"), self.public_id))
        rows += [Content(""), Content(note.detail)]
        if note.reason:
            rows.append(Content.assemble(("reason  ", "$quiet"), note.reason))
        if note.hint:
            rows += [Content(""), Content.assemble(("try  ", "$success bold"), note.hint)]
        if note.log_tail:
            rows += [Content(""), Content.assemble(("the server's last lines", "$primary bold"))]
            rows += [Content(line) for line in note.log_tail[-LOG_LINES:]]
        return lines(rows)

    def draw(self) -> None:
        """The report, and what may be pressed here."""
        retry = "r tries again   " if self.public_id else ""
        words = Content.assemble(self.text(), ("\n\n" + retry + "y copies this   esc closes", "$quiet"))
        self.query_one("#page-text", TextBlock).show(words, layout=True)
