"""Servers of this machine that die under requests: asked anew on a fresh one, and judged once."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.deployment.policies import CircuitBreakerPolicy
from ggtui.core.errors import UpstreamCrashed, UpstreamUnreachable
from ggtui.proxy.deaths import MAX_KEPT, Deaths
from tests.programs.fakeup import RawUpstream, answering, ending_after
from tests.proxy.deployed import CHAT, OK, far, near
from tests.proxy.rig import Answer, Door, FakeRuntime, door, run, target_at

NEAR = CHAT.replace(b'"far"', b'"near"')
CRASHED = UpstreamCrashed("gone")
REFUSED = UpstreamUnreachable("nobody is there")


async def ask(proxy: Door) -> Answer:
    return Answer.parse(await proxy.ask(proxy.post(NEAR)))


def breaker(proxy: Door) -> tuple[BreakerState, int]:
    """Its state, and the failures in a row that it has counted."""
    live = proxy.deployments.get("near")
    assert live is not None
    return live.breaker.state(live.clock.monotonic()), live.breaker.failures_in_a_row


def test_what_was_on_its_way_at_a_death_is_part_of_it() -> None:
    deaths, before = Deaths(notice_s=100.0), time.monotonic()

    assert deaths.is_news(target_at(1), CRASHED, before)
    assert not deaths.is_news(target_at(1), CRASHED, before)
    assert not deaths.is_news(target_at(1), REFUSED, time.monotonic())
    assert deaths.is_news(target_at(1), CRASHED, time.monotonic())
    assert deaths.is_news(target_at(2), REFUSED, before)
    assert Deaths(notice_s=0.0).is_news(target_at(1), REFUSED, time.monotonic())


def test_no_more_than_a_few_dead_are_remembered() -> None:
    deaths, before = Deaths(notice_s=100.0), time.monotonic()
    for port in range(1000):
        deaths.is_news(target_at(port), CRASHED, before)

    assert MAX_KEPT == len(deaths._told_at)
    assert not deaths.is_news(target_at(999), CRASHED, before)


def test_the_try_on_a_fresh_server_is_one_that_the_breaker_must_let_pass() -> None:
    async def check() -> None:
        once = CircuitBreakerPolicy(failure_threshold=1)
        async with (
            RawUpstream(ending_after(b"")) as dead,
            RawUpstream(answering(OK)) as alive,
            RawUpstream(answering(OK)) as other,
            door(
                runtime=FakeRuntime(targets=[target_at(dead.port), target_at(alive.port)]),
                deployments=[near(circuit_breaker=once, fallback=("far",)), far(other.port)],
            ) as proxy,
        ):
            answer = await ask(proxy)

            assert (200, ["far"]) == (answer.status, answer.values("x-ggtui-deployment"))
            assert (1, 0) == (len(dead.requests), len(alive.requests))
            assert BreakerState.OPEN == breaker(proxy)[0]

    run(check())


def test_a_death_counts_once_and_the_answer_of_the_fresh_server_makes_up_for_it() -> None:
    async def check() -> None:
        all_there, n_asked = asyncio.Event(), 8

        async def die_together(upstream: RawUpstream, peer: Any) -> None:
            await upstream.take(peer)
            if len(upstream.requests) == n_asked:
                all_there.set()
            await all_there.wait()

        async def later(upstream: RawUpstream, peer: Any) -> None:
            if await upstream.take(peer) is not None:
                seen.append(breaker(proxy))
                await peer.send(OK)

        seen: list[tuple[BreakerState, int]] = []
        async with RawUpstream(die_together) as dead, RawUpstream(later) as alive:
            targets = [target_at(dead.port)] * n_asked + [target_at(alive.port)] * n_asked
            async with door(
                runtime=FakeRuntime(targets=targets),
                deployments=[near(circuit_breaker=CircuitBreakerPolicy(2))],
            ) as proxy:
                answers = await asyncio.gather(*(ask(proxy) for _ in range(n_asked)))

                assert [200] * n_asked == [each.status for each in answers]
                assert (BreakerState.CLOSED, 1) == seen[0]
                assert (BreakerState.CLOSED, 0) == breaker(proxy)

    run(check())


def test_a_server_that_drops_one_request_after_the_other_is_judged_each_time() -> None:
    async def check() -> None:
        async with (
            RawUpstream(ending_after(b"")) as odd,
            door(odd.port, deployments=[near(circuit_breaker=CircuitBreakerPolicy(4))]) as proxy,
        ):
            codes = [(await ask(proxy)).code for _ in range(3)]

            assert ["upstream_crashed", "upstream_crashed", "circuit_open"] == codes
            assert 4 == len(odd.requests)

    run(check())
