"""One line to type what to search for, always in view; enter asks, esc stops asking or leaves."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widgets import Input

from ggtui.tui.keys import Where, bindings


class SearchBar(Input):
    """Nothing is asked while somebody types: each question goes to another machine."""

    BINDINGS = bindings(Where.SEARCH)

    class Wanted(Message):
        """These words are to be searched for."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    class Left(Message):
        """Esc: stop asking, else leave."""

    def __init__(self, placeholder: str, *, id: str) -> None:
        super().__init__(placeholder=placeholder, id=id, compact=True, select_on_focus=True)
        self.cursor_blink = False

    def open(self) -> None:
        """Take the keys, before the next one is looked at; typed again, `/` is a letter."""
        if self.has_focus:
            # Behind the letters that are on their way here.
            self.post_message(events.Key("slash", "/"))
        else:
            self.screen.set_focus(self, scroll_visible=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Nobody else has to know of every letter."""
        event.stop()

    def action_go(self) -> None:
        """Ask."""
        if words := self.value.strip():
            self.post_message(self.Wanted(words))

    def action_leave(self) -> None:
        """Stop or leave."""
        self.post_message(self.Left())
