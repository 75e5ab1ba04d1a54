"""What was measured, as values: rounds of one figure, their median, and ratios between targets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DIRECT = "direct"
"""The target without anything in between: what the others are compared with."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure of one target in one row, a value per round."""

    row: str
    """Such as `small body, c = 8`."""
    measure: str
    """Such as `requests/s`."""
    unit: str
    """Empty for a plain count."""
    target: str
    rounds: tuple[float, ...]
    """At least one."""

    @property
    def value(self) -> float:
        """The median over the rounds."""
        return median(self.rounds)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` (0 to 1) of all values do not exceed: nearest rank.

    Raises: ValueError without values.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def added(figures: Iterable[Figure], measure: str) -> list[Figure]:
    """Per row and round, what each target has on top of direct in this measure; none without a direct one."""
    chosen = [figure for figure in figures if figure.measure == measure]
    direct = {figure.row: figure.rounds for figure in chosen if figure.target == DIRECT}
    return [
        Figure(
            figure.row,
            f"added {measure}",
            figure.unit,
            figure.target,
            tuple(ours - base for ours, base in zip(figure.rounds, direct[figure.row], strict=True)),
        )
        for figure in chosen
        if figure.target != DIRECT and figure.row in direct
    ]


def ratios(figures: Iterable[Figure]) -> dict[tuple[str, str], dict[str, float]]:
    """By (row, measure): each target's median over every other's, as `a/b`.

    Direct is never the numerator; nothing is divided by zero; what is added is compared between targets only.
    """
    lines: dict[tuple[str, str], dict[str, float]] = {}
    for figure in figures:
        lines.setdefault((figure.row, figure.measure), {})[figure.target] = figure.value
    return {key: found for key, values in lines.items() if (found := _pairs(values))}


def _pairs(values: dict[str, float]) -> dict[str, float]:
    return {
        f"{ours}/{other}": value / values[other]
        for ours, value in values.items()
        for other in values
        if ours not in (other, DIRECT) and values[other] > 0
    }
