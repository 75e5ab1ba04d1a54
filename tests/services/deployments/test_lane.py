"""What is let in by sums is let in, refused and counted as what is asked for one by one."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ggtui.adapters.memory.deployments import MemorySpend
from ggtui.core.deployment.limits import TOGETHER_S
from ggtui.core.deployment.policies import Budget, BudgetAction, CapacityPolicy, RateLimits, Serving
from ggtui.core.deployment.spend import Period, SpendEntry
from ggtui.core.errors import EndpointNotReady, PolicyRefusal, UpstreamServerError
from tests.services.deployments.rig import (
    A_DOLLAR,
    DOLLAR,
    NOTHING,
    Rig,
    asking,
    gone,
    left_over,
    remote,
    run,
    settled,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from ggtui.services.deployments.live import LiveDeployment
    from ggtui.services.deployments.passage import Passage

MANY = remote(
    pricing=A_DOLLAR,
    budget=Budget(max_spend_per_hour_pusd=10**9 * DOLLAR),
    rate_limits=RateLimits(10**6, 10**9),
    serving=Serving(max_concurrent=1000),
)


def _is_open(live: LiveDeployment) -> bool:
    return live.resources.lane.until > live.clock.monotonic()


async def _let_in(rig: Rig, n: int) -> list[Passage]:
    """So many at one moment; the first two are asked one by one."""
    return [await rig.live().enter(asking(3, 5)) for _ in range(n)]


def _kept(rig: Rig) -> int:
    return sum(each.cost_pusd for each in rig.spend.kept.get("a", ()))


async def _ended(passage: Passage, n_tokens: int = 2) -> None:
    passage.was_sent = True
    passage.used(3, n_tokens)
    passage.attempt_succeeded()
    await gone(passage)


def test_whoever_looks_sees_what_is_exact() -> None:
    async def scenario() -> None:
        rig = Rig((MANY,))
        passages = await _let_in(rig, 10)

        assert _is_open(rig.live())
        assert [10, 80] == [each.used for each in rig.status().limits]
        assert not _is_open(rig.live())

        passages += await _let_in(rig, 10)
        for passage in passages:
            await _ended(passage)
        status = rig.status()

        assert [20, 100] == [each.used for each in status.limits]
        assert (20, 60, 40) == (
            *(status.counts.succeeded, status.counts.input_tokens, status.counts.output_tokens),
        )
        assert 40 * DOLLAR == rig.live().resources.spending.spent_pusd(Period.HOUR)
        assert NOTHING == left_over(rig)

    run(scenario())


def test_what_was_spent_counts_from_when_it_was_spent_however_late_somebody_looks() -> None:
    async def scenario() -> None:
        rig = Rig((MANY,))
        clock = rig.clock
        clock.unix = lambda: clock.now + 1e9  # type: ignore[method-assign]
        for passage in await _let_in(rig, 10):
            await _ended(passage)

        assert _is_open(rig.live())

        rig.clock.advance(3700.0)

        assert 0 == rig.live().resources.spending.spent_pusd(Period.HOUR)
        assert 20 * DOLLAR == rig.live().resources.spending.spent_pusd(Period.DAY)
        assert [0, 0] == [each.used for each in rig.status().limits]

    run(scenario())


def test_more_is_kept_than_was_spent_until_somebody_looks() -> None:
    """A kill in between loses nothing; most that end have nothing to write."""

    async def scenario() -> None:
        rig = Rig((MANY,))
        n_writes = 0
        for passage in await _let_in(rig, 40):
            passage.was_sent = True
            passage.used(3, 2)
            writes = passage.leave()
            n_writes += bool(writes)
            for write in writes:
                await write

            assert 2 * (40 - rig.live().in_flight) * DOLLAR <= _kept(rig)

        assert n_writes < 30
        assert 80 * DOLLAR < _kept(rig) <= 100 * DOLLAR

        rig.status()
        await settled()

        assert 80 * DOLLAR == _kept(rig)

    run(scenario())


def test_no_request_ends_before_what_it_cost_is_kept() -> None:
    """The write of one that has ended before covers it too, and is waited for."""

    async def scenario() -> None:
        rig = Rig((MANY,))
        ended = []
        for passage in (await _let_in(rig, 20))[2:]:
            passage.was_sent = True
            passage.used(3, 2)
            ended.append(passage.leave())

        assert all(ended)
        assert 0 == _kept(rig)

        await asyncio.sleep(0)

        assert 36 * DOLLAR <= _kept(rig)

    run(scenario())


class SlowFirst(MemorySpend):
    """The first amount is kept late, all others at once: as while a batch begins."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.n_added = 0

    def add(self, name: str, at: float, cost_pusd: int) -> Coroutine[Any, Any, None] | None:  # type: ignore[override]
        self.n_added += 1
        if self.n_added == 1:
            return self._late(name, at, cost_pusd)
        self.kept.setdefault(name, []).append(SpendEntry(at, cost_pusd))
        return None

    async def _late(self, name: str, at: float, cost_pusd: int) -> None:
        await self.go.wait()
        self.kept.setdefault(name, []).append(SpendEntry(at, cost_pusd))


