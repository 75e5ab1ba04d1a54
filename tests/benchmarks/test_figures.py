"""Percentiles, differences and ratios are computed as they are named."""

from __future__ import annotations

import pytest

from benchmarks.figures import Figure, added, percentile, ratios


def figure(target: str, *rounds: float, measure: str = "p50") -> Figure:
    return Figure("row", measure, "ms", target, rounds)


def test_a_percentile_is_the_nearest_rank() -> None:
    values = [float(number) for number in range(100, 0, -1)]

    assert (50.0, 99.0, 100.0, 1.0) == tuple(percentile(values, share) for share in (0.5, 0.99, 1.0, 0.0))
    assert 7.0 == percentile([7.0], 0.99)
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_figures_value_is_the_median_of_its_rounds() -> None:
    assert 3.0 == figure("ggtui", 9.0, 1.0, 3.0).value


def test_what_is_added_is_taken_round_by_round() -> None:
    figures = [figure("direct", 1.0, 2.0), figure("ggtui", 1.5, 3.0), figure("ggtui", 9.0, measure="p99")]

    assert [figure("ggtui", 0.5, 1.0, measure="added p50")] == added(figures, "p50")
    assert [] == added(figures, "p99")


def test_ratios_are_between_targets_and_never_of_direct() -> None:
    figures = [figure("direct", 2.0), figure("ggtui", 3.0), figure("router", 6.0)]

    assert {
        ("row", "p50"): {"ggtui/direct": 1.5, "ggtui/router": 0.5, "router/direct": 3.0, "router/ggtui": 2.0}
    } == ratios(figures)


def test_nothing_is_divided_by_zero() -> None:
    assert {} == ratios([figure("direct", 0.0), figure("ggtui", 3.0)])
