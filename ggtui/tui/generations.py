"""What was served, in lines: when, how long, which model, why it began and how it ended."""

from __future__ import annotations

import time
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size

from ggtui.core.units import duration, tokens
from ggtui.tui.format import Part, cut, fit_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.content import Content

    from ggtui.core.history import Generation
    from ggtui.tui.glyphs import Glyphs

NUMBER, BEGAN, LASTED, CTX, REQUESTS = 7, 13, 8, 6, 6
"""Cells of a column, the gap after it counted."""
FACTS: Final = BEGAN + CTX + REQUESTS
"""Cells of what is left out where it is narrow."""
NARROW: Final = 60
"""Cells below which only number, time and model are told."""
STORY: Final = 60
"""Cells beside the facts from which why and how stand in the same line."""
LONGEST_NAME: Final = 36
SERVES: Final = "serves now"


def generation_lines(
    generations: Sequence[Generation], now: float, width: int, glyphs: Glyphs
) -> list[Content]:
    """One line or more by generation under a line of heads. now: Unix time. width: cells of a line."""
    is_narrow = width < NARROW
    fixed = NUMBER + LASTED + (0 if is_narrow else FACTS)
    names = [cell_len(each.public_id) for each in generations]
    name_width = min(LONGEST_NAME, max(names, default=0), width - fixed) + 2
    is_wide = width - fixed - name_width >= STORY
    heads = _row(("#", "Began", "Lasted", "Ctx", "Reqs", "Model"), name_width, glyphs, is_narrow=is_narrow)
    rows = [fit_line([(heads + ("Why, and how it ended" if is_wide else ""), "$quiet")], width, glyphs)]
    for each in generations:
        facts = _row(_cells(each, now, glyphs), name_width, glyphs, is_narrow=is_narrow)
        rows += _lines(facts, each, width, glyphs, is_wide=is_wide)
    return rows


def _lines(facts: str, generation: Generation, width: int, glyphs: Glyphs, *, is_wide: bool) -> list[Content]:
    indent = cell_len(facts) if is_wide else NUMBER
    style = "$success" if generation.is_serving else "$quiet"
    told: list[Part] = [(row, style) for row in wrap(glyphs.twin(story(generation)), width - indent)]
    first: list[Part] = [facts, told.pop(0)] if is_wide else [(facts, "bold")]
    below = (fit_line([" " * indent, row], width, glyphs) for row in told)
    return [fit_line(first, width, glyphs), *below]


def story(generation: Generation) -> str:
    """Why it began and how it ended, with the adapters that the server carried."""
    adapters = ", ".join(f"{each.name} {each.weight:g}" for each in generation.adapters)
    carried = f", with {adapters}" if adapters else ""
    return f"{generation.why}{carried} → {generation.how_ended or SERVES}"


def _cells(generation: Generation, now: float, glyphs: Glyphs) -> tuple[str, ...]:
    lasted, n_requests = generation.lasted_s(now), generation.n_requests
    unknown = glyphs.twin("–")
    return (
        str(generation.number),
        _moment(generation.began, now),
        unknown if lasted is None else duration(lasted),
        tokens(generation.n_ctx),
        unknown if n_requests is None else str(n_requests),
        generation.public_id,
    )


def _row(cells: tuple[str, ...], name_width: int, glyphs: Glyphs, *, is_narrow: bool) -> str:
    widths = (NUMBER, BEGAN, LASTED, CTX, REQUESTS, name_width)
    left_out = {1, 3, 4} if is_narrow else set()
    shown = [pair for place, pair in enumerate(zip(cells, widths, strict=True)) if place not in left_out]
    return "".join(set_cell_size(cut(text, size - 2, glyphs), size) for text, size in shown)


def _moment(at: float, now: float) -> str:
    """The local time, with the day where that is another one."""
    then, today = time.localtime(at), time.localtime(now)
    is_today = then[:3] == today[:3]
    return time.strftime("%H:%M:%S" if is_today else "%m-%d %H:%M", then)
