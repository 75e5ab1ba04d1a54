"""The way into a deployment: in order, refused without a trace, waiting in order."""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.deployment.deployment import RuntimeConfig
from ggtui.core.deployment.policies import (
    Budget,
    BudgetAction,
    CapacityPolicy,
    CircuitBreakerPolicy,
    Priority,
    RateLimits,
    Serving,
)
from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.deployment.secret import Secret, SecretRef, SecretSource
from ggtui.core.errors import (
    BudgetExceeded,
    CapacityExhausted,
    CircuitOpen,
    EndpointNotReady,
    ModelNotReady,
    QueueTimeout,
    RateLimitExceeded,
    SpawnFailed,
    UpstreamServerError,
)
from ggtui.core.snapshot import DeploymentState
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

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ggtui.core.deployment.policies import RateLimits as Rates
    from ggtui.services.deployments.live import LiveDeployment
    from ggtui.services.deployments.passage import Passage


async def _hold(live: LiveDeployment, priority: Priority = Priority.NORMAL) -> Passage:
    return await live.enter(asking(priority=priority))


def _held(live: LiveDeployment, priority: Priority = Priority.NORMAL) -> AbstractAsyncContextManager[Passage]:
    return entered(live, asking(priority=priority))


# Slots


def test_one_above_the_slots_is_refused_or_waits() -> None:
    async def scenario() -> None:
        for serving in (REJECT, replace(REJECT, on_capacity_exhausted=CapacityPolicy.FALLBACK)):
            rig = Rig((remote(serving=serving),))
            async with _held(rig.live()):
                with pytest.raises(CapacityExhausted) as refused:
                    await _hold(rig.live())

                assert 1.0 == refused.value.retry_after_s
                assert 1 == rig.status().counts.refused
            assert NOTHING == left_over(rig)
            await answer(rig.live())

    run(scenario())


def test_who_waits_is_served_by_rank_and_in_order() -> None:
    async def scenario() -> None:
        rig = Rig((remote(serving=ONE),))
        order: list[str] = []

        async def ask(name: str, priority: Priority) -> None:
            async with _held(rig.live(), priority):
                order.append(name)

        async with _held(rig.live()):
            waiting = [
                asyncio.create_task(ask(name, priority))
                for name, priority in (
                    ("low", Priority.BACKGROUND),
                    ("first", Priority.NORMAL),
                    ("second", Priority.NORMAL),
                    ("urgent", Priority.CRITICAL),
                )
            ]
            await settled()

            assert (1, 4) == (rig.status().in_flight, rig.status().queued)
        await asyncio.gather(*waiting)

        assert ["urgent", "first", "second", "low"] == order
        assert NOTHING == left_over(rig)

    run(scenario())


def test_who_waited_in_vain_is_told_so_and_a_full_queue_at_once() -> None:
    async def scenario() -> None:
        rig = Rig((remote(serving=replace(ONE, queue_capacity=1, queue_timeout_s=5.0)),))
        async with _held(rig.live()):
            waiting = asyncio.create_task(_hold(rig.live()))
            await settled()
            with pytest.raises(CapacityExhausted, match="engine queue full"):
                await _hold(rig.live())
            rig.clock.advance(5.0)
            with pytest.raises(QueueTimeout, match="within 5 s"):
                await waiting
        assert NOTHING == left_over(rig)
        assert 2 == rig.status().counts.refused

    run(scenario())


def test_a_local_one_without_a_number_has_no_room_of_its_own() -> None:
    async def scenario() -> None:
        rig = Rig((remote(runtime=RuntimeKind.LLAMA_SERVER),))
        held = [await _hold(rig.live()) for _ in range(500)]

        assert (500, 0, None) == (rig.status().in_flight, rig.status().queued, rig.status().slots)

        for each in held:
            each.leave()
        assert NOTHING == left_over(rig)

    run(scenario())


def test_a_guess_changes_when_the_catalog_is_known() -> None:
    rig = Rig((replace(remote(), model="qwen"),))

    assert (RuntimeKind.VLLM, 32) == (rig.live().kind, rig.status().slots)

    rig.local.add("qwen")
    run(answer(rig.live()))

    assert (RuntimeKind.LLAMA_SERVER, None) == (rig.live().kind, rig.status().slots)
    assert 600.0 == rig.live().rules.timeouts.limits(rig.live().kind).request_s


# Limits


@pytest.mark.parametrize("is_strict", [False, True])
def test_over_a_limit_is_told_exactly_when_to_come_again(is_strict: bool) -> None:
    async def scenario() -> None:
        rig = Rig((remote(serving=REJECT, rate_limits=RateLimits(requests_per_minute=2, strict=is_strict)),))
        await answer(rig.live())
        rig.clock.advance(10.0)
        await answer(rig.live())
        rig.clock.advance(5.0)
        with pytest.raises(RateLimitExceeded) as refused:
            await answer(rig.live())

        assert 45.0 == refused.value.retry_after_s
        assert (2, 1) == (rig.status().counts.succeeded, rig.status().counts.rate_limited)
        assert NOTHING == left_over(rig)

        rig.clock.advance(45.0)
        await answer(rig.live())

    run(scenario())


