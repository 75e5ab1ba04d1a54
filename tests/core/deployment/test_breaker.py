"""A server that fails in a row is left alone, and tried by exactly as many requests as may try it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ggtui.core.deployment.breaker import PROBES_OUT_S, BreakerState, CircuitBreaker
from ggtui.core.deployment.policies import CircuitBreakerPolicy

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


def _take(breaker: CircuitBreaker, now: float) -> int:
    taken = breaker.take(now)

    assert taken is not None
    return taken


def _opened(now: float = 0.0, *, probes: int = 1) -> CircuitBreaker:
    breaker = CircuitBreaker(CircuitBreakerPolicy(10, 30.0, probes))
    for _ in range(10):
        breaker.failed(_take(breaker, now), now)
    return breaker


def test_ten_failures_in_a_row_open_it_for_thirty_seconds() -> None:
    breaker = CircuitBreaker()
    for number in range(10):
        assert (CLOSED, number) == (breaker.state(1.0), breaker.failures_in_a_row)
        breaker.failed(_take(breaker, 1.0), 1.0)

    assert (OPEN, None, 30.0) == (breaker.state(1.0), breaker.take(1.0), breaker.retry_after_s(1.0))
    assert (OPEN, None, 0.5) == (breaker.state(30.5), breaker.take(30.5), breaker.retry_after_s(30.5))
    assert (HALF_OPEN, 0.0) == (breaker.state(31.0), breaker.retry_after_s(31.0))


def test_a_success_begins_the_count_anew() -> None:
    breaker = CircuitBreaker()
    for number in range(30):
        taken = _take(breaker, 0.0)
        if number % 10 == 9:
            breaker.succeeded(taken)
        else:
            breaker.failed(taken, 0.0)

    assert CLOSED is breaker.state(0.0)


def test_what_proves_nothing_neither_counts_nor_begins_the_count_anew() -> None:
    breaker = CircuitBreaker(CircuitBreakerPolicy(failure_threshold=2))
    breaker.failed(_take(breaker, 0.0), 0.0)
    for _ in range(5):
        breaker.give_back(_take(breaker, 0.0))
    breaker.failed(_take(breaker, 0.0), 0.0)

    assert OPEN is breaker.state(0.0)


@pytest.mark.parametrize("n_probes", [1, 3])
def test_exactly_so_many_probes_pass(n_probes: int) -> None:
    breaker = _opened(probes=n_probes)
    passes = [breaker.take(30.0) for _ in range(5)]

    assert n_probes == len([taken for taken in passes if taken is not None])
    assert PROBES_OUT_S == breaker.retry_after_s(30.0)

    first = passes[0]
    assert first is not None
    breaker.give_back(first)

    assert 0.0 == breaker.retry_after_s(30.0)
    assert (True, None) == (breaker.take(30.0) is not None, breaker.take(30.0))


def test_a_probe_that_succeeds_closes_it() -> None:
    breaker = _opened()
    breaker.succeeded(_take(breaker, 30.0))

    assert (CLOSED, 0) == (breaker.state(30.0), breaker.failures_in_a_row)


def test_a_probe_that_fails_opens_it_again_for_the_whole_time() -> None:
    breaker = _opened()
    breaker.failed(_take(breaker, 40.0), 45.0)

    assert (OPEN, 30.0) == (breaker.state(45.0), breaker.retry_after_s(45.0))
    assert [OPEN, HALF_OPEN] == [breaker.state(74.9), breaker.state(75.0)]


def test_late_news_of_better_times_judge_nothing() -> None:
    breaker = CircuitBreaker(CircuitBreakerPolicy(failure_threshold=1))
    late = [_take(breaker, 0.0) for _ in range(3)]
    breaker.failed(_take(breaker, 0.0), 0.0)
    breaker.failed(late[0], 20.0)

    assert 10.0 == breaker.retry_after_s(20.0)

    probe = _take(breaker, 30.0)
    breaker.failed(late[1], 30.0)
    breaker.succeeded(late[2])

    assert (HALF_OPEN, None) == (breaker.state(30.0), breaker.take(30.0))

    breaker.succeeded(probe)
    breaker.failed(probe, 30.0)

    assert CLOSED is breaker.state(30.0)


def test_a_person_holds_it_open() -> None:
    breaker = CircuitBreaker()
    breaker.force(OPEN)

    assert (OPEN, None, 30.0, True) == (
        *(breaker.state(1e9), breaker.take(1e9), breaker.retry_after_s(1e9)),
        breaker.is_forced,
    )

    breaker.reset()

    assert (CLOSED, False, True) == (breaker.state(1e9), breaker.is_forced, breaker.take(1e9) is not None)


def test_a_person_holds_it_closed() -> None:
    breaker = _opened()
    breaker.force(CLOSED)
    for _ in range(50):
        breaker.failed(_take(breaker, 0.0), 0.0)

    assert CLOSED is breaker.state(0.0)
    with pytest.raises(ValueError, match="held open or closed"):
        breaker.force(HALF_OPEN)


@dataclass
class _Try:
    taken: int
    era: int


class BreakerMachine(RuleBasedStateMachine):
    """Attempts that end in any way and at any time, against a model that numbers the eras between changes."""

    @initialize(threshold=st.integers(1, 4), probes=st.integers(1, 3))
    def begin(self, threshold: int, probes: int) -> None:
        self.threshold, self.probes = threshold, probes
        self.breaker = CircuitBreaker(CircuitBreakerPolicy(threshold, 30.0, probes))
        self.now = 0.0
        self.tries: list[_Try] = []
        self.era = 0
        self.streak = 0
        self.opened_at: float | None = None
        self.is_probing = False
        self.held: BreakerState | None = None

    def expected(self) -> BreakerState:
        if self.held is not None:
            return self.held
        if self.is_probing:
            return HALF_OPEN
        if self.opened_at is None:
            return CLOSED
        return OPEN if self.now < self.opened_at + 30.0 else HALF_OPEN

    def change(self, opened_at: float | None = None, *, is_probing: bool = False) -> None:
        self.era += 1
        self.streak = 0
        self.opened_at, self.is_probing = opened_at, is_probing

    @rule(seconds=st.sampled_from([0.5, 7.0, 29.5, 30.0, 100.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def attempt(self) -> None:
        state = self.expected()
        n_out = sum(each.era == self.era for each in self.tries)
        is_let_in = state is CLOSED or (state is HALF_OPEN and (not self.is_probing or n_out < self.probes))
        waits = self.breaker.retry_after_s(self.now) > 0
        taken = self.breaker.take(self.now)

        assert is_let_in == (taken is not None) == (not waits)
        if taken is not None:
            if state is HALF_OPEN and not self.is_probing:
                self.change(is_probing=True)
            self.tries.append(_Try(taken, self.era))

    @rule(data=st.data(), end=st.sampled_from(["succeeded", "failed", "nothing"]))
    def an_attempt_ends(self, data: st.DataObject, end: str) -> None:
        if not self.tries:
            return
        ended = self.tries.pop(data.draw(st.integers(0, len(self.tries) - 1)))
        if end == "succeeded":
            self.breaker.succeeded(ended.taken)
        elif end == "failed":
            self.breaker.failed(ended.taken, self.now)
        else:
            self.breaker.give_back(ended.taken)
        if ended.era != self.era or end == "nothing" or self.held is not None:
            return
        if end == "succeeded":
            self.streak = 0
            if self.is_probing:
                self.change()
        else:
            self.streak += 1
            if self.is_probing or self.streak >= self.threshold:
                self.change(self.now)

    @rule(state=st.sampled_from([OPEN, CLOSED, None]))
    def a_person_acts(self, state: BreakerState | None) -> None:
        self.change()
        self.held = state
        if state is None:
            self.breaker.reset()
        else:
            self.breaker.force(state)

    @invariant()
    def it_is_as_the_model_says(self) -> None:
        if hasattr(self, "breaker"):
            assert self.expected() is self.breaker.state(self.now)
            if self.held is None:
                assert self.streak == self.breaker.failures_in_a_row


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
