"""Deployments in words: figures that fit a column and never say more than is there."""

from __future__ import annotations

import pytest

from ggtui.core.deployment_words import (
    Use,
    breaker_text,
    count,
    dollars,
    fullest,
    limits_text,
    served_text,
    spent_text,
)

REQUESTS, TOKENS = Use("requests_per_minute", 12, 60), Use("tokens_per_minute", 99_999, 100_000)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1k"),
        (1999, "1.9k"),
        (12_345, "12.3k"),
        (99_999, "99.9k"),
        (123_456, "123k"),
        (999_999, "999k"),
        (1_000_000, "1M"),
        (4_600_000, "4.6M"),
        (7_000_000_000, "7G"),
    ],
)
def test_a_count_is_short_and_never_rounded_up(number: int, words: str) -> None:
    assert words == count(number)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "$0"),
        (0.25, "$0.25"),
        (12.5, "$12.50"),
        (9_999.5, "$9999.50"),
        (123_456.7, "$123,457"),
        (0.1, "$0.10"),
        (0.05, "$0.050"),
        (0.0996, "$0.10"),
        (0.00995, "$0.010"),
        (0.0004, "$0.00040"),
        (0.0000012, "$0.0000012"),
        (1e-12, "$1.0e-12"),
    ],
)
def test_an_amount_shows_two_digits_that_count(amount: float, words: str) -> None:
    assert words == dollars(amount)


def test_limits_are_told_by_a_short_name() -> None:
    assert "12/60 req/min  99.9k/100k tok/min" == limits_text((REQUESTS, TOKENS))
    assert "12/60 req/min (ann)" == limits_text((REQUESTS._replace(key="ann"),))
    assert "" == limits_text(())


def test_the_limit_with_least_left_is_the_fullest() -> None:
    assert (TOKENS, None) == (fullest((REQUESTS, TOKENS)), fullest(()))
    assert Use("concurrent_requests", 1, 1) == fullest((REQUESTS, Use("concurrent_requests", 1, 1)))


@pytest.mark.parametrize(
    ("state", "is_forced", "retry_after_s", "words"),
    [
        ("closed", False, None, "closed"),
        ("open", False, 11.2, "open 12s"),
        ("open", False, 95.0, "open 1m35s"),
        ("open", False, None, "open"),
        ("half_open", False, None, "half open"),
        ("half_open", False, 1.0, "half open"),
        ("open", True, None, "held open"),
        ("closed", True, None, "held closed"),
    ],
)
def test_a_breaker_counts_down_while_it_is_open(
    state: str, is_forced: bool, retry_after_s: float | None, words: str
) -> None:
    assert words == breaker_text(state, is_forced=is_forced, retry_after_s=retry_after_s)


@pytest.mark.parametrize(
    ("hour", "day", "most_hour", "most_day", "words"),
    [
        (0, 0, None, None, ""),
        (0.25, 3, None, None, "$0.25 h  $3.00 d"),
        (0.25, 3, 1, None, "$0.25/$1.00 h"),
        (0, 3, 1, 5, "$0/$1.00 h  $3.00/$5.00 d"),
        (0, 3, None, 5, "$3.00/$5.00 d"),
    ],
)
def test_spending_is_told_beside_what_may_be_spent(
    hour: float, day: float, most_hour: float | None, most_day: float | None, words: str
) -> None:
    assert words == spent_text(hour, day, most_hour, most_day)


@pytest.mark.parametrize(
    ("in_flight", "slots", "queued", "words"),
    [(0, None, 0, "0"), (2, None, 0, "2"), (2, 4, 0, "2/4"), (4, 4, 3, "4/4 +3")],
)
def test_who_is_served_and_who_waits(in_flight: int, slots: int | None, queued: int, words: str) -> None:
    assert words == served_text(in_flight, slots, queued)
