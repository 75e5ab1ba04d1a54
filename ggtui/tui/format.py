"""Values to styled lines: memory bars, sparklines, cutting and fitting. Nothing here parses markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from textual.content import Content

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ggtui.tui.glyphs import Glyphs

Part = str | tuple[str, str]
"""Text, or text with a style."""


def cut(text: str, width: int, glyphs: Glyphs) -> str:
    """The text in at most `width` cells, its end replaced by an ellipsis when it is longer."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    return set_cell_size(text, width - 1).rstrip() + glyphs.twin("…")


def line(*parts: Part) -> Content:
    """One styled line."""
    return Content.assemble(*parts)


def fit_line(parts: Iterable[Part], width: int, glyphs: Glyphs) -> Content:
    """One styled line of at most `width` cells; the part that crosses the edge is cut."""
    kept: list[Part] = []
    left = width
    for part in parts:
        text, style = (part, "") if isinstance(part, str) else part
        if cell_len(text) > left:
            kept.append((cut(text, left, glyphs), style))
            break
        kept.append((text, style))
        left -= cell_len(text)
    return Content.assemble(*kept)


def lines(rows: Iterable[Content]) -> Content:
    """Lines under each other."""
    return Content("\n").join(rows)


def memory_bar(width: int, total: int, ours: int, others: int, glyphs: Glyphs) -> Content:
    """`████▒░`: ours, other programs, free; told by shape. Bytes; a total of 0 draws an empty bar."""
    if total <= 0:
        return Content(glyphs.free * width)
    n_ours = min(width, round(width * ours / total))
    n_others = min(width - n_ours, round(width * others / total))
    return Content.assemble(
        (glyphs.ours * n_ours, "$ours"),
        (glyphs.others * n_others, "$others"),
        (glyphs.free * (width - n_ours - n_others), "$quiet"),
    )


def percent(part: int | None, whole: int | None) -> str:
    """`84%`, or `–`."""
    return f"{round(100 * part / whole)}%" if part is not None and whole else "–"


def sparkline(values: Sequence[int], top: int, width: int, height: int, glyphs: Glyphs) -> list[str]:
    """The values as `height` text rows of `width` cells, newest at the right, scaled to `top`."""
    if not values or top <= 0:
        return [" " * width] * height
    shown = _columns(values, width)
    eighths = [max(1, round(8 * height * min(1.0, value / top))) for value in shown]
    rows = []
    for row in range(height - 1, -1, -1):
        cells = "".join(glyphs.levels[max(0, min(8, level - 8 * row))] for level in eighths)
        rows.append(cells.rjust(width))
    return rows


def _columns(values: Sequence[int], width: int) -> list[int]:
    if len(values) <= width:
        return list(values)
    step = len(values) / width
    return [max(values[int(i * step) : max(int(i * step) + 1, int((i + 1) * step))]) for i in range(width)]


def ordinal(place: int) -> str:
    """1 as `1st`."""
    suffix = "th" if 10 < place % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{suffix}"
