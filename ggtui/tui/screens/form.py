"""A dialog to type into: words, one or two lines, and the buttons; what is wrong is said inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input

from ggtui.tui.keys import Where, bindings
from ggtui.tui.screens.reader import Page
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.suggester import Suggester

    from ggtui.tui.glyphs import Glyphs

LOW, FRAME, PADDING = 18, 2, 2
"""Rows: below which the dialog has no padding, of its frame, of its padding."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line to type into."""

    id: str
    label: str
    value: str = ""
    placeholder: str = ""
    suggester: Suggester | None = None


class FormScreen(ModalScreen[Any]):
    """Dismisses with what `answer` makes of the typed lines; with None on esc and on the first button."""

    BINDINGS = bindings(Where.DIALOG)

    def __init__(self, title: str, text: str, lines: tuple[Line, ...], verb: str, glyphs: Glyphs) -> None:
        """verb: the label of the button that does it."""
        super().__init__()
        self._heading = title
        self._words = text
        self._form = lines
        self._verb = verb
        self._glyphs = glyphs
        self.set_class(glyphs.is_ascii, "-ascii")

    def compose(self) -> ComposeResult:
        """A frame with the words, the lines and one button a line."""
        with Vertical(classes="dialog form") as frame:
            frame.border_title = Content(self._heading)
            yield Page(TextBlock(id="form-text"), id="form-page")
            for line in self._form:
                yield TextBlock(id=f"label-{line.id}", classes="form-label")
                yield Input(
                    line.value,
                    placeholder=line.placeholder,
                    suggester=line.suggester,
                    id=f"line-{line.id}",
                    classes="form-line",
                    compact=True,
                    select_on_focus=False,
                )
            yield TextBlock(id="form-problem")
            yield Button(Content(" Cancel "), id="form-cancel", compact=True)
            yield Button(Content(self._glyphs.twin(f" {self._verb} ")), id="form-do", compact=True)

    def on_mount(self) -> None:
        """The first line takes the keys; what was said before must not lie over it."""
        self.app.clear_notifications()
        self.query_one("#form-page", Page).display = bool(self._words)
        words = Content(self._glyphs.twin(self._words))
        self.query_one("#form-text", TextBlock).show(words, layout=True)
        for line in self._form:
            self.query_one(f"#label-{line.id}", TextBlock).show(Content(line.label))
            self.query_one(f"#line-{line.id}", Input).cursor_blink = False
        self.query(Input).first().focus()
        self._look()

    def on_resize(self, event: events.Resize) -> None:
        """Lines and buttons are always in view: what has no room is scrolled."""
        is_low = event.size.height < LOW
        self.set_class(is_low, "-low")
        taken = 2 * len(self._form) + 3 + (FRAME if is_low else FRAME + PADDING)
        self.query_one("#form-page").styles.max_height = max(1, event.size.height - taken)

    def value(self, line_id: str) -> str:
        """What stands in a line."""
        return self.query_one(f"#line-{line_id}", Input).value

    def why_not(self) -> str:
        """Why it cannot be done with what was typed; empty when it can. Nothing is read or asked here."""
        return ""

    def answer(self) -> Any:
        """What the screen is dismissed with."""

    def take(self) -> None:
        """Done typing."""
        problem = self.why_not()
        if problem:
            self.say(problem)
        else:
            self.dismiss(self.answer())

    def say(self, problem: str) -> None:
        """Tell what is wrong, where it was typed."""
        self.query_one("#form-problem", TextBlock).show(Content(self._glyphs.twin(problem)), layout=True)

    def _look(self) -> None:
        self.query_one("#form-do", Button).disabled = bool(self.why_not())

    def on_input_changed(self, event: Input.Changed) -> None:
        """What was wrong is being corrected."""
        event.stop()
        self.say("")
        self._look()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes to the next line, and from the last one does it."""
        event.stop()
        inputs = list(self.query(Input))
        place = inputs.index(event.input)
        if place + 1 < len(inputs):
            inputs[place + 1].focus()
        else:
            self.take()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Do it, or leave."""
        if event.button.id == "form-do":
            self.take()
        else:
            self.dismiss(None)

    def action_close(self) -> None:
        """Leave; nothing is done."""
        self.dismiss(None)
