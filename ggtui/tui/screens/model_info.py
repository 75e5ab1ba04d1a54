"""Model info: what the header says, what each context would take, and the exact command of a load."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.message import Message
from textual.reactive import reactive

from ggtui.core.forecast import Forecast, context_stops
from ggtui.core.units import gib, parameters, tokens, used_of_total
from ggtui.tui.format import lines
from ggtui.tui.glyphs import VERDICTS, Glyphs
from ggtui.tui.keys import Where, bindings
from ggtui.tui.panes.forecast import NARROW, forecast_line, tiny_line
from ggtui.tui.screens.reader import ReaderScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.binding import BindingType

    from ggtui.tui.outlook import Outlook

FEWEST_CTX = 2048
MEND = "get the file again: it is damaged, not whole, or not readable. ctrl+r looks again"


class ModelInfoScreen(ReaderScreen):
    """The context keys work here too, and enter loads."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Where.CONTEXT, Where.INFO),
        *bindings(Where.DIALOG, only=("close",)),
    ]

    outlook: reactive[Outlook | None] = reactive(None, init=False)
    """The model at its chosen context."""
    command: reactive[tuple[str, ...]] = reactive((), init=False)
    """The command that a load would run; empty until it is known."""

    class ContextWanted(Message):
        """Another context: a step (-1, 1), or `saved`, or `largest`."""

        def __init__(self, step: int | str) -> None:
            super().__init__()
            self.step = step

    class LoadWanted(Message):
        """Load what is shown."""

    def __init__(self, outlook: Outlook, forecast: Callable[[int], Forecast | None], glyphs: Glyphs) -> None:
        """forecast: the look ahead for a context in tokens."""
        super().__init__(outlook.summary.public_id, glyphs)
        self._forecast = forecast
        self.set_reactive(ModelInfoScreen.outlook, outlook)

    def watch_outlook(self) -> None:
        """Follow the choice."""
        if self.is_mounted:
            self.draw()

    def watch_command(self) -> None:
        """Show the command when it arrives."""
        if self.is_mounted:
            self.draw()

    def action_context_down(self) -> None:
        """One stop down."""
        self.post_message(self.ContextWanted(-1))

    def action_context_up(self) -> None:
        """One stop up."""
        self.post_message(self.ContextWanted(1))

    def action_context_saved(self) -> None:
        """Back to what is kept."""
        self.post_message(self.ContextWanted("saved"))

    def action_context_largest(self) -> None:
        """The largest that fits."""
        self.post_message(self.ContextWanted("largest"))

    def action_load(self) -> None:
        """Load this model."""
        self.post_message(self.LoadWanted())

    def text(self) -> Content:
        """Forecast line, facts, table by context, command."""
        outlook = self.outlook
        if outlook is None:
            return Content("")
        head = tiny_line if self.text_width < NARROW else forecast_line
        rows = [head(outlook, self.text_width, self.glyphs), Content("")]
        rows += [_fact(name, self.glyphs.twin(value)) for name, value in facts(outlook)]
        if outlook.summary.problem is not None:
            rows += [Content(""), Content.assemble(("try  ", "$success bold"), MEND)]
        elif table := self._table(outlook):
            rows += [Content(""), Content.assemble(("by context", "$primary bold")), *table]
        if self.command:
            rows += [Content(""), Content.assemble(("command", "$primary bold"))]
            rows.append(Content(shlex.join(self.command)))
        return lines(rows)

    def _table(self, outlook: Outlook) -> list[Content]:
        rows = []
        for stop in context_stops(outlook.summary.n_ctx_train):
            ahead = self._forecast(stop)
            if ahead is None or (stop < FEWEST_CTX and stop != outlook.n_ctx):
                continue
            figure = used_of_total(ahead.after_bytes, ahead.total_bytes or None)
            mark = self.glyphs.arrow if stop == outlook.n_ctx else ""
            rows.append(
                Content.assemble(
                    (f"{mark:<3}", "$primary bold"),
                    f"{tokens(stop):<8}{figure:<14}kv {gib(ahead.kv_bytes):<8}",
                    (self.glyphs.verdict(ahead.verdict), VERDICTS[ahead.verdict].style),
                )
            )
        return rows


def _fact(name: str, value: str) -> Content:
    return Content.assemble((f"{name:<16}", "$quiet"), value)


def facts(outlook: Outlook) -> list[tuple[str, str]]:
    """What the header says: name and value."""
    summary = outlook.summary
    shape = summary.shape
    found = [
        ("name", summary.name),
        ("client's name", summary.public_id),
        ("architecture", summary.architecture or "–"),
        ("quantisation", summary.quantisation or "–"),
        ("parameters", parameters(summary.n_params)),
        ("size", gib(summary.size_bytes)),
        ("trained context", tokens(summary.n_ctx_train)),
        ("can", ", ".join(summary.capabilities)),
        ("layers", "–" if shape is None else str(shape.n_layer)),
    ]
    if summary.tags:
        found.append(("tags", ", ".join(summary.tags)))
    if summary.problem is not None:
        return [("problem", summary.problem), *(fact for fact in found if fact[1] != "–")]
    return found
