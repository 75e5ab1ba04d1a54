"""How the rows of the screen of adapters are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import set_cell_size

from ggtui.core.units import gib
from ggtui.tui.format import cut
from ggtui.tui.glyphs import ENDPOINTS
from ggtui.tui.lora_rows import Kind
from ggtui.tui.name_look import stack_words

if TYPE_CHECKING:
    from ggtui.tui.format import Part
    from ggtui.tui.glyphs import Glyphs
    from ggtui.tui.lora_rows import LoraRow

SIGNS, WEIGHT, LIVE, SIZE = 4, 8, 7, 8
"""Cells of a column, the gap after it counted."""
NARROW = 58
"""Cells below which a row has neither size nor file."""
MOST_OF_NAME = 40


def _widths(width: int) -> tuple[int, int]:
    """Cells of the name, and of the file."""
    rest = width - SIGNS - WEIGHT - LIVE
    if width < NARROW:
        return max(10, rest), 0
    name = min(MOST_OF_NAME, max(16, (rest - SIZE) // 2))
    return name, rest - SIZE - name


def heads(width: int) -> list[Part]:
    """The column heads over the rows."""
    name, file = _widths(width)
    cells = [(" ", SIGNS), ("Name", name), ("Weight", WEIGHT), ("Live", LIVE)]
    if file:
        cells += [("Size", SIZE), ("File, or made for", file)]
    return [("".join(set_cell_size(text, size) for text, size in cells), "$quiet")]


def row_parts(row: LoraRow, width: int, glyphs: Glyphs) -> list[Part]:
    """A row in so many cells."""
    match row.kind:
        case Kind.HEADING:
            return [(f" {row.name}", "$primary bold")]
        case Kind.NOTE:
            return [(f"   {row.name}", "$quiet")]
        case Kind.TYPED:
            return [(" + ", "$primary"), glyphs.twin(f"{row.name}…")]
        case Kind.STACK:
            return _stack_parts(row, width, glyphs)
        case _:
            return _file_parts(row, width, glyphs)


def _sign(row: LoraRow, glyphs: Glyphs) -> Part:
    if row.endpoint is None:
        return (" ! ", "$error") if row.why else "   "
    look = ENDPOINTS[row.endpoint.status]
    return f" {glyphs.endpoint(row.endpoint.status)} ", look.style


def _stack_parts(row: LoraRow, width: int, glyphs: Glyphs) -> list[Part]:
    name, _ = _widths(width)
    assert row.endpoint is not None
    words = row.why or stack_words(row.endpoint.stack)
    return [_sign(row, glyphs), " ", _field(row.name, name, glyphs), (words, "$error" if row.why else "")]


def _file_parts(row: LoraRow, width: int, glyphs: Glyphs) -> list[Part]:
    name, file = _widths(width)
    is_quiet = bool(row.why) and row.endpoint is None
    parts: list[Part] = [
        _sign(row, glyphs),
        " ",
        (_field(row.name, name, glyphs), "$quiet" if is_quiet else ""),
        _field("" if row.weight is None else f"{row.weight:.2f}", WEIGHT, glyphs),
        (
            _field(_live_words(row, glyphs), LIVE, glyphs),
            "$primary bold" if row.live is not None else "$quiet",
        ),
    ]
    if file:
        parts.append(_field(glyphs.twin(gib(row.size_bytes)), SIZE, glyphs))
        last = row.why or row.made_for or row.file.rpartition("/")[2]
        parts.append((cut(glyphs.twin(last), file, glyphs), "$error" if row.why else "$quiet"))
    return parts


def _live_words(row: LoraRow, glyphs: Glyphs) -> str:
    if row.kind is not Kind.ADAPTER:
        return ""
    return glyphs.twin("–") if row.live is None else f"{row.live:.2f}"


def _field(text: str, width: int, glyphs: Glyphs) -> str:
    return set_cell_size(cut(text, width - 1, glyphs), width)
