"""The first line: what is loaded, where it answers, and who waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.reactive import reactive

from ggtui.core.snapshot import EngineSnapshot
from ggtui.core.state import TargetState
from ggtui.tui.format import Part, cut, fit_line
from ggtui.tui.glyphs import STATES, Glyphs
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from textual.content import Content

SILENCE_S = 2.0
"""An engine that has not answered for this long is said to be silent."""


class StatusLine(TextBlock):
    """Always one line."""

    snapshot: reactive[EngineSnapshot] = reactive(EngineSnapshot(0))
    """The state."""
    silent_s: reactive[float] = reactive(0.0)
    """Whole seconds since the engine last answered; 0 when it does."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="status")
        self._glyphs = glyphs

    def on_resize(self) -> None:
        """Text follows the width."""
        self._draw()

    def watch_snapshot(self) -> None:
        """Follow the state."""
        self._draw()

    def watch_silent_s(self) -> None:
        """Say that the engine is silent, and when it no longer is."""
        self._draw()

    def _draw(self) -> None:
        if self.size.width:
            self.show(status_line(self.snapshot, self.silent_s, self.content_size.width, self._glyphs))


def status_line(snapshot: EngineSnapshot, silent_s: float, width: int, glyphs: Glyphs) -> Content:
    """One line of at most `width` cells: the name is shortened first, the queue goes first."""
    if silent_s >= SILENCE_S:
        parts: list[Part] = [("ggtui  ", "bold"), (f"engine not answering {silent_s:.0f} s", "$error bold")]
        return fit_line(parts, width, glyphs)
    if snapshot.version == 0:
        return fit_line([("ggtui  ", "bold"), (glyphs.twin("starting…"), "$quiet")], width, glyphs)
    in_flight = sum(target.in_flight for target in snapshot.targets)
    tail = [f"  {snapshot.url}" if snapshot.url else "  no proxy"]
    tail += [f"  {in_flight} in flight", f"  {len(snapshot.queue)} queued"]
    if snapshot.is_read_only:
        tail.append("  read-only")
    head = [("ggtui  ", "bold")]
    while len(tail) > 1 and width - 7 - sum(map(cell_len, tail)) < 14:
        tail.pop()
    room = max(10, width - 7 - sum(map(cell_len, tail)))
    return fit_line([*head, *_loaded(snapshot, room, glyphs), *tail], width, glyphs)


def _loaded(snapshot: EngineSnapshot, room: int, glyphs: Glyphs) -> list[Part]:
    target = snapshot.target
    if target is None:
        return [("nothing loaded", "$quiet")]
    look = STATES[target.state]
    name = target.public_id
    if target.state is not TargetState.READY:
        name = f"{name} {look.word.lower()}"
    return [(f"{glyphs.state(target.state)} ", look.style), (cut(name, room - 2, glyphs), "bold")]
