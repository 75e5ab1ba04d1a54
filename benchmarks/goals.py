"""What ggtui has set itself, and whether a run has met it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.figures import Figure

    Line = tuple[str, str, str]
    """Row, measure, target."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit for one figure, or for its ratio to another one."""

    words: str
    line: Line
    limit: float
    is_least: bool = False
    """True when more is better."""
    over: Line | None = None
    """What the figure is divided by."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run stands to a goal. `value` is None when the run has not measured it."""

    goal: Goal
    value: float | None

    @property
    def is_met(self) -> bool | None:
        """None when it was not measured."""
        if self.value is None:
            return None
        return self.value >= self.goal.limit if self.goal.is_least else self.value <= self.goal.limit


_SWAP = "A to B to A"
_PACED = "paced, 32 x 50/s"

GOALS = (
    Goal("added p50 at c = 1, ms", ("small body, c = 1", "added p50", "ggtui"), 0.285),
    Goal("requests/s at c = 1", ("small body, c = 1", "requests/s", "ggtui"), 2840, is_least=True),
    Goal("requests/s at c = 8", ("small body, c = 8", "requests/s", "ggtui"), 6960, is_least=True),
    *(
        Goal(
            f"requests/s with the rules of a deployment over without, c = {connections}",
            (f"small body, c = {connections}", "requests/s", "policies"),
            0.85,
            is_least=True,
            over=(f"small body, c = {connections}", "requests/s", "without"),
        )
        for connections in (1, 8, 32)
    ),
    *(
        Goal(
            f"requests/s over the router's at c = {connections}",
            (f"/tokenize, c = {connections}", "requests/s", "ggtui"),
            3,
            is_least=True,
            over=(f"/tokenize, c = {connections}", "requests/s", "router"),
        )
        for connections in (1, 8)
    ),
    Goal("CPU per paced chunk, us", (_PACED, "CPU per chunk", "ggtui"), 40),
    Goal(
        "swap over the router's, p50",
        (_SWAP, "end to end p50", "ggtui"),
        1.2,
        over=(_SWAP, "end to end p50", "router"),
    ),
    Goal(
        "swap over the router's, p99",
        (_SWAP, "end to end p99", "ggtui"),
        1.2,
        over=(_SWAP, "end to end p99", "router"),
    ),
    Goal("lag from ready to asked, ms, p50", (_SWAP, "lag, ready to asked p50", "ggtui"), 10),
    Goal(
        "the same on the fast upstream", ("A to B to A, fast server", "lag, ready to asked p50", "ggtui"), 10
    ),
    *(
        Goal(f"{row}: exit to cause, ms, {target}", (row, "from the exit to the cause", target), 50)
        for row in ("unknown architecture", "unknown flag")
        for target in ("ggtui", "ggtui embedded")
    ),
    Goal("idle memory without a screen, MB", ("idle, model loaded", "resident", "ggtui"), 60),
    Goal("two 20 MB bodies: peak above idle, MB", ("two bodies of 20 MB", "peak above idle", "ggtui"), 80),
    Goal("first paint, 1,000 models, ms", ("1,000 models", "first paint", "screen"), 1500),
    Goal("idle screen, % of a core", ("idle, 140x40", "of a core", "screen"), 2),
    Goal("idle memory with a screen, MB", ("after that", "resident", "screen"), 110),
    *(
        Goal(
            f"p99 with the screen over without, c = {connections}",
            (f"small body, c = {connections}", "p99", "screen"),
            1.5,
            over=(f"small body, c = {connections}", "p99", "headless"),
        )
        for connections in (1, 8, 32)
    ),
)
"""The absolute ones are twice, or half, what llama-swap v250 showed on a machine of two cores."""


def judge(figures: Iterable[Figure]) -> list[Verdict]:
    """Every goal, in order."""
    values = {(figure.row, figure.measure, figure.target): figure.value for figure in figures}
    return [Verdict(goal, _value(goal, values)) for goal in GOALS]


def _value(goal: Goal, values: dict[Line, float]) -> float | None:
    value = values.get(goal.line)
    if value is None or goal.over is None:
        return value
    base = values.get(goal.over)
    return value / base if base else None
