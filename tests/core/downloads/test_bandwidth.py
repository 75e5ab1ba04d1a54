"""The limit holds for all together, whatever they do, and nothing is owed for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.downloads.bandwidth import BURST_S, Bandwidth


def test_no_limit_waits_for_nothing() -> None:
    assert 0.0 == Bandwidth(0, 0.0).take(10**12, 0.0)


@given(
    st.integers(1, 10**9),
    st.lists(st.tuples(st.integers(0, 10**7), st.floats(0, 2)), min_size=1, max_size=50),
)
def test_whoever_waits_as_told_stays_below_the_limit(limit: int, reads: list[tuple[int, float]]) -> None:
    bandwidth, now, n_bytes = Bandwidth(limit, 0.0), 0.0, 0
    for size, pause in reads:
        now += bandwidth.take(size, now)
        n_bytes += size

        assert n_bytes <= limit * (now + BURST_S) * (1 + 1e-9) + 1e-3

        now += pause


def test_an_unused_limit_is_not_saved_for_later() -> None:
    bandwidth = Bandwidth(1000, 0.0)

    assert 0.0 == bandwidth.take(100, 1000.0)
    assert 1.0 == bandwidth.take(1000, 1000.0)


def test_two_that_read_at_once_wait_for_both() -> None:
    bandwidth = Bandwidth(1000, 0.0)
    bandwidth.take(100, 0.0)

    assert 1.0 == bandwidth.take(1000, 0.0)
    assert 2.0 == bandwidth.take(1000, 0.0)


@pytest.mark.parametrize(("limit", "expected"), [(2000, 2.5), (500, 4.0), (0, 0.0)])
def test_another_limit_counts_at_once_and_a_debt_is_time(limit: float, expected: float) -> None:
    bandwidth = Bandwidth(1000, 0.0)
    bandwidth.take(2100, 0.0)
    bandwidth.set(limit, 0.0)

    assert expected == bandwidth.take(1000, 0.0)
    assert limit == bandwidth.bytes_per_s


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bandwidth = Bandwidth(1000, 10.0)
    bandwidth.take(100, 10.0)

    assert 1.0 == bandwidth.take(1000, 5.0)
    assert 1.0 == bandwidth.take(0, 10.0)
