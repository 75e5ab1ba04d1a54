"""Whether a failed request is tried again, and after how long."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.deployment.outcomes import Outcome, Retry
from ggtui.core.deployment.policies import Jitter, RetryPolicy
from ggtui.core.deployment.retry import RetryBudget, delay_s, may_retry, parse_retry_after

NOW = 784_111_747.0  # Sun, 06 Nov 1994 08:49:07 GMT
R = st.floats(0, 1, exclude_max=True)


def test_without_jitter_the_delay_doubles_up_to_a_bound() -> None:
    policy = RetryPolicy(jitter=Jitter.NONE)

    assert [1, 2, 4, 8, 16, 32, 60, 60] == [delay_s(policy, attempt, 0.9) for attempt in range(8)]
    assert 60 == delay_s(policy, 10**6, 0.9)


@pytest.mark.parametrize(
    ("jitter", "r", "expected"),
    [
        (Jitter.EQUAL, 0.0, 2.0),
        (Jitter.EQUAL, 0.5, 3.0),
        (Jitter.FULL, 0.0, 0.0),
        (Jitter.FULL, 0.5, 2.0),
        (Jitter.NONE, 0.5, 4.0),
    ],
)
def test_jitter_spreads_the_delay(jitter: Jitter, r: float, expected: float) -> None:
    assert expected == delay_s(RetryPolicy(jitter=jitter), 2, r)


@given(st.sampled_from(Jitter), st.integers(0, 2000), R, st.floats(0.001, 100), st.floats(1, 50))
def test_a_delay_stays_within_its_bounds(
    jitter: Jitter, attempt: int, r: float, most: float, multiplier: float
) -> None:
    policy = RetryPolicy(jitter=jitter, max_backoff_s=most, backoff_multiplier=multiplier)
    unspread = delay_s(RetryPolicy(None, 1.0, most, multiplier, Jitter.NONE), attempt, r)
    delay = delay_s(policy, attempt, r)

    assert delay is not None
    assert unspread is not None
    least = {Jitter.NONE: unspread, Jitter.EQUAL: unspread / 2, Jitter.FULL: 0}[jitter]
    assert least <= delay <= unspread <= most


def test_what_the_server_asks_for_is_obeyed_up_to_a_bound() -> None:
    policy = RetryPolicy(max_backoff_s=60.0)

    assert [0.2, 60.0, None] == [delay_s(policy, 0, 0.5, asked) for asked in (0.2, 60.0, 60.1)]
    assert 0.75 == delay_s(policy, 0, 0.5, None)
    assert 0.75 == delay_s(RetryPolicy(respect_retry_after=False), 0, 0.5, 600.0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", 120.0),
        (" 1.5 ", 1.5),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 30.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 30.0),
        ("Sun Nov  6 08:49:37 1994", 30.0),
        ("Sun, 06 Nov 1994 10:49:37 +0200", 30.0),
        ("Sun, 06 Nov 1994 08:49:07 GMT", None),
        ("Sun, 06 Nov 1994 08:49:00 GMT", None),
        ("0", None),
        ("-5", None),
        ("", None),
        ("soon", None),
        ("1e9", None),
        ("٣", None),
        ("nan", None),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 99999999999 08:49:37 GMT", None),
    ],
)
def test_what_a_header_asks_for(value: str, expected: float | None) -> None:
    assert expected == parse_retry_after(value, NOW)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process cannot be set here")
def test_a_date_without_a_zone_is_not_of_this_machines_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        try:
            assert 30.0 == parse_retry_after("Sun Nov  6 08:49:37 1994", NOW)
        finally:
            patch.undo()
            time.tzset()


@given(st.text() | st.text("0123456789 ,:-+ GMTSunNov"))
def test_whatever_a_header_holds_is_a_time_to_come_or_nothing(value: str) -> None:
    seconds = parse_retry_after(value, NOW)

    assert seconds is None or 0 < seconds < math.inf


YES, NO, NEW_SECRET = Outcome(Retry.YES), Outcome(Retry.NO), Outcome(Retry.WITH_NEW_SECRET)


@pytest.mark.parametrize(
    ("outcome", "done", "is_idempotent", "has_new_secret", "expected"),
    [
        (YES, 0, True, False, True),
        (YES, 2, True, True, True),
        (YES, 3, True, False, False),
        (YES, 0, False, False, False),
        (NO, 0, True, False, False),
        (NEW_SECRET, 0, True, False, True),
        (NEW_SECRET, 3, True, False, True),
        (NEW_SECRET, 0, True, True, False),
        (NEW_SECRET, 0, False, False, False),
    ],
)
def test_who_may_be_asked_again(
    outcome: Outcome, done: int, is_idempotent: bool, has_new_secret: bool, expected: bool
) -> None:
    assert expected is may_retry(
        outcome,
        retries_done=done,
        max_retries=3,
        is_idempotent=is_idempotent,
        has_new_secret=has_new_secret,
    )


def test_ten_retries_are_always_there_and_come_back_after_the_minute() -> None:
    budget = RetryBudget()

    assert [True] * 10 + [False] * 2 == [budget.take(5.0) for _ in range(12)]
    assert [False, True] == [budget.take(now) for now in (64.5, 65.0)]


def test_many_requests_allow_more_retries() -> None:
    budget = RetryBudget()
    for _ in range(104):
        budget.requested(5.0)

    assert 20 == sum(budget.take(6.0) for _ in range(50))


def test_requests_of_more_than_a_minute_ago_allow_nothing() -> None:
    budget = RetryBudget()
    for _ in range(104):
        budget.requested(5.9)

    assert 10 == sum(budget.take(65.95) for _ in range(50))


@given(st.lists(st.tuples(st.floats(0, 8), st.integers(0, 30), st.integers(0, 15)), max_size=30))
def test_retries_are_never_more_than_a_fifth_of_the_load(steps: list[tuple[float, int, int]]) -> None:
    budget, requests, retries, now = RetryBudget(), list[float](), list[float](), 0.0
    for pause, n_requests, n_wanted in steps:
        now += pause
        for _ in range(n_requests):
            budget.requested(now)
            requests.append(now)
        for _ in range(n_wanted):
            if budget.take(now):
                retries.append(now)
                n_retries = sum(now < at + 60 for at in retries)
                n_load = sum(now < at + 60 for at in requests)

                assert n_retries <= max(10, n_load / 5)
