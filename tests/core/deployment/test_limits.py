"""No more is let through within any minute than the limits say, and the wait that is told is exact."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ggtui.core.deployment.limits import SOMEBODY_ENDS_S, TOGETHER_S, Limit, Moment, RateLimiter, Wait
from ggtui.core.deployment.policies import RateLimits


def _grant(limiter: RateLimiter, tokens: int, now: float) -> Moment:
    granted = limiter.reserve(tokens, now)

    assert isinstance(granted, Moment)
    return granted


def test_the_third_of_two_waits_until_the_first_is_a_minute_old() -> None:
    limiter = RateLimiter(RateLimits(requests_per_minute=2))
    _grant(limiter, 1, 0.0)
    _grant(limiter, 1, 10.0)

    assert Wait(45.0, Limit.REQUESTS) == limiter.reserve(1, 15.0)
    assert (2, 2) == limiter.used(59.9)
    _grant(limiter, 1, 60.0)
    assert Wait(10.0, Limit.REQUESTS) == limiter.reserve(1, 60.0)


def test_the_usage_corrects_the_tokens() -> None:
    limiter = RateLimiter(RateLimits(tokens_per_minute=100))
    first = _grant(limiter, 80, 0.0)

    assert Wait(50.0, Limit.TOKENS) == limiter.reserve(30, 10.0)

    limiter.settle(first, 80, 20)

    assert (1, 20) == limiter.used(10.0)
    _grant(limiter, 80, 10.0)


def test_more_than_was_reserved_holds_the_next_back() -> None:
    limiter = RateLimiter(RateLimits(tokens_per_minute=100))
    limiter.settle(_grant(limiter, 10, 0.0), 10, 250)

    assert Wait(60.0, Limit.TOKENS) == limiter.reserve(1, 0.0)


def test_a_request_that_is_too_large_by_itself_never_passes() -> None:
    limiter = RateLimiter(RateLimits(requests_per_minute=5, tokens_per_minute=100))

    assert Wait(math.inf, Limit.TOKENS) == limiter.reserve(101, 0.0)
    _grant(limiter, 100, 0.0)


def test_the_longest_wait_is_told() -> None:
    limiter = RateLimiter(RateLimits(1, 10, 1))
    granted = _grant(limiter, 10, 0.0)

    assert Wait(20.0, Limit.REQUESTS) == limiter.reserve(5, 40.0)

    limiter.settle(granted, 10, 0)

    assert Wait(20.0, Limit.REQUESTS) == limiter.reserve(5, 40.0)
    assert 0 == limiter.in_flight


def test_at_once_no_more_than_so_many() -> None:
    limiter = RateLimiter(RateLimits(concurrent_requests=1))
    granted = _grant(limiter, 5, 0.0)

    assert Wait(SOMEBODY_ENDS_S, Limit.CONCURRENT) == limiter.reserve(5, 0.0)

    limiter.settle(granted, 5, 5)

    assert isinstance(limiter.reserve(5, 0.0), Moment)


def test_what_is_given_back_never_counted() -> None:
    limiter = RateLimiter(RateLimits(1, 10, 1))
    limiter.give_back(_grant(limiter, 10, 0.0), 10)

    assert ((0, 0), 0) == (limiter.used(0.0), limiter.in_flight)
    _grant(limiter, 10, 0.0)


def test_what_comes_together_counts_together_until_a_minute_after_the_last_of_it() -> None:
    limiter = RateLimiter(RateLimits(requests_per_minute=1000))
    moments = [_grant(limiter, 1, number * TOGETHER_S / 4) for number in range(8)]
    first, last = moments[0], moments[-1]

    assert [first] * 4 + [last] * 4 == moments
    assert (8, 8) == limiter.used(first.at + 59.999)
    assert (4, 4) == limiter.used(first.at + 60.0)
    assert (0, 0) == limiter.used(last.at + 60.0)


def test_a_clock_that_is_set_back_makes_nothing_count_longer_than_a_minute() -> None:
    limiter = RateLimiter(RateLimits(requests_per_minute=3))
    for now in (1000.0, 10.0):
        _grant(limiter, 1, now)

    assert (2, 2) == limiter.used(10.0)

    _grant(limiter, 1, 40.0)

    assert (1, 1) == limiter.used(70.0)


def test_what_ends_after_its_minute_changes_nothing() -> None:
    limiter = RateLimiter(RateLimits(tokens_per_minute=100))
    first, other = (_grant(limiter, 10, 0.0) for _ in range(2))

    assert (0, 0) == limiter.used(60.0)

    limiter.settle(first, 10, 90)
    limiter.give_back(other, 10)

    assert ((0, 0), 0) == (limiter.used(60.0), limiter.in_flight)


def test_without_limits_all_pass_and_nothing_is_kept() -> None:
    limiter = RateLimiter(RateLimits())
    for _ in range(100):
        _grant(limiter, 10**9, 0.0)

    assert ((0, 0), 100) == (limiter.used(0.0), limiter.in_flight)


def test_a_request_from_before_a_limit_does_not_count_for_ever() -> None:
    limiter = RateLimiter(RateLimits())
    before = _grant(limiter, 50, 0.0)
    limiter.limits = RateLimits(tokens_per_minute=100)
    limiter.settle(before, 50, 90)

    assert (0, 0) == limiter.used(61.0)
    _grant(limiter, 100, 61.0)


@given(st.floats(0, 1e9), st.lists(st.floats(0, 30), min_size=1, max_size=20), st.integers(1, 4))
def test_whoever_waits_as_long_as_told_is_let_through(now: float, pauses: list[float], most: int) -> None:
    limiter = RateLimiter(RateLimits(requests_per_minute=most))
    for pause in pauses:
        now += pause
        answer = limiter.reserve(1, now)
        if isinstance(answer, Wait):
            assert 0 < answer.seconds <= 60.000001
            now += answer.seconds
            _grant(limiter, 1, now)


@dataclass
class _Let:
    at: float
    tokens: int
    moment: Moment
    is_open: bool = True


class LimiterMachine(RuleBasedStateMachine):
    """Requests that end in any way, against a list of all that was ever let through.

    Times are multiples of an eighth of a second, which floats hold exactly.
    """

    @initialize(requests=st.integers(1, 5), tokens=st.integers(1, 50), at_once=st.integers(1, 4))
    def begin(self, requests: int, tokens: int, at_once: int) -> None:
        self.limits = RateLimits(requests, tokens, at_once)
        self.limiter = RateLimiter(self.limits)
        self.now = 0.0
        self.let: list[_Let] = []

    def used(self, now: float) -> tuple[int, int]:
        recent = [each for each in self.let if now < each.at + 60]
        return len(recent), sum(each.tokens for each in recent)

    def would_fit(self, tokens: int, now: float) -> bool:
        n_requests, n_tokens = self.used(now)
        most = (self.limits.requests_per_minute or 0, self.limits.tokens_per_minute or 0)
        return n_requests < most[0] and n_tokens + tokens <= most[1]

    @rule(eighths=st.integers(1, 8 * 70))
    def time_passes(self, eighths: int) -> None:
        self.now += eighths / 8

    @rule(tokens=st.integers(0, 60))
    def ask(self, tokens: int) -> None:
        n_open = sum(each.is_open for each in self.let)
        is_full = n_open >= (self.limits.concurrent_requests or 0)
        answer = self.limiter.reserve(tokens, self.now)
        if isinstance(answer, Moment):
            assert self.would_fit(tokens, self.now)
            assert not is_full
            self.let.append(_Let(self.now, tokens, answer))
        elif answer.limit is Limit.CONCURRENT:
            assert is_full
        elif math.isfinite(answer.seconds):
            assert self.would_fit(tokens, self.now + answer.seconds)
            assert not self.would_fit(tokens, self.now + answer.seconds - 0.125)
        else:
            assert tokens > (self.limits.tokens_per_minute or 0)

    @rule(data=st.data(), share=st.sampled_from([0, 0.5, 1]), is_sent=st.booleans())
    def a_request_ends(self, data: st.DataObject, share: float, is_sent: bool) -> None:
        serving = [each for each in self.let if each.is_open]
        if not serving:
            return
        ended = data.draw(st.sampled_from(serving))
        ended.is_open = False
        if is_sent:
            reserved, ended.tokens = ended.tokens, int(ended.tokens * share)
            self.limiter.settle(ended.moment, reserved, ended.tokens)
        else:
            self.let.remove(ended)
            self.limiter.give_back(ended.moment, ended.tokens)

    @invariant()
    def the_books_agree_and_no_limit_is_passed(self) -> None:
        if not hasattr(self, "limiter"):
            return
        assert self.used(self.now) == self.limiter.used(self.now)
        assert sum(each.is_open for each in self.let) == self.limiter.in_flight
        for each in self.let:
            within = [other for other in self.let if each.at <= other.at < each.at + 60]
            assert len(within) <= (self.limits.requests_per_minute or 0)
            assert sum(other.tokens for other in within) <= (self.limits.tokens_per_minute or 0)


TestLimiter = LimiterMachine.TestCase
TestLimiter.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("limit", Limit)
def test_a_limit_is_called_as_its_setting(limit: Limit) -> None:
    assert hasattr(RateLimits(), limit)
