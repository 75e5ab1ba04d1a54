"""One launch option: its name, its value and where that comes from; typed into in its own place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from ggtui.tui.format import Part, cut, fit_line
from ggtui.tui.keys import Where, bindings
from ggtui.tui.launch_fields import Typing
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from ggtui.tui.glyphs import Glyphs

LABEL, VALUE, SOURCE = 18, 26, 16
"""Cells of name and value where there is room, and the fewest of the source."""


@dataclass(frozen=True, slots=True)
class OptionLook:
    """What a row shows."""

    label: str
    words: str = ""
    source: str = ""
    problem: str = ""
    is_changed: bool = False
    text: str = ""
    """The value as it is typed."""


class ValueInput(Input):
    """Enter takes the text, esc drops it."""

    BINDINGS = bindings(Where.VALUE)

    class Ended(Message):
        """Nobody types here any more."""

        def __init__(self, *, is_taken: bool) -> None:
            super().__init__()
            self.is_taken = is_taken

    def action_take(self) -> None:
        """The text is to count."""
        self.post_message(self.Ended(is_taken=True))

    def action_drop(self) -> None:
        """The text is not to count."""
        self.post_message(self.Ended(is_taken=False))


class OptionRow(Vertical, can_focus=True):
    """Says what a person wants of it and decides nothing; the screen gives it its look."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(
        Where.OPTIONS, only=("option-change", "option-down", "option-up", "option-default")
    )

    class Wanted(Message):
        """A step up (1) or down (-1), the next value (`next`), a text (`type`), or back (`default`)."""

        def __init__(self, key: str, what: int | str) -> None:
            super().__init__()
            self.key = key
            self.what = what

    class TextChanged(Message):
        """Another text stands in the row."""

        def __init__(self, key: str, text: str) -> None:
            super().__init__()
            self.key = key
            self.text = text

    class TextTaken(Message):
        """The text in the row is to count; it may be wrong still."""

        def __init__(self, key: str, text: str, *, is_left: bool) -> None:
            """is_left: the row has lost the keys already, so a wrong text cannot be typed on."""
            super().__init__()
            self.key = key
            self.text = text
            self.is_left = is_left

    class TextDropped(Message):
        """The text in the row is not to count."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, key: str, glyphs: Glyphs, typing: Typing) -> None:
        """typing: how enter gives it another value."""
        super().__init__(id=f"option-{key}", classes="option")
        self.key = key
        self._glyphs = glyphs
        self._typing = typing
        self._look = OptionLook("")
        self._problem = ""
        self._arrows = (0, 0)

    def compose(self) -> ComposeResult:
        """A line with a place to type, and a line for what is wrong."""
        with Horizontal(classes="option-line"):
            yield TextBlock(classes="option-words")
            selects = self._typing is Typing.ANEW
            yield ValueInput(compact=True, select_on_focus=selects, classes="option-input")
        yield TextBlock(classes="option-problem")

    @property
    def is_open(self) -> bool:
        """True while somebody types here."""
        return self.has_class("-open")

    @property
    def look(self) -> OptionLook:
        """What is shown."""
        return self._look

    def show(self, look: OptionLook) -> None:
        """Draw this."""
        self._look = look
        self._draw()

    def say(self, problem: str) -> None:
        """What is wrong with the text that is being typed; empty for nothing."""
        self._problem = problem
        self._draw()

    def open(self) -> None:
        """Type here."""
        field = self.query_one(ValueInput)
        self.add_class("-open")
        field.value = self._look.text
        field.cursor_position = len(field.value)
        field.focus()
        self._draw()

    def close(self) -> None:
        """Typing is over."""
        self._problem = ""
        was_focused = self.query_one(ValueInput).has_focus
        self.remove_class("-open")
        if was_focused:
            self.focus()
        self._draw()

    def on_focus(self) -> None:
        """The row with the keys is one bar, without colours of its own."""
        self._draw()

    def on_blur(self) -> None:
        """Colours again."""
        self._draw()

    def on_resize(self) -> None:
        """Text follows the width."""
        self._draw()

    def _draw(self) -> None:
        if not self.is_mounted or not self.size.width:
            return
        look, glyphs = self._look, self._glyphs
        problem = self._problem or look.problem
        self.query_one(".option-words", TextBlock).show(self._line())
        wrong = self.query_one(".option-problem", TextBlock)
        wrong.display = bool(problem)
        wrong.show(Content.assemble((glyphs.twin(f"  ! {problem}"), "$error")), layout=True)

    def _line(self) -> Content:
        look, glyphs, width = self._look, self._glyphs, self.size.width
        label = min(LABEL, max(8, width // 3))
        head: list[Part] = [(f"{cut(look.label, label - 1, glyphs):<{label}}", "$quiet")]
        if self.is_open:
            return fit_line(head, label, glyphs)
        value = max(8, min(VALUE, width - label - SOURCE))
        words = cut(glyphs.twin(look.words), value - 5, glyphs)
        left, right = ("<", ">") if glyphs.is_ascii else ("‹", "›")
        self._arrows = (label, label + len(words) + 3)
        style = "$warning bold" if look.is_changed else "bold"
        padding = " " * max(1, value - len(words) - 4)
        tail: list[Part] = [
            (f"{left} ", "$quiet"),
            (words, style),
            (f" {right}", "$quiet"),
            padding,
            (glyphs.twin(look.source), "$warning" if look.is_changed else "$quiet"),
        ]
        shown = fit_line([*head, *tail], width, glyphs)
        return Content(f"{shown.plain:<{width}}") if self.has_focus else shown

    def on_click(self, event: events.Click) -> None:
        """The signs beside a value step, the value itself is changed; elsewhere a click takes the keys."""
        x, y = event.screen_x - self.region.x, event.screen_y - self.region.y
        if self.is_open or y > 0:
            return
        first, last = self._arrows
        if x in (first, last):
            self._want(-1 if x == first else 1)
        elif first < x < last:
            self.action_change()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Pass the text on with every key."""
        event.stop()
        if self.is_open:
            self.post_message(self.TextChanged(self.key, event.value))

    def on_value_input_ended(self, event: ValueInput.Ended) -> None:
        """Pass the end on."""
        event.stop()
        text = self.query_one(ValueInput).value
        if event.is_taken:
            self.post_message(self.TextTaken(self.key, text, is_left=False))
        else:
            self.post_message(self.TextDropped(self.key))

    def on_descendant_blur(self) -> None:
        """Who goes on to another row means what stands here."""
        if self.is_open:
            text = self.query_one(ValueInput).value
            self.post_message(self.TextTaken(self.key, text, is_left=True))

    def _want(self, what: int | str) -> None:
        self.post_message(self.Wanted(self.key, what))

    def action_value_down(self) -> None:
        """The value below."""
        self._want(-1)

    def action_value_up(self) -> None:
        """The value above."""
        self._want(1)

    def action_change(self) -> None:
        """Type a value, or take the next."""
        self._want("next" if self._typing is Typing.NEVER else "type")

    def action_value_default(self) -> None:
        """Back to what counts for all models."""
        self._want("default")
