"""Between two attempts: a pause that has lost its sense ends, and a server that loads is waited for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.core.deployment.orders import DeploymentOrder
from ggtui.core.deployment.policies import CircuitBreakerPolicy, Jitter, RateLimits, RetryPolicy, Timeouts
from ggtui.proxy.settings import ProxySettings
from ggtui.services.deployments.control import DeploymentsControl
from tests.programs.fakeup import RawUpstream, answering
from tests.proxy.deployed import BUSY, CHAT, DONE, OK, STREAM, WORDS, events, far, refusal
from tests.proxy.rig import Answer, Door, door, run, unchunk

if TYPE_CHECKING:
    from ggtui.services.deployments.live import LiveDeployment

FOR_EVER = RetryPolicy(max_retries=3, initial_backoff_s=1000.0, max_backoff_s=1000.0, jitter=Jitter.NONE)
LOADING = refusal("503 Loading", message="Loading model")


async def ask(proxy: Door, body: bytes = CHAT) -> Answer:
    return Answer.parse(await proxy.ask(proxy.post(body)))


def far_of(proxy: Door) -> LiveDeployment:
    live = proxy.deployments.get("far")
    assert live is not None
    return live


async def pausing(proxy: Door, upstream: RawUpstream) -> Any:
    """A client whose request has failed once and waits for another try."""
    client = await proxy.connect()
    await client.send(proxy.post(CHAT))
    await upstream.asked.wait()
    while not far_of(proxy).pauses._running:  # noqa: ASYNC110  nothing announces it
        await asyncio.sleep(0)
    return client


def test_a_person_who_opens_the_breaker_ends_the_pause_before_another_try() -> None:
    async def check() -> None:
        async with (
            RawUpstream(answering(BUSY)) as upstream,
            door(deployments=[far(upstream.port, retry=FOR_EVER)]) as proxy,
        ):
            client = await pausing(proxy, upstream)
            await DeploymentsControl(proxy.deployments).order("far", DeploymentOrder.OPEN)
            answer = await client.answer()

            assert (502, "upstream_error", 1) == (answer.status, answer.code, len(upstream.requests))

    run(check())


def test_failures_of_others_that_open_it_do_so_too() -> None:
    async def check() -> None:
        rules: dict[str, Any] = {"retry": FOR_EVER, "circuit_breaker": CircuitBreakerPolicy(2)}
        async with (
            RawUpstream(answering(BUSY)) as upstream,
            door(deployments=[far(upstream.port, **rules)]) as proxy,
        ):
            client = await pausing(proxy, upstream)
            second = await ask(proxy)
            first = await client.answer()

            assert ["upstream_error"] * 2 == [first.code, second.code]
            assert 2 == len(upstream.requests)

    run(check())


@pytest.mark.parametrize("is_idempotent", [True, False])
def test_a_server_that_loads_its_model_is_asked_until_it_is_ready(is_idempotent: bool) -> None:
    async def check() -> None:
        rules: dict[str, Any] = {
            "idempotent": is_idempotent,
            "circuit_breaker": CircuitBreakerPolicy(1),
            "rate_limits": RateLimits(requests_per_minute=1),
        }
        async with (
            RawUpstream(answering(LOADING, LOADING, OK)) as upstream,
            door(deployments=[far(upstream.port, **rules)]) as proxy,
        ):
            answer = await ask(proxy)

            assert (200, 3) == (answer.status, len(upstream.requests))
            counts = far_of(proxy).counters
            assert (1, 0) == (counts.succeeded, counts.failed)
            assert 0 == far_of(proxy).breaker.failures_in_a_row

    run(check())


def test_a_load_that_takes_longer_than_an_answer_may_is_told_or_handed_over() -> None:
    async def check() -> None:
        short = Timeouts(request_timeout_s=0.1)
        async with (
            RawUpstream(answering(LOADING)) as upstream,
            RawUpstream(answering(OK)) as other,
            door(
                deployments=[
                    far(upstream.port, timeouts=short),
                    far(upstream.port, "alone", timeouts=short, fallback=("other",)),
                    far(other.port, "other"),
                ]
            ) as proxy,
        ):
            alone = await ask(proxy)
            handed = await ask(proxy, CHAT.replace(b'"far"', b'"alone"'))

            assert (503, "model_loading") == (alone.status, alone.code)
            assert alone.values("retry-after")
            assert (200, ["other"]) == (handed.status, handed.values("x-ggtui-deployment"))

    run(check())


def test_a_stream_hears_of_the_load_and_then_its_answer() -> None:
    async def check() -> None:
        settings = ProxySettings(drain_grace_s=0.05, wait_grace_s=0.3, wait_told_every_s=10.0)
        async with (
            RawUpstream(answering(LOADING, LOADING, events(*WORDS, DONE))) as upstream,
            door(deployments=[far(upstream.port)], settings=settings) as proxy,
        ):
            answer = await ask(proxy, STREAM)

            told = b": the load at far\n\n"  # in the second pause: the grace is of both together
            assert (told + b"".join(WORDS) + DONE, True) == unchunk(answer.body)

    run(check())
