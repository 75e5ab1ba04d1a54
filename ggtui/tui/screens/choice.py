"""A question with buttons: *No* has the focus, esc is *No*, and the words name the object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button

from ggtui.tui.keys import Where, bindings
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from ggtui.tui.glyphs import Glyphs

LOW, FRAME, PADDING = 18, 2, 3
"""Rows: below which the dialog has no padding, of its frame, of its padding and the gap above the buttons."""
NO = "no"
"""The answer of the first button, and of esc."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One button."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. The first answer has the focus."""

    title: str
    text: str
    answers: tuple[Answer, ...]


class ChoiceScreen(ModalScreen[str]):
    """Dismisses with the id of the answer; with `NO` on esc."""

    BINDINGS = bindings(Where.DIALOG)

    def __init__(self, question: Question, glyphs: Glyphs) -> None:
        super().__init__()
        self.question = question
        self._glyphs = glyphs
        self.set_class(glyphs.is_ascii, "-ascii")

    def compose(self) -> ComposeResult:
        """A frame with the words and one button a line."""
        with Vertical(classes="dialog") as frame:
            frame.border_title = Content(self.question.title)
            yield TextBlock(id="choice-text")
            for answer in self.question.answers:
                label = Content(self._glyphs.twin(f" {answer.label} "))
                yield Button(label, id=f"answer-{answer.id}", compact=True)

    def on_resize(self, event: events.Resize) -> None:
        """The buttons are always in view: what has no room is cut off the words."""
        is_low = event.size.height < LOW
        self.set_class(is_low, "-low")
        taken = len(self.question.answers) + (FRAME if is_low else FRAME + PADDING)
        self.query_one("#choice-text").styles.max_height = max(1, event.size.height - taken)

    def on_mount(self) -> None:
        """The first answer is the harmless one; what was said before must not lie over it."""
        self.app.clear_notifications()
        words = Content(self._glyphs.twin(self.question.text))
        self.query_one("#choice-text", TextBlock).show(words, layout=True)
        self.query(Button).first().focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss((event.button.id or "").removeprefix("answer-"))

    def action_close(self) -> None:
        """Answer no."""
        self.dismiss(NO)
