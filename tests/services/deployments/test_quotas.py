"""Limits that count for each key by itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from ggtui.core.deployment.policies import CapacityPolicy, RateLimits, Serving
from ggtui.core.errors import RateLimitExceeded
from ggtui.core.snapshot import LimitUse
from tests.services.deployments.rig import (
    NOTHING,
    Rig,
    answer,
    asking,
    entered,
    left_over,
    remote,
    run,
    settled,
)

REJECTS = Serving(max_concurrent=100, on_capacity_exhausted=CapacityPolicy.REJECT)
TWO_EACH = remote(serving=REJECTS, rate_limits=RateLimits(2, 1000, per_key=True))
TWO_FOR_ALL = replace(TWO_EACH, rate_limits=RateLimits(2, 1000))
ANN, BOB = asking(client="ann"), asking(client="bob")


def test_each_key_has_the_limits_for_itself() -> None:
    async def scenario() -> None:
        rig = Rig((TWO_EACH,))
        for facts in (ANN, BOB, ANN, BOB):
            await answer(rig.live(), facts=facts)
        for facts in (ANN, BOB):
            with pytest.raises(RateLimitExceeded, match="requests_per_minute for this key"):
                await answer(rig.live(), facts=facts)
        rig.clock.advance(61.0)
        await answer(rig.live(), facts=ANN)

        assert NOTHING == left_over(rig)

    run(scenario())


def test_without_that_all_keys_share_them() -> None:
    async def scenario() -> None:
        rig = Rig((TWO_FOR_ALL,))
        await answer(rig.live(), facts=ANN)
        await answer(rig.live(), facts=BOB)
        with pytest.raises(RateLimitExceeded):
            await answer(rig.live(), facts=ANN)

        assert [("", 2), ("", 2)] == [(each.client, each.used) for each in rig.status().limits]

    run(scenario())


def test_who_has_used_most_of_each_limit_is_shown() -> None:
    async def scenario() -> None:
        rig = Rig((TWO_EACH,))

        assert ["", ""] == [each.client for each in rig.status().limits]

        await answer(rig.live(), 1, ANN)
        await answer(rig.live(), 1, ANN)
        await answer(rig.live(), 50, asking(max_tokens=50, client="bob"))
        requests, tokens = rig.status().limits

        assert (LimitUse(requests.limit, 2, 2, "ann"), LimitUse(tokens.limit, 50, 1000, "bob")) == (
            requests,
            tokens,
        )

    run(scenario())


def test_who_waits_keeps_nobody_else_waiting() -> None:
    async def scenario() -> None:
        rules = replace(TWO_EACH, serving=Serving(max_concurrent=100, queue_timeout_s=100.0))
        rig = Rig((rules,))
        for _ in range(2):
            await answer(rig.live(), facts=ANN)
        waiting = asyncio.create_task(answer(rig.live(), facts=ANN))
        await settled()
        await answer(rig.live(), facts=BOB)

        assert 1 == rig.status().queued
        assert not waiting.done()

        rig.clock.advance(61.0)
        await waiting

        assert NOTHING == left_over(rig)

    run(scenario())


def test_who_waits_for_limits_keeps_no_slot_from_others() -> None:
    async def scenario() -> None:
        limits = RateLimits(concurrent_requests=1, per_key=True)
        rig = Rig((remote(serving=Serving(max_concurrent=2), rate_limits=limits),))
        async with entered(rig.live(), ANN):
            waiting = [asyncio.create_task(answer(rig.live(), facts=ANN)) for _ in range(3)]
            await settled()
            await answer(rig.live(), facts=BOB)

            assert 3 == rig.status().queued

        await asyncio.gather(*waiting)

        assert NOTHING == left_over(rig)

    run(scenario())


def test_who_waits_for_a_slot_and_leaves_was_never_counted() -> None:
    async def scenario() -> None:
        limits = RateLimits(2, per_key=True)
        rig = Rig((remote(serving=Serving(max_concurrent=1), rate_limits=limits),))
        async with entered(rig.live(), BOB):
            waiting = asyncio.create_task(answer(rig.live(), facts=ANN))
            await settled()
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        for _ in range(2):
            await answer(rig.live(), facts=ANN)

        assert NOTHING == left_over(rig)

    run(scenario())


def test_all_processes_together_count_each_key_by_itself() -> None:
    async def scenario() -> None:
        rules = replace(TWO_EACH, rate_limits=RateLimits(2, strict=True, per_key=True))
        one, other = Rig((rules,)), Rig((rules,))
        other.book._around.counters = one.counters
        for rig in (one, other):
            await answer(rig.live(), facts=ANN)
        for rig in (one, other):
            with pytest.raises(RateLimitExceeded):
                await answer(rig.live(), facts=ANN)
            await answer(rig.live(), facts=BOB)

    run(scenario())


@pytest.mark.parametrize(("before", "after"), [(TWO_EACH, TWO_FOR_ALL), (TWO_FOR_ALL, TWO_EACH)])
def test_a_reload_changes_it_for_the_next_request(before: object, after: object) -> None:
    """What runs gives back what it holds where it holds it."""

    async def scenario() -> None:
        rig = Rig((before,))  # type: ignore[arg-type]
        async with entered(rig.live(), ANN), entered(rig.live(), ANN):
            await rig.book.take([after])  # type: ignore[list-item]
            async with entered(rig.live(), ANN), entered(rig.live(), ANN):
                with pytest.raises(RateLimitExceeded):
                    await answer(rig.live(), facts=ANN)

        assert NOTHING == left_over(rig)

    run(scenario())


def test_many_at_once_are_counted_one_by_one() -> None:
    async def scenario() -> None:
        rig = Rig((replace(TWO_EACH, rate_limits=RateLimits(1000, per_key=True)),))
        for _ in range(50):
            await answer(rig.live(), facts=ANN)
            await answer(rig.live(), facts=BOB)

        assert [50, 50] == [each.uses[0].used for each in rig.live().resources.limits.all if each.client]
        assert [("ann", 50)] == [(each.client, each.used) for each in rig.status().limits]

    run(scenario())
