"""The first line: what is loaded, where it answers, and who waits."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rich.cells import cell_len
from textual.reactive import var

from ggtui.core.snapshot import EngineSnapshot
from ggtui.core.state import TargetState
from ggtui.tui.download_rows import progress_texts
from ggtui.tui.format import Part, cut, fit_line
from ggtui.tui.glyphs import STATES, Glyphs
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from textual.content import Content


SILENCE_S = 2.0
"""An engine that has not answered for this long is said to be silent."""
ROUTE_S = 60.0
"""A request that its context brought elsewhere is told of for so long."""
SHORTEST, ENOUGH = 14, 34
"""Cells for the name and state of what is loaded: at least, and at most before the idle counts go."""


class StatusLine(TextBlock):
    """Always one line."""

    snapshot: var[EngineSnapshot] = var(EngineSnapshot(0))
    """The state."""
    silent_s: var[float] = var(0.0)
    """Whole seconds since the engine last answered; 0 when it does."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="status")
        self._glyphs = glyphs
        self._now = 0.0
        """Unix time, for the age of the last route."""

    def on_resize(self) -> None:
        """Text follows the width."""
        self._draw()

    def watch_snapshot(self) -> None:
        """Follow the state."""
        self._draw()

    def watch_silent_s(self) -> None:
        """Say that the engine is silent, and when it no longer is."""
        self._draw()

    def take(self, snapshot: EngineSnapshot, now: float) -> None:
        """Another state. now: Unix time."""
        self._now = now
        self.snapshot = snapshot

    def tick(self, now: float, silent_s: float) -> None:
        """Once a second. now: Unix time. silent_s: seconds since the engine last answered."""
        self.silent_s = float(int(silent_s)) if silent_s >= 1 else 0.0
        self._now = now
        if self.snapshot.last_route is not None:
            self._draw()

    def _draw(self) -> None:
        if self.size.width:
            width = self.content_size.width
            self.show(status_line(self.snapshot, self.silent_s, width, self._glyphs, self._now))


def status_line(
    snapshot: EngineSnapshot, silent_s: float, width: int, glyphs: Glyphs, now: float = 0.0
) -> Content:
    """One line of at most `width` cells: the name is shortened first, the queue goes first.

    now: Unix time; a request that its context brought elsewhere is told of while that is recent.
    """
    if silent_s >= SILENCE_S:
        parts: list[Part] = [("ggtui  ", "bold"), (f"engine not answering {silent_s:.0f} s", "$error bold")]
        return fit_line(parts, width, glyphs)
    if snapshot.version == 0:
        return fit_line([("ggtui  ", "bold"), (glyphs.twin("starting…"), "$quiet")], width, glyphs)
    head = "ggtui  "
    room = width - len(head)
    tail = _tail(snapshot, room, _wanted(snapshot))
    route = _route(snapshot, now, glyphs)
    if route:
        tail = _beside_route(snapshot, tail, room - _wanted(snapshot) - cell_len(route))
    tail = _with_downloads(snapshot, tail, room - _wanted(snapshot) - cell_len(route), glyphs)
    room = max(10, room - sum(map(cell_len, tail)))
    loaded = _loaded(snapshot, room, glyphs)
    return fit_line([(head, "bold"), *loaded, *tail, (route, "$warning")], width, glyphs)


def _route(snapshot: EngineSnapshot, now: float, glyphs: Glyphs) -> str:
    """Where the last such request went, and why; empty when none is recent."""
    note = snapshot.last_route
    if note is None or now - note.at >= ROUTE_S:
        return ""
    return f"  {glyphs.arrow} {note.endpoint}: {note.words}"


def _beside_route(snapshot: EngineSnapshot, tail: list[str], room: int) -> list[str]:
    """What stays of the tail in so many cells: the address, at least in short, and the counts that fit."""
    if sum(map(cell_len, tail)) > room and snapshot.url and tail[0]:
        tail = [f"  {urlsplit(snapshot.url).netloc}", *tail[1:]]
    while len(tail) > 1 and sum(map(cell_len, tail)) > room:
        tail = tail[:-1]
    return tail


def _tail(snapshot: EngineSnapshot, room: int, wanted: int) -> list[str]:
    """Where it answers and who waits: idle counts make way for `wanted` cells, the rest for a short name."""
    in_flight = sum(target.in_flight for target in snapshot.targets)
    tail = [f"  {snapshot.url}" if snapshot.url else "  no proxy"]
    tail += [f"  {in_flight} in flight", f"  {len(snapshot.queue)} queued"]
    if snapshot.is_read_only:
        tail.append("  read-only")
    idle = [text for text, count in ((tail[2], len(snapshot.queue)), (tail[1], in_flight)) if not count]
    while idle and room - sum(map(cell_len, tail)) < wanted:
        tail.remove(idle.pop(0))
    while len(tail) > 1 and room - sum(map(cell_len, tail)) < SHORTEST:
        tail.pop()
    if room - cell_len(tail[0]) < SHORTEST:
        tail[0] = f"  {urlsplit(snapshot.url).netloc}" if snapshot.url else ""
    return tail


def _with_downloads(snapshot: EngineSnapshot, tail: list[str], room: int, glyphs: Glyphs) -> list[str]:
    """The tail with what is being downloaded, whole or in short, beside the address whole or in short.

    Idle counts go before that; where even so there is no room in so many cells, nothing is told of it.
    """
    texts = [f"  {glyphs.fetch} {text}" for text in progress_texts(snapshot.downloads)]
    address = f"  {urlsplit(snapshot.url).netloc}" if snapshot.url and tail[0] else tail[0]
    busy = [text for text in tail[1:] if not text.startswith("  0 ")]
    whole, short = [tail[0], *busy], [address, *busy]
    ways = [
        *((tail, text) for text in texts[:1]),
        *((rest, text) for rest in (whole, short) for text in texts),
    ]
    fits = ([*rest, text] for rest, text in ways if sum(map(cell_len, (*rest, text))) <= room)
    return next(fits, tail)


def _wanted(snapshot: EngineSnapshot) -> int:
    name = "" if snapshot.target is None else snapshot.target.title
    return min(ENOUGH, max(SHORTEST, 2 + cell_len(name) + cell_len(_word(snapshot))))


def _word(snapshot: EngineSnapshot) -> str:
    """What follows the name: the state, unless it is ready, and how many servers there are beside it."""
    target, others = snapshot.target, len(snapshot.targets) - 1
    state = "" if target is None or target.state is TargetState.READY else STATES[target.state].word.lower()
    if target is not None and target.state is TargetState.LOADING and target.progress is not None:
        state += f" {round(100 * target.progress)}%"
    return f"{f' {state}' if state else ''}{f' +{others}' if others > 0 else ''}"


def _loaded(snapshot: EngineSnapshot, room: int, glyphs: Glyphs) -> list[Part]:
    target = snapshot.target
    if target is None:
        return [("nothing loaded", "$quiet")]
    look, word = STATES[target.state], _word(snapshot)
    name = cut(target.title, max(4, room - 2 - cell_len(word)), glyphs)
    return [(f"{glyphs.state(target.state)} ", look.style), (f"{name}{word}", "bold")]