@pytest.mark.parametrize("is_strict", [False, True])
def test_who_may_queue_waits_for_a_limit_in_order(is_strict: bool) -> None:
    async def scenario() -> None:
        serving = Serving(max_concurrent=8, queue_timeout_s=50.0)
        rig = Rig((remote(serving=serving, rate_limits=RateLimits(requests_per_minute=1, strict=is_strict)),))
        served: list[int] = []

        async def ask(number: int) -> None:
            await answer(rig.live())
            served.append(number)

        await ask(0)
        rig.clock.advance(20.0)
        asked = [asyncio.create_task(ask(number)) for number in (1, 2)]
        await settled()

        assert ([0], 2) == (served, rig.status().queued)

        rig.clock.advance(40.0)
        await settled()

        assert [0, 1] == served

        rig.clock.advance(9.0)
        with pytest.raises(RateLimitExceeded):
            await asked[1]
        assert NOTHING == left_over(rig)

    run(scenario())


def test_a_wait_beyond_the_patience_is_refused_at_once() -> None:
    async def scenario() -> None:
        rig = Rig((remote(rate_limits=RateLimits(requests_per_minute=1)),))
        await answer(rig.live())
        with pytest.raises(RateLimitExceeded) as refused:
            await answer(rig.live())

        assert 60.0 == refused.value.retry_after_s

    run(scenario())


@pytest.mark.parametrize("is_strict", [False, True])
def test_tokens_are_reserved_and_corrected_by_what_was_used(is_strict: bool) -> None:
    async def scenario() -> None:
        rig = Rig((remote(serving=REJECT, rate_limits=RateLimits(tokens_per_minute=100, strict=is_strict)),))
        await answer(rig.live(), 8, asking(5, 80))

        assert [13] == [each.used for each in rig.status().limits]

        await answer(rig.live(), 8, asking(5, 70))
        with pytest.raises(RateLimitExceeded):
            await answer(rig.live(), 8, asking(5, 80))

        assert [26] == [each.used for each in rig.status().limits]

    run(scenario())


def test_room_that_comes_back_lets_the_next_one_in_at_once() -> None:
    async def scenario() -> None:
        rig = Rig((remote(rate_limits=RateLimits(concurrent_requests=1)),))
        async with _held(rig.live()):
            waiting = asyncio.create_task(answer(rig.live()))
            await settled()

            assert not waiting.done()
        await waiting

        assert NOTHING == left_over(rig)

    run(scenario())


def test_strict_limits_hold_in_this_process_when_the_common_count_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        rates: Rates = RateLimits(requests_per_minute=2, strict=True)
        rig = Rig((remote(serving=REJECT, rate_limits=rates),))
        await answer(rig.live())
        rig.counters.failure = "the disk is gone"
        await answer(rig.live())
        with pytest.raises(RateLimitExceeded):
            await answer(rig.live())

    with caplog.at_level(logging.WARNING):
        run(scenario())

    assert ["deployment 'a' counts its limits in this process alone: the disk is gone"] == caplog.messages


def test_what_all_processes_call_it_tells_nothing_of_its_server() -> None:
    config = RuntimeConfig(RuntimeKind.OPEN_AI, endpoint="https://who:secret@there.example/v1?key=private")
    here = [
        Rig((remote("a", runtime_config=config),)).live().resources.limits.common.shared_name
        for _ in range(2)
    ]
    others = [
        Rig((remote(*name, runtime_config=more),)).live(*name).resources.limits.common.shared_name
        for name, more in [(("a",), replace(config, endpoint="https://there.example/v1")), (("b",), config)]
    ]

    assert here[0] == here[1]
    assert 3 == len({here[0], *others})
    assert [32] * 3 == [len(each) for each in (here[0], *others)]
    assert set("".join((here[0], *others))) <= set("0123456789abcdef")


# Money


def test_a_spent_budget_refuses_until_it_has_rolled_off() -> None:
    async def scenario() -> None:
        budget = Budget(max_spend_per_hour_pusd=10 * DOLLAR)
        rig = Rig((remote(pricing=A_DOLLAR, budget=budget),))
        await answer(rig.live(), 8, asking(max_tokens=8))
        with pytest.raises(BudgetExceeded) as refused:
            await answer(rig.live(), 8, asking(max_tokens=8))

        assert 3600.0 == refused.value.retry_after_s
        assert (8 * DOLLAR, 1) == (rig.status().spent_hour_pusd, rig.status().counts.refused)
        assert NOTHING == left_over(rig)

        rig.clock.advance(3600.0)
        await answer(rig.live(), 8, asking(max_tokens=8))

        assert (8 * DOLLAR, 16 * DOLLAR) == (rig.status().spent_hour_pusd, rig.status().spent_day_pusd)

    run(scenario())


