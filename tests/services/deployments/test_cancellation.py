"""Whoever is cancelled, at whatever moment, leaves nothing behind."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from ggtui.core.deployment.policies import (
    Budget,
    CapacityPolicy,
    CircuitBreakerPolicy,
    Priority,
    RateLimits,
    Serving,
)
from ggtui.core.errors import PolicyRefusal, UpstreamServerError
from tests.services.deployments.rig import (
    A_DOLLAR,
    DOLLAR,
    NOTHING,
    Rig,
    asking,
    entered,
    left_over,
    remote,
    run,
)

if TYPE_CHECKING:
    from ggtui.services.deployments.live import LiveDeployment

N_RUNS = 40
N_REQUESTS = 200
"""For each run."""


async def _request(live: LiveDeployment, chance: random.Random) -> None:
    """One that succeeds, fails or is refused, with pauses in which it can be cancelled."""
    facts = asking(chance.randrange(5), chance.choice([None, 1, 8]), chance.choice(list(Priority)))
    with suppress(PolicyRefusal):
        async with entered(live, facts) as passage:
            for _ in range(chance.randrange(1, 3)):
                passage.take_breaker()
                await _pause(chance)
                passage.was_sent = True
                if chance.random() < 0.3:
                    passage.attempt_failed(UpstreamServerError("503"))
                    continue
                passage.answered(chance.randrange(3))
                await _pause(chance)
                passage.used(1, chance.randrange(10))
                await _pause(chance)
                passage.attempt_succeeded()
                break


async def _pause(chance: random.Random) -> None:
    for _ in range(chance.randrange(4)):
        await asyncio.sleep(0)


def _rig(chance: random.Random) -> Rig:
    return Rig(
        (
            remote(
                serving=Serving(
                    max_concurrent=chance.choice([1, 3, 20]),
                    queue_capacity=chance.choice([5, 1000]),
                    queue_timeout_s=chance.choice([3.0, 1000.0]),
                    on_capacity_exhausted=chance.choice(list(CapacityPolicy)),
                ),
                rate_limits=RateLimits(
                    chance.choice([None, 30]),
                    chance.choice([None, 3000]),
                    chance.choice([None, 2]),
                    strict=chance.random() < 0.5,
                ),
                circuit_breaker=CircuitBreakerPolicy(3, 2.0, 2),
                pricing=A_DOLLAR,
                budget=Budget(max_spend_per_hour_pusd=chance.choice([None, 5000]) and 5000 * DOLLAR),
            ),
        )
    )


@pytest.mark.parametrize("seed", range(N_RUNS))
def test_nothing_is_left_of_requests_that_are_cancelled_at_random(seed: int) -> None:
    chance = random.Random(seed)

    async def scenario() -> None:
        rig = _rig(chance)
        tasks = set()
        for _ in range(N_REQUESTS):
            tasks.add(asyncio.create_task(_request(rig.live(), chance)))
            await _pause(chance)
            if chance.random() < 0.5:
                chance.choice(sorted(tasks, key=id)).cancel()
            if chance.random() < 0.3:
                rig.clock.advance(chance.random() * 3)
        while not all(task.done() for task in tasks):
            if chance.random() < 0.1:
                chance.choice([task for task in tasks if not task.done()]).cancel()
            rig.clock.advance(0.5)
            await _pause(chance)
        for task in tasks:
            if not task.cancelled():
                task.result()
        await rig.book.stop()
        spent = sum(each.cost_pusd for each in rig.spend.kept.get("a", ()))

        assert NOTHING == left_over(rig)
        assert rig.status().counts.cost_pusd == spent
        assert {True} == {task.done() for task in tasks}

    run(scenario())
