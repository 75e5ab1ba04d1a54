"""One rate for all views: of the bytes that came, over the last ten seconds."""

from __future__ import annotations

import pytest

from ggtui.core.downloads.rate import RateEstimator, left_s


def test_nothing_is_said_in_the_first_second() -> None:
    rate = RateEstimator(100.0)
    rate.note(10**9, 100.5)

    assert rate.rate(100.9) is None
    assert 1e9 == rate.rate(101.0)


def test_a_steady_stream_has_its_rate_however_it_is_cut() -> None:
    for step in (0.01, 0.3, 1.0):
        rate = RateEstimator(0.0)
        for n in range(1, int(30 / step) + 1):
            rate.note(int(1000 * step), n * step)

        assert 1000 == pytest.approx(rate.rate(30.0), rel=0.05)


def test_a_change_shows_within_ten_seconds_and_a_stall_is_zero() -> None:
    rate = RateEstimator(0.0)
    for second in range(1, 21):
        rate.note(1000 if second <= 10 else 100, float(second))

    assert 100 == pytest.approx(rate.rate(20.0), rel=0.05)
    assert 0.0 == rate.rate(31.0)


def test_what_goes_back_counts_as_nothing() -> None:
    rate = RateEstimator(0.0)
    rate.note(-500, 1.0)
    rate.note(100, 2.0)

    assert 50.0 == rate.rate(2.0)


def test_its_memory_does_not_grow() -> None:
    rate = RateEstimator(0.0)
    for n in range(100_000):
        rate.note(1, n * 0.01)
        rate.rate(n * 0.01)

    assert len(rate._samples) < 50


@pytest.mark.parametrize(
    ("remaining", "rate", "expected"),
    [
        (100, None, None),
        (100, 0.0, None),
        (100, 50.0, 2.0),
        (0, 50.0, 0.0),
        (-5, 50.0, 0.0),
        (10**30, 1e-300, None),
    ],
)
def test_the_time_that_is_left(remaining: int, rate: float | None, expected: float | None) -> None:
    assert expected == left_s(remaining, rate)