def test_two_hundred_at_once_spend_no_more_than_the_budget() -> None:
    async def scenario() -> None:
        budget = Budget(max_spend_per_hour_pusd=10 * DOLLAR)
        serving = Serving(max_concurrent=200)
        rig = Rig((remote(pricing=A_DOLLAR, budget=budget, serving=serving),))
        found = await asyncio.gather(
            *(answer(rig.live(), 2, asking(max_tokens=2)) for _ in range(200)), return_exceptions=True
        )

        assert 5 == found.count(None)
        assert 195 == sum(isinstance(each, BudgetExceeded) for each in found)
        assert 10 * DOLLAR == rig.status().spent_hour_pusd

    run(scenario())


def test_who_overruns_goes_past_the_budget_by_those_in_flight_only() -> None:
    async def scenario() -> None:
        budget = Budget(max_spend_per_hour_pusd=20 * DOLLAR)
        rig = Rig((remote(pricing=A_DOLLAR, budget=budget, serving=Serving(max_concurrent=4)),))

        async def ask() -> None:
            async with entered(rig.live(), asking(max_tokens=2)) as passage:
                passage.take_breaker()
                await settled()
                for _ in range(6):
                    passage.answered(1)
                passage.attempt_succeeded()

        found = await asyncio.gather(*(ask() for _ in range(200)), return_exceptions=True)
        n_served = found.count(None)

        assert 6 * n_served * DOLLAR == rig.status().spent_hour_pusd
        assert 20 <= 6 * n_served <= 20 + 4 * (6 - 2)

    run(scenario())


