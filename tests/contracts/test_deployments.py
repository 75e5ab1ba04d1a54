"""What every place for spending, and for counts that processes share, promises."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import pytest

from ggtui.adapters.memory.deployments import ManualClock, MemoryCounters, MemorySpend
from ggtui.adapters.spending.counters import SqliteCounters
from ggtui.adapters.spending.spend import SqliteSpend
from ggtui.core.deployment.limits import Limit, Wait
from ggtui.core.deployment.policies import Budget, RateLimits
from ggtui.core.deployment.spend import Period, SpendEntry, SpendLedger
from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.core.ports.deployments import CountersPort, SpendPort

NOW = 1_800_000_000.0
TWO = RateLimits(requests_per_minute=2)
HUNDRED = RateLimits(tokens_per_minute=100)
ONE_AT_ONCE = RateLimits(concurrent_requests=1)


class NextRun(Protocol):
    """The spending of one more run of ggtui on the same data."""

    def __call__(self) -> SpendPort: ...


@pytest.fixture(params=["memory", "sqlite"])
def next_run(request: pytest.FixtureRequest, tmp_path: Path) -> NextRun:
    if request.param == "sqlite":
        return lambda: SqliteSpend(tmp_path / "data" / "spending.sqlite3")
    kept: list[MemorySpend] = [MemorySpend()]

    def begin() -> MemorySpend:
        kept.append(MemorySpend(kept[-1].kept))
        return kept[-1]

    return begin


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture(params=["memory", "sqlite"])
def counters(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> CountersPort:
    if request.param == "sqlite":
        return SqliteCounters(tmp_path / "shared" / "counters.sqlite3", clock.unix)
    return MemoryCounters(clock.unix)


# Spending


async def _add(run: SpendPort, name: str, entry: SpendEntry) -> None:
    work = run.add(name, entry.at, entry.cost_pusd)
    if work is not None:
        await work


@pytest.mark.parametrize("pause_s", [0.0, 0.7])
def test_what_was_not_spent_after_all_is_taken_back(next_run: NextRun, pause_s: float) -> None:
    """Together with what was kept, and when that is written already."""

    async def scenario() -> None:
        first = next_run()
        await _add(first, "a", SpendEntry(NOW, 100))
        await _add(first, "a", SpendEntry(NOW + 0.5, 10))
        await asyncio.sleep(pause_s)
        await _add(first, "a", SpendEntry(NOW + 0.5, -4))
        await first.close()
        second = next_run()
        ledger = SpendLedger(Budget(), await second.load("a", 0.0))

        assert 106 == ledger.spent_pusd(Period.HOUR, NOW + 0.5)
        assert 0 == ledger.spent_pusd(Period.HOUR, NOW + 3602.0)
        await second.close()

    asyncio.run(scenario())


def test_what_is_added_is_there_in_the_next_run_oldest_first(next_run: NextRun) -> None:
    entries = [SpendEntry(NOW + 2.5, 7), SpendEntry(NOW, 9_000_000_000_000_000_000), SpendEntry(NOW + 1, 0)]

    async def scenario() -> None:
        first = next_run()

        assert () == await first.load("a", 0.0)

        for entry in entries:
            await _add(first, "a", entry)
        await _add(first, "b", SpendEntry(NOW, 5))
        await first.close()
        second = next_run()

        assert (entries[1], entries[2], entries[0]) == await second.load("a", NOW)
        assert (entries[0],) == await second.load("a", NOW + 1.5)
        assert (SpendEntry(NOW, 5),) == await second.load("b", 0.0)

        await second.close()

    asyncio.run(scenario())


def test_what_is_pruned_is_forgotten(next_run: NextRun) -> None:
    async def scenario() -> None:
        run = next_run()
        for at in (NOW, NOW + 1, NOW + 2):
            await _add(run, "a", SpendEntry(at, 1))
        await run.prune(NOW + 1)

        assert (SpendEntry(NOW + 1, 1), SpendEntry(NOW + 2, 1)) == await run.load("a", 0.0)

        await run.close()

    asyncio.run(scenario())


def test_many_at_once_are_all_kept(next_run: NextRun) -> None:
    async def scenario() -> None:
        run = next_run()
        await asyncio.gather(*(_add(run, "a", SpendEntry(NOW, number)) for number in range(500)))

        assert sum(range(500)) == sum(each.cost_pusd for each in await run.load("a", 0.0))

        await run.close()

    asyncio.run(scenario())


def test_who_is_cancelled_while_it_writes_has_written(next_run: NextRun) -> None:
    async def scenario() -> None:
        run = next_run()
        task = asyncio.create_task(_add(run, "a", SpendEntry(NOW, 3)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await _add(run, "a", SpendEntry(NOW, 4))

        assert 7 == sum(each.cost_pusd for each in await run.load("a", 0.0))

        await run.close()

    asyncio.run(scenario())


def test_nothing_is_kept_after_the_end(next_run: NextRun) -> None:
    async def scenario() -> None:
        run = next_run()
        await run.close()
        await run.close()
        with pytest.raises(StoreUnavailable):
            await _add(run, "a", SpendEntry(NOW, 1))

    asyncio.run(scenario())


# Counters


async def _taken(counters: CountersPort, limits: RateLimits, tokens: int = 0, name: str = "a") -> int:
    found = await counters.reserve(name, tokens, limits)
    assert isinstance(found, int), found
    return found


def test_requests_count_for_exactly_a_minute(counters: CountersPort, clock: ManualClock) -> None:
    async def scenario() -> None:
        await _taken(counters, TWO)
        clock.advance(10)
        await _taken(counters, TWO)
        clock.advance(5)

        assert Wait(45.0, Limit.REQUESTS) == await counters.reserve("a", 0, TWO)

        await _taken(counters, TWO, name="another")
        clock.advance(45)
        await _taken(counters, TWO)

        assert Wait(10.0, Limit.REQUESTS) == await counters.reserve("a", 0, TWO)

        await counters.close()

    asyncio.run(scenario())


def test_tokens_count_as_reserved_and_then_as_used(counters: CountersPort, clock: ManualClock) -> None:
    async def scenario() -> None:
        first = await _taken(counters, HUNDRED, 90)

        assert Wait(60.0, Limit.TOKENS) == await counters.reserve("a", 20, HUNDRED)

        await counters.settle(first, 30)
        await counters.settle(first, 99)
        await counters.give_back(first)
        second = await _taken(counters, HUNDRED, 70)

        assert Wait(60.0, Limit.TOKENS) == await counters.reserve("a", 1, HUNDRED)

        await counters.give_back(second)
        await counters.settle(second, 99)
        await _taken(counters, HUNDRED, 70)

        assert Wait(float("inf"), Limit.TOKENS) == await counters.reserve("a", 101, HUNDRED)

        await counters.close()

    asyncio.run(scenario())


def test_one_that_lasts_longer_than_a_minute_is_still_one_at_once(
    counters: CountersPort, clock: ManualClock
) -> None:
    async def scenario() -> None:
        long = await _taken(counters, ONE_AT_ONCE)
        clock.advance(600)

        assert Wait(1.0, Limit.CONCURRENT) == await counters.reserve("a", 0, ONE_AT_ONCE)

        await counters.settle(long, 5)
        await _taken(counters, ONE_AT_ONCE)
        await counters.close()

    asyncio.run(scenario())


def test_what_is_given_back_never_counted(counters: CountersPort) -> None:
    async def scenario() -> None:
        for _ in range(5):
            await counters.give_back(await _taken(counters, TWO))
        await _taken(counters, TWO)
        await _taken(counters, TWO)

        assert isinstance(await counters.reserve("a", 0, TWO), Wait)

        await counters.close()
        await counters.close()

    asyncio.run(scenario())


def test_who_is_cancelled_while_it_asks_takes_nothing(counters: CountersPort) -> None:
    async def scenario() -> None:
        for _ in range(20):
            task = asyncio.create_task(counters.reserve("a", 0, ONE_AT_ONCE))
            await asyncio.sleep(0)
            task.cancel()
            (found,) = await asyncio.gather(task, return_exceptions=True)
            if isinstance(found, int):  # it was let through before
                await counters.give_back(found)
        await _taken(counters, ONE_AT_ONCE)
        await counters.close()

    asyncio.run(scenario())


def test_a_clock_that_is_set_back_loses_nothing(counters: CountersPort, clock: ManualClock) -> None:
    async def scenario() -> None:
        await _taken(counters, TWO)
        await _taken(counters, TWO)
        clock.now -= 3600

        assert Wait(60.0, Limit.REQUESTS) == await counters.reserve("a", 0, TWO)

        clock.advance(60)
        await _taken(counters, TWO)
        await counters.close()

    asyncio.run(scenario())
