"""The slider between the keys that move it: logarithmic, with the largest context that fits marked."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from math import log
from operator import itemgetter
from typing import TYPE_CHECKING

from textual.message import Message

from ggtui.core.forecast import context_stops
from ggtui.core.units import tokens
from ggtui.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from textual import events

    from ggtui.tui.glyphs import Glyphs


@dataclass(frozen=True, slots=True)
class Track:
    """A slider as values."""

    n_ctx: int
    n_ctx_train: int | None
    largest_ctx: int | None
    """Most tokens that fit; None when none do."""

    def cell(self, n_ctx: int, width: int) -> int:
        """The cell of a context on a track of `width` cells."""
        stops = context_stops(self.n_ctx_train)
        low, high = stops[0], stops[-1]
        if high <= low:
            return 0
        share = log(max(low, min(high, n_ctx)) / low) / log(high / low)
        return round(share * (width - 1))

    def stop_at(self, cell: int, width: int) -> int:
        """The stop nearest to a cell."""
        stops = context_stops(self.n_ctx_train)
        return min(stops, key=lambda stop: abs(self.cell(stop, width) - cell))

    def ends(self) -> tuple[str, str]:
        """The labels at both ends."""
        stops = context_stops(self.n_ctx_train)
        return tokens(stops[0]), tokens(stops[-1])

    def draw(self, width: int, glyphs: Glyphs) -> list[tuple[str, str]]:
        """The track in `width` cells: text and style by run."""
        limit = -1 if self.largest_ctx is None else self.cell(self.largest_ctx, width)
        thumb = self.cell(self.n_ctx, width)
        has_limit_mark = 0 <= limit < width - 1 and limit != thumb
        cells: list[tuple[str, str]] = []
        for at in range(width):
            if at == thumb:
                is_over = self.largest_ctx is None or self.n_ctx > self.largest_ctx
                cells.append((glyphs.thumb, "$error bold" if is_over else "$primary bold"))
            elif has_limit_mark and at == limit:
                cells.append((glyphs.limit, "$warning bold"))
            else:
                cells.append((glyphs.line, "$ours") if at <= limit else (glyphs.rest, "$quiet"))
        runs = groupby(cells, key=itemgetter(1))
        return [("".join(sign for sign, _ in run), style) for style, run in runs]


class ContextSlider(TextBlock):
    """The line under the forecast; a click on the track sets the nearest stop."""

    class Moved(Message):
        """Another context is wanted."""

        def __init__(self, n_ctx: int) -> None:
            super().__init__()
            self.n_ctx = n_ctx

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._track: Track | None = None
        self._start = 0
        self._width = 0

    def place(self, track: Track | None, start: int, width: int) -> None:
        """Where the track was drawn, for the pointer. start, width: cells."""
        self._track, self._start, self._width = track, start, width

    def on_click(self, event: events.Click) -> None:
        """Set the stop under the pointer."""
        cell = event.x - self._start
        if self._track is not None and 0 <= cell < self._width:
            self.post_message(self.Moved(self._track.stop_at(cell, self._width)))