def test_a_warning_is_told_once_for_each_excess(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        budget = Budget(max_spend_per_hour_pusd=10 * DOLLAR, on_exceeded=BudgetAction.WARN)
        rig = Rig((remote(pricing=A_DOLLAR, budget=budget),))
        for _ in range(4):
            await answer(rig.live(), 8)

        assert "more was spent than its budget of the last hour" == rig.status().why
        assert DeploymentState.SERVING == rig.status().state

        rig.clock.advance(3601.0)

        assert "" == rig.status().why

        await answer(rig.live(), 11)

    with caplog.at_level(logging.WARNING):
        run(scenario())

    assert ["deployment 'a' has spent more than its budget of the last hour"] * 2 == caplog.messages


@pytest.mark.parametrize(
    ("runtime", "serving"),
    [(None, Serving(max_concurrent=4)), (RuntimeKind.LLAMA_SERVER, Serving())],
)
def test_a_throttling_budget_halves_what_is_served_at_once(
    runtime: RuntimeKind | None, serving: Serving
) -> None:
    async def scenario() -> None:
        budget = Budget(max_spend_per_hour_pusd=10 * DOLLAR, on_exceeded=BudgetAction.THROTTLE)
        rig = Rig((remote(runtime=runtime, pricing=A_DOLLAR, budget=budget, serving=serving),))
        rig.n_server_slots = 4
        await answer(rig.live(), 11)
        asked = [asyncio.create_task(_hold(rig.live())) for _ in range(6)]
        await settled()

        assert (2, 4, 2) == (rig.status().in_flight, rig.status().queued, rig.status().slots)

        rig.clock.advance(10.0)
        rig.live().adapt(replace(rig.live().rules, budget=None))
        asked[0].result().leave()
        await settled()

        assert 0 == rig.status().queued if runtime else rig.status().in_flight == 4

        for each in asked:
            (await each).leave()
        assert NOTHING == left_over(rig)

    run(scenario())


# The breaker, and a person


def test_an_open_breaker_refuses_until_a_probe_is_due() -> None:
    async def scenario() -> None:
        policy = CircuitBreakerPolicy(failure_threshold=2, open_duration_s=30.0)
        rig = Rig((remote(circuit_breaker=policy),))
        async with _held(rig.live()) as passage:
            for _ in range(2):
                passage.take_breaker()
                passage.attempt_failed(UpstreamServerError("503"))
            with pytest.raises(CircuitOpen):
                passage.take_breaker()
        rig.clock.advance(10.0)
        with pytest.raises(CircuitOpen) as refused:
            await _hold(rig.live())

        assert 20.0 == refused.value.retry_after_s
        assert (BreakerState.OPEN, rig.clock.now + 20.0) == (rig.status().breaker, rig.status().retry_at)

        rig.clock.advance(20.0)
        async with _held(rig.live()) as probe, _held(rig.live()) as other:
            probe.take_breaker()
            with pytest.raises(CircuitOpen):
                other.take_breaker()
            with pytest.raises(CircuitOpen):
                await _hold(rig.live())
            probe.attempt_succeeded()
            other.take_breaker()

        assert BreakerState.CLOSED == rig.status().breaker
        assert NOTHING == left_over(rig)

    run(scenario())


def test_late_news_of_a_former_server_does_not_judge_the_one_that_came_after() -> None:
    async def scenario() -> None:
        policy = CircuitBreakerPolicy(failure_threshold=1)
        rules = remote(circuit_breaker=policy)
        rig = Rig((rules,))
        async with _held(rig.live()) as former:
            former.take_breaker()
            await rig.book.take([replace(rules, model="gpt-4o-other")])
            async with _held(rig.live()) as passage:
                passage.take_breaker()
                former.attempt_failed(UpstreamServerError("503"))
                passage.attempt_succeeded()

        assert BreakerState.CLOSED == rig.status().breaker

    run(scenario())


def test_a_person_drains_it_and_lets_it_serve_again() -> None:
    async def scenario() -> None:
        rig = Rig((remote(serving=ONE),))
        async with _held(rig.live()):
            waiting = asyncio.create_task(_hold(rig.live()))
            await settled()
            rig.live().drain()
            with pytest.raises(EndpointNotReady, match="disabled"):
                await waiting
            with pytest.raises(EndpointNotReady):
                await _hold(rig.live())

            assert DeploymentState.DRAINING == rig.status().state
        assert DeploymentState.DISABLED == rig.status().state

        rig.live().resume()
        await answer(rig.live())

        assert (DeploymentState.SERVING, "") == (rig.status().state, rig.status().why)

    run(scenario())


def test_a_person_who_lets_it_serve_again_gives_its_servers_here_a_fresh_start() -> None:
    async def scenario() -> None:
        rig = Rig((replace(remote("here"), model="tiny.gguf"), remote("there")), local={"tiny.gguf"})
        for name in ("here", "there"):
            async with _held(rig.live(name)) as passage:
                passage.take_breaker()
                passage.attempt_failed(ModelNotReady("tiny", "it crashes", math.inf))

            assert DeploymentState.FAILED == rig.status(name).state
            rig.live(name).resume()

        assert (DeploymentState.SERVING, ["tiny.gguf"]) == (rig.status("here").state, rig.revived)

    run(scenario())


def test_who_was_just_given_a_slot_keeps_it_when_it_is_drained() -> None:
    async def scenario() -> None:
        rig = Rig((remote(serving=ONE),))
        first = await _hold(rig.live())
        second = asyncio.create_task(_hold(rig.live()))
        await settled()
        first.leave()  # the second has the slot now, and does not know it yet
        rig.live().drain()

        passage = await second
        assert 1 == rig.live().resources.room.n_served
        passage.leave()
        assert NOTHING == left_over(rig)

    run(scenario())


def test_draining_turns_away_who_waits_for_a_limit_too() -> None:
    async def scenario() -> None:
        rig = Rig((remote(rate_limits=RateLimits(concurrent_requests=1)),))
        async with _held(rig.live()):
            waiting = [asyncio.create_task(_hold(rig.live())) for _ in range(3)]
            await settled()
            rig.live().drain()
            found = await asyncio.gather(*waiting, return_exceptions=True)

            assert [EndpointNotReady] * 3 == [type(each) for each in found]
        assert NOTHING == left_over(rig)

    run(scenario())


def test_a_failed_start_is_shown_until_it_works() -> None:
    async def scenario() -> None:
        rig = Rig()
        async with _held(rig.live()) as passage:
            passage.take_breaker()
            passage.attempt_failed(SpawnFailed("no memory"))

            assert DeploymentState.FAILED == rig.status().state
            assert "no memory" in rig.status().why
        await answer(rig.live())

        assert DeploymentState.SERVING == rig.status().state
        assert 1 == rig.status().counts.failed

    run(scenario())


# The key


def test_the_key_is_read_once_and_again_after_it_was_refused() -> None:
    async def scenario() -> None:
        config = RuntimeConfig(api_key=SecretRef(SecretSource.ENV, "KEY"))
        rig = Rig((remote(runtime_config=config),))
        with pytest.raises(EndpointNotReady, match="error") as missing:
            await rig.live().key()

        assert "there is no key in environment variable KEY" == missing.value.hint
        assert DeploymentState.FAILED == rig.status().state

        rig.secrets.texts["KEY"] = "first"

        assert Secret("first") == await rig.live().key()

        rig.secrets.texts["KEY"] = "second"

        assert Secret("first") == await rig.live().key()

        rig.live().forget_key()

        assert Secret("second") == await rig.live().key()

    run(scenario())
    assert None is Rig().live()._key
