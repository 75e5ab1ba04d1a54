"""Context against memory for each cache type: what the cache takes, what is held then, how far it goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from ggtui.core.forecast import Forecast, Verdict, context_stops
from ggtui.core.memory.inverse import USUAL_TYPES, Limit
from ggtui.core.units import gib, tokens
from ggtui.tui.glyphs import VERDICTS, Glyphs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ggtui.core.models import LaunchOptions
    from ggtui.tui.format import Part

BELOW, ABOVE = 3, 4
"""Stops of the slider that are shown on either side of the chosen context."""
HEAD, SHORT_HEAD, SHORT = 9, 7, 50
"""Cells of the first column, where there is room and where not, and of the line that is called short."""
NARROW_CELL, LONG_CELL, WIDEST = 11, 16, 26
"""Cells of a column below which no word of a verdict has room, and from which both figures have."""


@dataclass(frozen=True, slots=True)
class ContextTable:
    """Forecasts by context and cache type, all by the one function that the forecast line has too."""

    labels: tuple[str, ...]
    """Cache types, K and V alike; `K/V` where they differ."""
    stops: tuple[int, ...]
    rows: tuple[tuple[Forecast | None, ...], ...]
    """By stop, then by label."""
    n_ctx: int
    """The chosen context, which is one of the stops."""

    @property
    def chosen(self) -> tuple[Forecast | None, ...]:
        """The row of the chosen context."""
        return self.rows[self.stops.index(self.n_ctx)]


def context_table(
    n_ctx: int,
    n_ctx_train: int | None,
    options: LaunchOptions,
    look: Callable[[int, LaunchOptions], Forecast | None],
) -> ContextTable:
    """The table around a context. options: those of the model; look: the look ahead for others."""
    kinds = [(kind, kind) for kind in USUAL_TYPES]
    own = (options.cache_type_k, options.cache_type_v)
    if own not in kinds:
        kinds.insert(0, own)
    columns = [replace(options, cache_type_k=k, cache_type_v=v) for k, v in kinds]
    stops = stops_around(n_ctx, n_ctx_train)
    return ContextTable(
        labels=tuple(str(k) if k is v else f"{k}/{v}" for k, v in kinds),
        stops=stops,
        rows=tuple(tuple(look(stop, column) for column in columns) for stop in stops),
        n_ctx=n_ctx,
    )


def stops_around(n_ctx: int, n_ctx_train: int | None) -> tuple[int, ...]:
    """The stops next to a context, itself and the last one; ascending."""
    stops = context_stops(n_ctx_train)
    below = [stop for stop in stops if stop < n_ctx][-BELOW:]
    above = [stop for stop in stops if stop > n_ctx][:ABOVE]
    return tuple(sorted({*below, n_ctx, *above, stops[-1]}))


def table_lines(table: ContextTable, width: int, glyphs: Glyphs) -> list[Content]:
    """Head, one line a context, and the largest context of each cache type with what limits it."""
    head = SHORT_HEAD if width < SHORT else HEAD
    column = min(WIDEST, (width - head) // len(table.labels))
    rows: list[tuple[str, list[Part], str]] = [
        ("ctx", [(label, "bold") for label in table.labels], "$quiet"),
        *(_context_row(table, stop, row, column, glyphs) for stop, row in _rows(table)),
        ("fits to", [_largest(ahead, column) for ahead in table.chosen], "$quiet"),
    ]
    if any(ahead is not None and ahead.verdict is Verdict.PART for ahead in table.chosen):
        rows.append(("on GPU", [_layers(ahead) for ahead in table.chosen], "$quiet"))
    return [_line(name, style, head, cells, column) for name, cells, style in rows]


def _rows(table: ContextTable) -> Sequence[tuple[int, tuple[Forecast | None, ...]]]:
    return list(zip(table.stops, table.rows, strict=True))


def _context_row(
    table: ContextTable, stop: int, row: tuple[Forecast | None, ...], column: int, glyphs: Glyphs
) -> tuple[str, list[Part], str]:
    is_chosen = stop == table.n_ctx
    name = f"{glyphs.arrow if is_chosen else '':<2} {tokens(stop)}"[: HEAD - 1]
    style = "$primary bold" if is_chosen else "$quiet"
    return name, [_cell(ahead, column, glyphs) for ahead in row], style


def _line(name: str, style: str, head: int, cells: Sequence[Part], column: int) -> Content:
    parts: list[Part] = [(f"{name:<{head}}", style)]
    for cell in cells:
        text, style = (cell, "") if isinstance(cell, str) else cell
        parts += [(text, style), " " * max(1, column - cell_len(text))]
    return Content.assemble(*parts)


def _cell(ahead: Forecast | None, column: int, glyphs: Glyphs) -> Part:
    if ahead is None:
        return glyphs.twin("–")
    is_narrow = column < NARROW_CELL
    sign = "~" if is_narrow and ahead.verdict is Verdict.PART else glyphs.verdict(ahead.verdict).split()[0]
    style = VERDICTS[ahead.verdict].style
    if ahead.refusal and not ahead.frees:
        return "refused" if is_narrow else f"{sign} refused", style
    after = gib(ahead.after_bytes)
    if column < LONG_CELL:
        return f"{after} {sign}", style
    return f"{gib(ahead.kv_bytes)} {glyphs.arrow} {after} {sign}", style


def _largest(ahead: Forecast | None, column: int) -> str:
    if ahead is None or ahead.largest_ctx is None:
        return "nothing"
    why = "as trained" if ahead.limit is Limit.TRAINED else "by memory"
    longer = f"{tokens(ahead.largest_ctx)} {why}"
    return longer if len(longer) < column else tokens(ahead.largest_ctx)


def _layers(ahead: Forecast | None) -> str:
    if ahead is None or ahead.n_layers_on_gpu is None:
        return "all" if ahead is not None and ahead.verdict is Verdict.FITS else "none"
    return f"{ahead.n_layers_on_gpu} of {ahead.n_layers}"
