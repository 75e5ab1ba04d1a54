"""Figures as text: a line per measure, a column per target, and how they compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.figures import DIRECT, ratios

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.figures import Figure
    from benchmarks.goals import Verdict

RESTLESS = 0.35
"""A span of the rounds beyond this share of their median is marked with `~`."""


def table(title: str, figures: Sequence[Figure]) -> str:
    """A titled table. Ratios are of medians: to direct, and of the first other target to the rest."""
    targets = list(dict.fromkeys(figure.target for figure in figures))
    shown = _shown_ratios(targets)
    compared = ratios(figures)
    cells = {(figure.row, figure.measure, figure.target): figure for figure in figures}
    rows = [["", "", *targets, *shown]]
    last_row = ""
    for row, measure, unit in dict.fromkeys((each.row, each.measure, each.unit) for each in figures):
        values = [_cell(cells.get((row, measure, target))) for target in targets]
        quotients = [_ratio(compared.get((row, measure), {}).get(name)) for name in shown]
        rows.append([row if row != last_row else "", f"{measure} {unit}".strip(), *values, *quotients])
        last_row = row
    return "\n".join([title, *_aligned(rows), ""])


def goals_table(verdicts: Iterable[Verdict]) -> str:
    """The goals that were measured."""
    words = {True: "met", False: "MISSED"}
    rows = [
        [
            verdict.goal.words,
            _number(verdict.value),
            f"{'>=' if verdict.goal.is_least else '<='} {_number(verdict.goal.limit)}",
            words[verdict.is_met],
        ]
        for verdict in verdicts
        if verdict.value is not None and verdict.is_met is not None
    ]
    return "\n".join(["Goals", *_aligned(rows), ""]) if rows else ""


def _shown_ratios(targets: Sequence[str]) -> list[str]:
    others = [target for target in targets if target != DIRECT]
    to_direct = [f"{target}/{DIRECT}" for target in others] if DIRECT in targets else []
    return to_direct + [f"{one}/{other}" for n, one in enumerate(others) for other in others[n + 1 :]]


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    is_restless = max(figure.rounds) - min(figure.rounds) > RESTLESS * abs(figure.value)
    return ("~" if is_restless else "") + _number(figure.value)


def _number(value: float) -> str:
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"x {value:.2f}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(_padded(cell, width, n) for n, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]


def _padded(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column < 2 else cell.rjust(width)