def test_a_write_that_runs_is_waited_for_though_later_ones_are_done() -> None:
    async def scenario() -> None:
        spend = SlowFirst()
        rig = Rig((MANY,), spend=spend)
        ended = []
        for passage in (await _let_in(rig, 12))[2:]:
            passage.was_sent = True
            passage.used(3, 2)
            ended.append(passage.leave())

        assert spend.n_added > 1
        assert all(ended)
        assert not any(each.done() for writes in ended for each in writes)

        rig.status()
        await settled()

        assert not [each for each in spend.kept["a"] if each.cost_pusd < 0]

        spend.go.set()
        await rig.book.stop()

        assert 20 * DOLLAR == _kept(rig)

    run(scenario())


def test_what_is_taken_back_is_of_the_time_for_which_it_was_kept() -> None:
    """Another request of the deployment may settle by itself meanwhile."""

    async def scenario() -> None:
        rig = Rig((MANY,))
        clock = rig.clock
        clock.unix = lambda: clock.now + 1e9  # type: ignore[method-assign]
        first, _, *others = await _let_in(rig, 13)
        for passage in others:
            await _ended(passage)
        clock.advance(TOGETHER_S / 2)
        await _ended(first)
        rig.status()
        await settled()
        *_, taken_back = rig.spend.kept["a"]

        assert taken_back.cost_pusd < 0
        assert clock.unix() - TOGETHER_S / 2 == taken_back.at
        assert 24 * DOLLAR == _kept(rig)

    run(scenario())


def test_what_ends_late_counts_from_then_and_not_from_when_its_lane_was_open() -> None:
    async def scenario() -> None:
        rig = Rig((MANY,))
        *others, last = await _let_in(rig, 5)
        for passage in others:
            await _ended(passage)
        rig.clock.advance(3000.0)
        await _ended(last, 7)
        rig.clock.advance(3000.0)

        assert 7 * DOLLAR == rig.live().resources.spending.spent_pusd(Period.HOUR)

    run(scenario())


