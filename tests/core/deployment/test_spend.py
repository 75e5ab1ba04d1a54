"""Money is reserved, settled, and rolls off; a ledger made again from its entries knows the same."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ggtui.core.deployment.policies import Budget, BudgetAction
from ggtui.core.deployment.spend import (
    SOMEBODY_SETTLES_S,
    OverBudget,
    Period,
    SpendEntry,
    SpendLedger,
)

T0 = 1_700_000_000.0
HOUR, DAY = Period.HOUR, Period.DAY


def _ledger(hour: int | None = None, day: int | None = None, action: str = "reject") -> SpendLedger:
    return SpendLedger(Budget(hour, day, BudgetAction(action)))


def _spend(ledger: SpendLedger, cost: int, now: float) -> SpendEntry:
    assert ledger.reserve(0, now) is None
    ledger.settle(0, cost, now)
    return SpendEntry(now, cost)


def test_what_is_spent_rolls_off_after_the_hour() -> None:
    ledger = _ledger(hour=100)
    _spend(ledger, 60, T0)
    _spend(ledger, 40, T0 + 600)

    assert OverBudget(HOUR, 2700.0) == ledger.reserve(10, T0 + 900)
    assert OverBudget(HOUR, 3300.0) == ledger.reserve(70, T0 + 900)
    assert ledger.reserve(60, T0 + 3600) is None


def test_the_longer_wait_of_hour_and_day_is_told() -> None:
    ledger = _ledger(hour=50, day=100)
    for number in range(2):
        _spend(ledger, 50, T0 + 7200 * number)

    assert OverBudget(DAY, 86_400.0 - 7200) == ledger.reserve(1, T0 + 7200)
    assert (50, 100) == (ledger.spent_pusd(HOUR, T0 + 7200), ledger.spent_pusd(DAY, T0 + 7200))
    assert ledger.reserve(1, T0 + 86_400) is None


def test_reservations_count_until_they_settle() -> None:
    ledger = _ledger(hour=100)

    assert [None, None] == [ledger.reserve(50, T0) for _ in range(2)]
    assert OverBudget(HOUR, SOMEBODY_SETTLES_S) == ledger.reserve(1, T0)

    ledger.settle(50, 20, T0 + 5)

    assert (50, 20) == (ledger.held_pusd, ledger.spent_pusd(HOUR, T0 + 5))

    ledger.give_back(50)

    assert (0, None) == (ledger.held_pusd, ledger.reserve(80, T0 + 5))


def test_a_request_that_costs_more_than_the_budget_never_passes() -> None:
    assert OverBudget(HOUR, math.inf) == _ledger(hour=100).reserve(101, T0)


def test_what_is_free_passes_an_empty_budget() -> None:
    ledger = _ledger(hour=0, day=0)

    assert ledger.reserve(0, T0) is None
    assert isinstance(ledger.reserve(1, T0), OverBudget)


@pytest.mark.parametrize("action", ["warn", "throttle"])
def test_other_actions_let_through_and_tell_each_excess_once(action: str) -> None:
    ledger = _ledger(hour=100, action=action)
    told = []
    for moment, cost in ((0, 100), (1, 1), (2, 50), (3500, 1), (3600, 0), (3601, 60), (3602, 1)):
        _spend(ledger, cost, T0 + moment)
        told.append(ledger.new_excess(T0 + moment))

    assert [None, HOUR, None, None, None, HOUR, None] == told


def test_a_throttled_deployment_serves_half() -> None:
    ledger = _ledger(day=100, action="throttle")

    assert (8, None) == (ledger.slots(8, T0), ledger.slots(None, T0))

    _spend(ledger, 101, T0)

    assert DAY is ledger.exceeded(T0)
    assert [4, 3, 1, 1, None] == [ledger.slots(slots, T0) for slots in (8, 7, 2, 1, None)]
    assert 8 == ledger.slots(8, T0 + 86_400)


@pytest.mark.parametrize("action", ["reject", "warn"])
def test_no_other_action_throttles(action: str) -> None:
    ledger = _ledger(hour=1, action=action)
    _spend(ledger, 5, T0)

    assert 8 == ledger.slots(8, T0)


def test_a_ledger_is_made_again_from_its_entries() -> None:
    budget = Budget(100, 1000)
    first = SpendLedger(budget)
    entries = [_spend(first, 30 + number, T0 + 1000.25 * number) for number in range(3)]
    again = SpendLedger(budget, reversed(entries))

    for later in (2000.5, 3000.0, 3601.0, 5000.0, 86_500.0, 90_000.0):
        for period in Period:
            assert first.spent_pusd(period, T0 + later) == again.spent_pusd(period, T0 + later)


@dataclass
class _Paid:
    at: float
    cost: int


class LedgerMachine(RuleBasedStateMachine):
    """Requests that cost less or more than reserved, against a list of all that was ever paid.

    Moments are whole seconds, so that nothing counts longer than its period.
    """

    @initialize(hour=st.none() | st.integers(0, 40), day=st.none() | st.integers(0, 120))
    def begin(self, hour: int | None, day: int | None) -> None:
        self.limits = {HOUR: hour, DAY: day}
        self.budget = Budget(hour, day)
        self.ledger = SpendLedger(self.budget)
        self.now = T0
        self.paid: list[_Paid] = []
        self.held: list[int] = []
        self.overspent = 0

    def spent(self, period: Period, now: float) -> int:
        return sum(each.cost for each in self.paid if now < each.at + period.seconds)

    def fits(self, cost: int, now: float) -> bool:
        wanted = cost + sum(self.held)
        return all(
            most is None or self.spent(period, now) + wanted <= most for period, most in self.limits.items()
        )

    @rule(seconds=st.sampled_from([1, 600, 1800, 3600, 40_000, 86_400]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @rule(cost=st.integers(0, 50))
    def ask(self, cost: int) -> None:
        answer = self.ledger.reserve(cost, self.now)

        assert self.fits(cost, self.now) == (answer is None)
        if answer is None:
            self.held.append(cost)
        elif math.isinf(answer.retry_after_s):
            assert any(most is not None and cost > most for most in self.limits.values())
        elif not self.held:
            assert self.fits(cost, self.now + answer.retry_after_s)
            assert not self.fits(cost, self.now + answer.retry_after_s - 1)

    @rule(data=st.data(), share=st.sampled_from([0, 0.5, 1, 1.5]), is_sent=st.booleans())
    def a_request_ends(self, data: st.DataObject, share: float, is_sent: bool) -> None:
        if not self.held:
            return
        held = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        if is_sent:
            cost = int(held * share)
            self.overspent += max(0, cost - held)
            self.ledger.settle(held, cost, self.now)
            self.paid.append(_Paid(self.now, cost))
        else:
            self.ledger.give_back(held)

    @rule()
    def the_process_starts_again(self) -> None:
        self.ledger = SpendLedger(self.budget, [SpendEntry(each.at, each.cost) for each in self.paid])
        self.held.clear()

    @invariant()
    def the_books_agree(self) -> None:
        if not hasattr(self, "ledger"):
            return
        assert sum(self.held) == self.ledger.held_pusd
        for period, most in self.limits.items():
            spent = self.ledger.spent_pusd(period, self.now)
            assert self.spent(period, self.now) == spent
            assert most is None or spent <= most + self.overspent


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
