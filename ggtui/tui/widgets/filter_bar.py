"""One line to type a filter or a search into; enter keeps it, esc clears it."""

from __future__ import annotations

from textual.message import Message
from textual.widgets import Input

from ggtui.tui.keys import Where, bindings


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

    def open(self) -> None:
        """Show the line and take the keys."""
        self.display = True
        self.focus()

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
        self.display = bool(self.value)
        self.post_message(self.Left())

    def action_clear(self) -> None:
        """Drop the words."""
        self.reset()
        self.post_message(self.Left())
