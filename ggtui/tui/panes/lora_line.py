"""One line about the adapters of a server: `lora  code 0.80  chat 1.00`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from ggtui.tui.format import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.routing.adapters import AdapterRef
    from ggtui.tui.format import Part
    from ggtui.tui.glyphs import Glyphs

HEAD = "lora "
MORE = 3
"""Cells for how many have no room: `+12`."""
WEIGHT = 5
"""Cells of a weight with the gap before it: ` 0.80`."""


def lora_line(adapters: Sequence[AdapterRef], chosen: str, width: int, glyphs: Glyphs) -> list[Part]:
    """The adapters with their weights in so many cells; those without room are counted, the chosen one never.

    chosen: name of the one that keys change, which is marked; empty for none.
    """
    cells = [_cell(each, chosen, width, glyphs) for each in adapters]
    place = next((place for place, each in enumerate(adapters) if each.name == chosen), 0)
    first, n_shown = _window([cell_len(text) + 1 for text, _ in cells], place, width - len(HEAD))
    parts: list[Part] = [(HEAD, "$quiet")]
    for cell in cells[first : first + n_shown]:
        parts += [cell, " "]
    n_hidden = len(adapters) - n_shown
    return [*parts, (f"+{n_hidden}", "$quiet")] if n_hidden else parts


def _cell(adapter: AdapterRef, chosen: str, width: int, glyphs: Glyphs) -> tuple[str, str]:
    room = width - len(HEAD) - MORE - WEIGHT - 2
    is_chosen = adapter.name == chosen
    mark = glyphs.marked if is_chosen else " "
    return (
        f"{mark}{cut(adapter.name, room, glyphs)} {adapter.weight:.2f}",
        "bold $primary" if is_chosen else "",
    )


def _window(sizes: Sequence[int], place: int, room: int) -> tuple[int, int]:
    """The first of the cells that are shown, and how many are: the one at `place` is among them."""
    # The gap behind the last needs no room.
    if sum(sizes) - 1 <= room:
        return 0, len(sizes)
    for first in range(place + 1):
        n_shown = _n_fitting(sizes[first:], room - MORE)
        if place < first + n_shown:
            return first, n_shown
    return place, 1


def _n_fitting(sizes: Sequence[int], room: int) -> int:
    used = 0
    for count, size in enumerate(sizes):
        used += size
        if used > room:
            return count
    return len(sizes)