def test_more_than_the_budget_is_told_though_nobody_looks(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        budget = Budget(max_spend_per_hour_pusd=100 * DOLLAR, on_exceeded=BudgetAction.WARN)
        rig = Rig((remote(pricing=A_DOLLAR, budget=budget),))
        passages = await _let_in(rig, 5)

        assert _is_open(rig.live())

        await _ended(passages[-1], 101)

    with caplog.at_level(logging.WARNING):
        run(scenario())

    assert ["deployment 'a' has spent more than its budget of the last hour"] == caplog.messages


@pytest.mark.parametrize("which", [0, -1])
def test_more_than_was_reserved_is_no_more_there_for_others(which: int) -> None:
    """The first was asked for one by one, the last was let in by the lane."""

    async def scenario() -> None:
        rig = Rig((remote(rate_limits=RateLimits(tokens_per_minute=1000)),))
        passages = await _let_in(rig, 5)

        assert _is_open(rig.live())

        await _ended(passages[which], 960)
        with pytest.raises(PolicyRefusal):
            await rig.live().enter(asking(3, 50))

    run(scenario())


def test_a_moment_lasts_no_longer_than_it_is_counted_as_one() -> None:
    async def scenario() -> None:
        rig = Rig((MANY,))
        await _let_in(rig, 5)

        assert _is_open(rig.live())

        rig.clock.advance(TOGETHER_S)

        assert not _is_open(rig.live())

        await _let_in(rig, 1)

        assert not _is_open(rig.live())

    run(scenario())


def test_all_processes_together_are_asked_for_each_request() -> None:
    async def scenario() -> None:
        rig = Rig((remote(rate_limits=RateLimits(10**6, strict=True)),))
        await _let_in(rig, 5)

        assert not _is_open(rig.live())
        assert 5 == rig.counters.n_open

    run(scenario())


def test_what_a_person_does_counts_at_once() -> None:
    async def scenario() -> None:
        rig = Rig((MANY,))
        held = await _let_in(rig, 5)
        rig.live().drain()
        with pytest.raises(EndpointNotReady):
            await rig.live().enter(asking())
        for passage in held:
            await _ended(passage)

        assert NOTHING == left_over(rig)

    run(scenario())


@dataclass
class _Twin:
    """One of two that get the same requests; the second lets nobody in by sums."""

    rig: Rig
    held: list[Passage] = field(default_factory=list)

    async def enter(self, n_input: int, n_output: int) -> str:
        try:
            self.held.append(await self.rig.live().enter(asking(n_input, n_output)))
        except PolicyRefusal as refusal:
            return f"{type(refusal).__name__} {refusal.retry_after_s}"
        return "let in"

    async def end(self, which: int, how: str, n_tokens: int) -> None:
        passage = self.held.pop(which % len(self.held))
        if how != "unsent":
            passage.was_sent = True
        if how == "answered":
            passage.used(passage.facts.input_tokens, n_tokens)
            passage.attempt_succeeded()
        elif how == "failed":
            passage.attempt_failed(UpstreamServerError("503"))
        elif how == "cut":
            passage.answered(n_tokens)
        await gone(passage)

    def told(self) -> tuple[object, ...]:
        status, live = self.rig.status(), self.rig.live()
        spent = [live.resources.spending.spent_pusd(period) for period in Period]
        return (
            *status.limits,
            status.counts,
            status.why,
            *spent,
            _kept(self.rig),
            left_over(self.rig).items(),
        )


async def _look(*twins: _Twin) -> None:
    """What was kept ahead is taken back then, by a task."""
    for each in twins:
        each.rig.status()
    await settled()


STEP = st.one_of(
    st.tuples(st.just("enter"), st.integers(0, 6), st.integers(0, 6)),
    st.tuples(st.just("enter"), st.integers(0, 6), st.integers(0, 6)),
    st.tuples(st.integers(0, 9), st.sampled_from(["answered", "failed", "cut", "unsent"]), st.integers(0, 9)),
    st.tuples(st.just("time"), st.sampled_from([0.25, 1.0, 30.0, 61.0, 3700.0]), st.just(0)),
    st.tuples(st.just("look"), st.just(0), st.just(0)),
)


@pytest.fixture(scope="module")
def _always_worth() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ggtui.services.deployments.lane.WORTH", 1)
        yield


@pytest.mark.usefixtures("_always_worth")
@settings(max_examples=300, deadline=None)
@given(
    st.lists(STEP, max_size=60),
    st.sampled_from([None, 3, 6]),
    st.sampled_from([None, 5, 12]),
    st.sampled_from([None, 30, 90]),
    st.sampled_from([None, 2, 8]),
    st.sampled_from([None, *BudgetAction]),
)
def test_two_that_get_the_same_requests_say_the_same(
    steps: list[tuple[object, ...]],
    slots: int | None,
    requests: int | None,
    tokens: int | None,
    at_once: int | None,
    action: BudgetAction | None,
) -> None:
    rules = remote(
        pricing=A_DOLLAR,
        serving=Serving(max_concurrent=slots, on_capacity_exhausted=CapacityPolicy.REJECT),
        rate_limits=RateLimits(requests, tokens, at_once),
        budget=Budget(40 * DOLLAR, 90 * DOLLAR, action) if action is not None else None,
    )

    async def scenario() -> None:
        twins = _Twin(Rig((rules,))), _Twin(Rig((rules,)))
        lane = twins[1].rig.live().resources.lane
        lane.open = lambda now: None  # type: ignore[method-assign]
        for what, one, other in steps:
            if what == "enter":
                answers = [await each.enter(one, other) for each in twins]  # type: ignore[arg-type]

                assert answers[0] == answers[1]
            elif what == "time":
                for each in twins:
                    each.rig.clock.advance(one)  # type: ignore[arg-type]
            elif what == "look":
                await _look(*twins)

                assert twins[0].told() == twins[1].told()
            elif twins[0].held:
                for each in twins:
                    await each.end(what, one, other)  # type: ignore[arg-type]
        await _look(*twins)

        assert twins[0].told() == twins[1].told()

    run(scenario())
