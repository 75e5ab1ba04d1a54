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
HEAD = 9
"""Cells of the first column."""
WIDEST = 26
LONG_CELL = 17
"""Cells of a column from which both figures have room."""


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
    column = min(WIDEST, (width - HEAD) // len(table.labels))
    rows = [
        _line("ctx", [(label, "bold") for label in table.labels], column),
        *(_context_line(table, stop, row, column, glyphs) for stop, row in _rows(table)),
        _line("fits to", [_largest(ahead, column) for ahead in table.chosen], column),
    ]
    if any(ahead is not None and ahead.verdict is Verdict.PART for ahead in table.chosen):
        rows.append(_line("on GPU", [_layers(ahead) for ahead in table.chosen], column))
    return rows


def _rows(table: ContextTable) -> Sequence[tuple[int, tuple[Forecast | None, ...]]]:
    return list(zip(table.stops, table.rows, strict=True))


def _context_line(
    table: ContextTable, stop: int, row: tuple[Forecast | None, ...], column: int, glyphs: Glyphs
) -> Content:
    mark = glyphs.arrow if stop == table.n_ctx else ""
    cells = [_cell(ahead, column, glyphs) for ahead in row]
    return _line(f"{mark:<3}{tokens(stop)}", cells, column, is_chosen=stop == table.n_ctx)


def _line(head: str, cells: Sequence[Part], column: int, *, is_chosen: bool = False) -> Content:
    parts: list[Part] = [(f"{head:<{HEAD}}", "$primary bold" if is_chosen else "$quiet")]
    for cell in cells:
        text, style = (cell, "") if isinstance(cell, str) else cell
        parts += [(text, style), " " * max(1, column - cell_len(text))]
    return Content.assemble(*parts)


def _cell(ahead: Forecast | None, column: int, glyphs: Glyphs) -> Part:
    if ahead is None:
        return glyphs.twin("–")
    sign = glyphs.verdict(ahead.verdict).split()[0]
    style = VERDICTS[ahead.verdict].style
    if ahead.refusal and not ahead.frees:
        return f"{sign} refused", style
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
