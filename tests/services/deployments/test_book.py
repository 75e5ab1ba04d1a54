"""All deployments together: their order, their fallbacks, and what a reload leaves as it was."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from ggtui.core.backends.serving import WHY_BY_BACKENDS
from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.deployment.policies import Budget, RateLimits, Serving
from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.deployment.spend import DAY_S, SpendEntry
from ggtui.core.errors import EndpointNotFound, RateLimitExceeded
from tests.services.deployments.rig import (
    A_DOLLAR,
    DOLLAR,
    NOTHING,
    ONE,
    REJECT,
    Rig,
    answer,
    asking,
    entered,
    left_over,
    remote,
    run,
    settled,
)


def test_fallbacks_follow_in_order_each_once() -> None:
    rig = Rig(
        (
            remote("a", fallback=("b", "c")),
            remote("b", fallback=("d", "c")),
            remote("c"),
            remote("d", fallback=("a", "bare")),
        )
    )

    assert ["a", "b", "d", "bare", "c"] == [each.name for each in rig.book.chain("a")]
    assert RuntimeKind.LLAMA_SERVER == rig.book.chain("a")[3].kind
    assert () == rig.book.chain("bare")
    assert None is rig.book.get("bare")
    assert rig.book.chain("a") == rig.book.chain("a")
    assert ["a", "b", "c", "d"] == [each.name for each in rig.book.statuses]


def test_a_reload_keeps_what_is_counted_and_spent() -> None:
    async def scenario() -> None:
        first = remote(
            serving=REJECT,
            rate_limits=RateLimits(requests_per_minute=2),
            pricing=A_DOLLAR,
            budget=Budget(max_spend_per_hour_pusd=100 * DOLLAR),
        )
        rig = Rig((first, remote("other")))
        live = rig.live()
        await answer(live, 3)
        live.breaker.force(BreakerState.CLOSED)
        other = rig.live("other")
        await rig.book.take(
            [remote("new"), replace(first, serving=Serving(max_concurrent=7)), remote("other")]
        )

        assert live is rig.live()
        assert other is rig.live("other")
        assert ["new", "a", "other"] == [each.name for each in rig.book.all]

        status = rig.status()

        assert (7, 3 * DOLLAR, True) == (status.slots, status.spent_hour_pusd, status.is_breaker_forced)
        assert [(1, 2)] == [(each.used, each.allowed) for each in status.limits]

        await rig.book.take([replace(first, model="gpt-4o-mini", rate_limits=RateLimits(1))])

        assert (False, 3 * DOLLAR) == (rig.status().is_breaker_forced, rig.status().spent_hour_pusd)
        with pytest.raises(RateLimitExceeded):
            await answer(live)

    run(scenario())


def test_one_that_is_removed_ends_its_requests_and_takes_no_new_ones() -> None:
    async def scenario() -> None:
        rules = remote(serving=ONE, pricing=A_DOLLAR)
        rig = Rig((rules,))
        live = rig.live()
        async with entered(live, asking()) as passage:
            waiting = asyncio.create_task(live.enter(asking()))
            await settled()
            await rig.book.take([])
            with pytest.raises(EndpointNotFound):
                await waiting
            with pytest.raises(EndpointNotFound):
                await live.enter(asking())

            assert (None, (), ()) == (rig.book.get("a"), rig.book.statuses, rig.book.chain("a"))
            passage.answered(5)
        await rig.book.take([rules])

        assert 5 * DOLLAR == rig.status().spent_hour_pusd
        await answer(rig.live())
        assert NOTHING == left_over(rig)

    run(scenario())


def test_more_slots_let_in_who_waits() -> None:
    async def scenario() -> None:
        rig = Rig((remote(serving=ONE),))
        asked = [asyncio.create_task(rig.live().enter(asking())) for _ in range(3)]
        await settled()
        await rig.book.take([remote(serving=replace(ONE, max_concurrent=3))])
        for each in asked:
            (await each).leave()

        assert NOTHING == left_over(rig)

    run(scenario())


def test_what_was_spent_is_known_after_a_restart_for_an_hour_and_a_day() -> None:
    async def scenario() -> None:
        rules = remote(pricing=A_DOLLAR, budget=Budget(max_spend_per_hour_pusd=DOLLAR))
        rig = Rig((rules,))
        await rig.book.start()
        await answer(rig.live(), 8)
        rig.clock.advance(3000.0)
        await rig.book.stop()
        again = Rig((rules,), clock=rig.clock)
        again.spend.kept = rig.spend.kept
        again.spend.kept["a"].append(SpendEntry(rig.clock.now - DAY_S - 1, DOLLAR))
        await again.book.start()
        await settled()

        assert (8 * DOLLAR, 8 * DOLLAR) == (again.status().spent_hour_pusd, again.status().spent_day_pusd)
        assert 1 == len(again.spend.kept["a"])

        rig.clock.advance(601.0)

        assert (0, 8 * DOLLAR) == (again.status().spent_hour_pusd, again.status().spent_day_pusd)

        rig.clock.advance(DAY_S)
        await settled()

        assert (0, []) == (again.status().spent_day_pusd, again.spend.kept["a"])

        await again.book.stop()

    run(scenario())


def test_spending_that_cannot_be_read_keeps_nobody_from_serving(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        rig = Rig()
        rig.spend.failure = "the disk is gone"
        await rig.book.start()
        await answer(rig.live())
        await rig.book.stop()

    run(scenario())

    assert [
        "what deployment 'a' spent before is not known: the disk is gone",
        "what a deployment used is not kept: the disk is gone",
    ] == caplog.messages


def test_without_deployments_nothing_is_read_or_kept() -> None:
    async def scenario() -> None:
        rig = Rig(())
        rig.spend.failure = "nobody asks"
        await rig.book.start()
        await settled()
        rig.clock.advance(DAY_S)
        await rig.book.stop()

        assert 0 == rig.clock.n_alarms

    run(scenario())


def test_the_end_settles_what_is_open_and_turns_away_who_waits() -> None:
    async def scenario() -> None:
        rig = Rig((remote(serving=ONE, pricing=A_DOLLAR),))
        passage = await rig.live().enter(asking())
        passage.answered(5)
        waiting = asyncio.create_task(rig.live().enter(asking()))
        await settled()
        await rig.book.stop()
        found = await asyncio.gather(waiting, return_exceptions=True)

        assert ["EngineStopping"] == [type(each).__name__ for each in found]
        assert [5 * DOLLAR] == [each.cost_pusd for each in rig.spend.kept["a"]]
        assert rig.spend.is_closed
        assert NOTHING == left_over(rig)

    run(scenario())


def test_whoever_watches_hears_of_every_change() -> None:
    async def scenario() -> None:
        rig = Rig()
        counts = []
        async with entered(rig.live(), asking()):
            counts.append(rig.n_changes)
        counts.append(rig.n_changes)
        rig.live().drain()
        counts.append(rig.n_changes)
        rig.book.tell()
        counts.append(rig.n_changes)
        await rig.book.take([])
        counts.append(rig.n_changes)

        assert sorted(set(counts)) == counts
        assert counts[0] > 0

    run(scenario())


# Names of declared backends


def test_a_name_of_backends_has_the_usual_rules_and_is_not_shown() -> None:
    async def scenario() -> None:
        rig = Rig()
        rig.book.take_backends(["qwen", "a"])

        assert ["qwen"] == [live.name for live in rig.book.chain("qwen")]
        assert rig.book.get("qwen") is None
        assert ["a"] == [each.name for each in rig.book.statuses]
        assert [rig.live("a")] == list(rig.book.chain("a"))
        assert [True, False] == [each.is_by_backends for each in (rig.book.chain("qwen")[0], rig.live("a"))]

    run(scenario())


def test_a_name_keeps_its_state_until_no_backend_declares_it() -> None:
    async def scenario() -> None:
        rig = Rig((remote(fallback=("qwen",)),))
        rig.book.take_backends(["qwen"])
        live = rig.book.chain("qwen")[0]
        passage = await live.enter(asking())
        rig.book.take_backends(["other", "qwen"])

        assert [rig.live("a"), live] == list(rig.book.chain("a"))

        rig.book.take_backends(["other"])

        assert () == rig.book.chain("qwen")
        with pytest.raises(EndpointNotFound):
            await live.enter(asking())
        passage.leave()
        rig.book.take_backends(["qwen"])
        assert live is not rig.book.chain("qwen")[0]
        async with entered(rig.book.chain("qwen")[0], asking()):
            pass

    run(scenario())


def test_a_deployment_is_served_by_backends_once_they_declare_its_model() -> None:
    async def scenario() -> None:
        rig = Rig()
        before = rig.live().is_by_backends
        rig.book.take_backends(["gpt-4o"])

        assert (False, True) == (before, rig.live().is_by_backends)
        assert WHY_BY_BACKENDS == rig.status().why_kind

    run(scenario())
