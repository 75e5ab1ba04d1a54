"""Model info: what the header says, what each context would take, what loads took, and their command."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.message import Message
from textual.reactive import reactive

from ggtui.core.forecast import Forecast, Verdict
from ggtui.core.units import gib
from ggtui.tui.context_table import context_table, table_lines
from ggtui.tui.format import lines
from ggtui.tui.keys import Where, bindings
from ggtui.tui.launch_words import CONFIDENCES
from ggtui.tui.model_facts import facts, load_lines
from ggtui.tui.panes.forecast import NARROW, forecast_line, slider_line, tiny_line
from ggtui.tui.screens.reader import ReaderScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.binding import BindingType

    from ggtui.core.load_history import LoadRecord
    from ggtui.core.models import LaunchOptions
    from ggtui.tui.glyphs import Glyphs
    from ggtui.tui.outlook import Outlook

NO_LOADS = Content("nothing yet: the first load fills this")
MEND = "get the file again: it is damaged, not whole, or not readable. ctrl+r looks again"


class ModelInfoScreen(ReaderScreen):
    """The context keys work here too, and enter loads."""

    PLACE: ClassVar[Where] = Where.INFO
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Where.CONTEXT, Where.INFO),
        *bindings(Where.DIALOG, only=("close",)),
    ]

    outlook: reactive[Outlook | None] = reactive(None, init=False)
    """The model at its chosen context."""
    command: reactive[tuple[str, ...]] = reactive((), init=False)
    """The command that a load would run; empty until it is known."""
    history: reactive[tuple[LoadRecord, ...]] = reactive((), init=False)
    """What its loads took, the newest first."""
    names: reactive[tuple[tuple[str, str], ...]] = reactive((), init=False)
    """Its aliases, its adapters, whether it is the default or off: name and value."""

    class ContextWanted(Message):
        """Another context: a step (-1, 1), or `saved`, or `largest`."""

        def __init__(self, step: int | str) -> None:
            super().__init__()
            self.step = step

    class LoadWanted(Message):
        """Load what is shown."""

    class OptionsWanted(Message):
        """How it is launched."""

    def __init__(
        self,
        outlook: Outlook,
        options: LaunchOptions,
        forecast: Callable[[int, LaunchOptions], Forecast | None],
        glyphs: Glyphs,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """options: how the model would be launched. forecast: the look ahead for a context and options.

        clock: Unix time, for ages.
        """
        super().__init__(outlook.summary.public_id, glyphs)
        self._options = options
        self._forecast = forecast
        self._clock = clock
        self.set_reactive(ModelInfoScreen.outlook, outlook)

    def watch_outlook(self) -> None:
        """Follow the choice."""
        if self.is_mounted:
            self.draw()

    def watch_command(self) -> None:
        """Show the command when it arrives."""
        if self.is_mounted:
            self.draw()

    def watch_history(self) -> None:
        """Show the loads when they arrive."""
        if self.is_mounted:
            self.draw()

    def watch_names(self) -> None:
        """Show them when they change."""
        if self.is_mounted:
            self.draw()

    def follow(self, outlook: Outlook, options: LaunchOptions) -> bool:
        """The memory, the choice or the options moved; True when a load would run another command now."""
        has_other_options = options != self._options
        has_other_ctx = self.outlook is None or self.outlook.n_ctx != outlook.n_ctx
        self._options, self.outlook = options, outlook
        if has_other_options:
            self.draw()
        return has_other_options or has_other_ctx

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

    def action_options(self) -> None:
        """How this model is launched."""
        self.post_message(self.OptionsWanted())

    def text(self) -> Content:
        """Forecast with its slider, facts, table by context, how sure that is, earlier loads, command."""
        outlook = self.outlook
        if outlook is None:
            return Content("")
        head = tiny_line if self.text_width < NARROW else forecast_line
        rows = [
            head(outlook, self.text_width, self.glyphs),
            slider_line(outlook, self.text_width, self.glyphs)[0],
            Content(""),
        ]
        rows += [
            _fact(name, self.glyphs.twin(value)) for name, value in (*facts(outlook.summary), *self.names)
        ]
        if outlook.summary.problem is not None:
            return lines([*rows, Content(""), Content.assemble(("try  ", "$success bold"), MEND)])
        rows += _section("context against memory", self._table(outlook))
        rows += _section("confidence", self._confidence(outlook))
        rows += _section(
            "predicted against actual",
            load_lines(self.history, self._clock(), self.text_width, self.glyphs) or [NO_LOADS],
        )
        return lines(rows + _section("command", self._command()))

    def _table(self, outlook: Outlook) -> list[Content]:
        table = context_table(outlook.n_ctx, outlook.summary.n_ctx_train, self._options, self._forecast)
        if not any(table.chosen):
            return []
        pool = outlook.forecast.total_bytes if outlook.forecast is not None else 0
        words = self.glyphs.twin(f"KV cache → all that is held, of {gib(pool or None)}; by cache type")
        return [
            Content.assemble((words, "$quiet")),
            *table_lines(table, self.text_width, self.glyphs),
            *self._suggestion(outlook.forecast),
        ]

    def _suggestion(self, ahead: Forecast | None) -> list[Content]:
        if ahead is None or ahead.verdict is not Verdict.PART or self._options.n_gpu_layers is not None:
            return []
        words = f"suggested: GPU layers {ahead.n_layers_on_gpu} of {ahead.n_layers}; e sets it"
        return [Content.assemble((words, "$warning"))]

    def _confidence(self, outlook: Outlook) -> list[Content]:
        ahead = outlook.forecast
        if ahead is None:
            return []
        line = Content.assemble((str(ahead.confidence), CONFIDENCES[ahead.confidence]))
        return [line, *(Content(self.glyphs.twin(f"– {reason}")) for reason in ahead.reasons)]

    def _command(self) -> list[Content]:
        return [Content(shlex.join(self.command))] if self.command else []


def _fact(name: str, value: str) -> Content:
    return Content.assemble((f"{name:<16}", "$quiet"), value)


def _section(title: str, rows: list[Content]) -> list[Content]:
    return [Content(""), Content.assemble((title, "$primary bold")), *rows] if rows else []
