"""What every full screen shares: the footer, the glyphs, and one line instead of a cramped drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.screen import Screen

from ggtui.tui.keys import Where
from ggtui.tui.widgets.key_bar import KeyBar
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual import events
    from textual.app import ComposeResult
    from textual.widget import Widget

    from ggtui.tui.glyphs import Glyphs

SMALLEST = (40, 10)
"""Columns and rows below which nothing is drawn but one line."""


class Room(Screen[None]):
    """A full screen. Subclasses compose `parts`."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual declares it as an instance variable
        (0, "-tiny"),
        (60, "-narrow"),
        (100, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - as above
        (0, "-short"),
        (20, "-normal"),
        (30, "-tall"),
    ]

    PLACE: ClassVar[Where] = Where.MAIN
    """Whose keys come first in help."""
    OWN_KEYS_FIRST: ClassVar[bool] = True
    """The footer begins with the keys of this screen, before those that work everywhere."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self.glyphs = glyphs
        self.set_class(glyphs.is_ascii, "-ascii")

    def compose(self) -> ComposeResult:
        """The parts, the footer, and the line for a small terminal."""
        yield from self.parts()
        yield KeyBar(self.glyphs)
        yield TextBlock(id="too-small")

    def parts(self) -> Iterable[Widget]:
        """What this screen shows above the footer."""
        return ()

    def on_resize(self, event: events.Resize) -> None:
        """Draw one line when the terminal is too small for more."""
        width, height = event.size
        is_too_small = width < SMALLEST[0] or height < SMALLEST[1]
        self.set_class(is_too_small, "-too-small")
        if is_too_small:
            words = f"ggtui needs {SMALLEST[0]}x{SMALLEST[1]}, this terminal is {width}x{height}"
            self.query_one("#too-small", TextBlock).show(Content(words), layout=True)

    def why_not_here(self, binding_id: str) -> str | None:
        """Why a key can do nothing on this screen, empty when it can; None where it is as everywhere."""
        return None

    def to_copy(self) -> tuple[str, str] | None:
        """What the key for copying takes here: text and its name in a sentence; None for the URL."""
        return None

    def action_close(self) -> None:
        """Back to the screen below."""
        self.dismiss()
