"""A window that rolls with the time counts each amount for exactly its length."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.deployment.rolling import RollingWindow, seconds_until

TIMES = st.floats(0, 1e7)
STEPS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), max_size=40)
"""Whole seconds, from which an amount counts for exactly the length."""


def test_an_amount_counts_until_its_time_is_over() -> None:
    window = RollingWindow(60)
    window.add(3, 10.0)
    window.add(4, 20.0)

    assert [7, 7, 4, 4, 0] == [window.total(now) for now in (20, 69.9, 70, 79.9, 80)]


@given(STEPS, st.integers(0, 12))
def test_the_sum_is_that_of_a_walk_over_all(steps: list[tuple[float, int]], limit: int) -> None:
    window, noted, now = RollingWindow(60), [], 0.0
    for pause, amount in steps:
        now += pause
        window.add(amount, now)
        noted.append((now, amount))

        assert sum(n for at, n in noted if now < at + 60) == window.total(now)

    moment = window.fits_at(1, limit, now)
    if math.isfinite(moment):
        assert 1 + sum(n for at, n in noted if moment < at + 60) <= limit
        before = math.nextafter(moment, 0)
        assert moment == now or 1 + sum(n for at, n in noted if before < at + 60) > limit
    else:
        assert 0 == limit


@given(st.lists(st.floats(0, 3), max_size=60), st.floats(0, 70))
def test_amounts_count_at_least_as_long_and_less_than_a_second_longer(
    pauses: list[float], later: float
) -> None:
    window, noted, now = RollingWindow(60), [], 0.0
    for pause in pauses:
        now += pause
        window.add(1, now)
        noted.append(now)
    now += later
    least = sum(1 for at in noted if now < at + 60)

    assert least <= window.total(now) <= sum(1 for at in noted if now < at + 61)


def test_amounts_take_one_entry_for_a_second() -> None:
    window = RollingWindow(3600)
    for number in range(3000):
        window.add(2, 0.5 + number / 1000)

    assert (6000, 4) == (window.total(4.0), len(window._entries))


def test_a_clock_that_is_set_back_neither_frees_nor_locks() -> None:
    window = RollingWindow(60)
    window.add(5, 1_000_000.0)

    assert 5 == window.total(100.0)
    assert 160.0 == window.fits_at(1, 5, 100.0)
    assert 0 == window.total(160.0)


@pytest.mark.parametrize(("moment", "now"), [(5.0, 9.0), (9.0, 9.0)])
def test_a_moment_that_is_over_is_no_wait(moment: float, now: float) -> None:
    assert 0.0 == seconds_until(moment, now)


@given(TIMES, TIMES)
def test_after_the_wait_the_moment_has_come(now: float, moment: float) -> None:
    seconds = seconds_until(moment, now)

    assert now + seconds >= moment
    assert seconds <= max(0.0, moment - now) + 1e-8


def test_never_is_never() -> None:
    assert math.inf == seconds_until(math.inf, 5.0)
