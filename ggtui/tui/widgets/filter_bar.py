"""One line to type a filter or a search into; enter keeps it, esc clears it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.message import Message
from textual.widgets import Input

from ggtui.tui.keys import Where, bindings

if TYPE_CHECKING:
    from textual.widget import Widget


class FilterBar(Input):
    """Says what was typed with every key; hidden while it is empty and has no focus."""

    BINDINGS = bindings(Where.FILTER)

    class Typed(Message):
        """Other words."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    class Left(Message):
        """The typing is over; the words stay, or are empty."""

    def __init__(self, placeholder: str, *, id: str) -> None:
        super().__init__(placeholder=placeholder, id=id, compact=True, select_on_focus=False)
        self.display = False
        self._before: Widget | None = None

    def open(self) -> None:
        """Show the line and take the keys, before the next one is looked at; typed again, `/` is a letter."""
        focused = self.screen.focused
        if focused is self:
            # Behind the letters that are on their way here.
            self.post_message(events.Key("slash", "/"))
            return
        self._before = focused
        self.display = True
        self.screen.set_focus(self, scroll_visible=False)

    def reset(self) -> None:
        """Forget the words and hide."""
        self.value = ""
        self.display = False

    def on_input_changed(self, event: Input.Changed) -> None:
        """Pass the words on."""
        event.stop()
        self.post_message(self.Typed(event.value))

    def action_keep(self) -> None:
        """Leave the words in force."""
        self._give_back()
        self.display = bool(self.value)
        self.post_message(self.Left())

    def action_clear(self) -> None:
        """Drop the words."""
        self._give_back()
        self.reset()
        self.post_message(self.Left())

    def _give_back(self) -> None:
        if self._before is not None:
            self.screen.set_focus(self._before, scroll_visible=False)
