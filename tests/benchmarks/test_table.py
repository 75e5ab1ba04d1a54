"""The table says what was measured, and what compares to what."""

from __future__ import annotations

from benchmarks.figures import Figure
from benchmarks.goals import GOALS, judge
from benchmarks.report import document
from benchmarks.table import goals_table, table

FIGURES = [
    Figure("small body, c = 1", "requests/s", "1/s", "direct", (10_000.0,)),
    Figure("small body, c = 1", "requests/s", "1/s", "ggtui", (5_000.0, 2_000.0, 6_000.0)),
    Figure("small body, c = 1", "added p50", "ms", "ggtui", (0.2,)),
]


def test_columns_are_targets_then_ratios() -> None:
    text = table("Calls", FIGURES)
    title, head, first, second = text.splitlines()[:4]

    assert "Calls" == title
    assert ["direct", "ggtui", "ggtui/direct"] == head.split()
    assert "small body, c = 1 requests/s 1/s 10,000 ~5,000 x 0.50" == " ".join(first.split())
    assert "added p50 ms - 0.200" == " ".join(second.split())


def test_goals_are_met_or_missed_and_the_unmeasured_are_left_out() -> None:
    lines = goals_table(judge(FIGURES)).splitlines()

    assert ["added p50 at c = 1, ms 0.200 <= 0.285 met", "requests/s at c = 1 5,000 >= 2,840 met"] == [
        " ".join(line.split()) for line in lines[1:3]
    ]
    slow = [Figure("small body, c = 1", "requests/s", "1/s", "ggtui", (2_000.0,))]

    assert [False] == [verdict.is_met for verdict in judge(slow) if verdict.value is not None]
    assert "" == goals_table(judge([]))


def test_a_goal_over_another_figure_is_a_ratio() -> None:
    row, measure = "A to B to A", "end to end p50"
    figures = [Figure(row, measure, "ms", "ggtui", (33.0,)), Figure(row, measure, "ms", "router", (30.0,))]
    values = {verdict.goal.words: verdict.value for verdict in judge(figures)}

    assert 1.1 == values["swap over the router's, p50"]
    assert len(GOALS) == len(values)


def test_the_document_holds_every_round_and_ratio() -> None:
    whole = document({"cpu": "one"}, {"small": FIGURES}, judge(FIGURES))
    first = whole["families"]["small"][0]

    assert {"median": 5_000.0, "rounds": [5_000.0, 2_000.0, 6_000.0]} == first["targets"]["ggtui"]
    assert {"ggtui/direct": 0.5} == first["ratios"]
    assert ({"cpu": "one"}, len(GOALS)) == (whole["machine"], len(whole["goals"]))
