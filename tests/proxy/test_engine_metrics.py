"""The numbers of all servers: who is asked, for how long, and how often."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from ggtui.core.deployment.deployment import Deployment
from ggtui.core.engine_metrics import MAX_METRICS_BYTES
from ggtui.core.snapshot import EngineSnapshot, TargetStatus
from ggtui.core.state import TargetState
from ggtui.proxy.engine_metrics import EngineMetrics
from ggtui.proxy.questions import Questions
from tests.programs.fakeup import Peer, RawUpstream, answering, plain
from tests.prometheus import Family, read
from tests.proxy.rig import (
    HANG_S,
    Answer,
    Door,
    FakeCatalog,
    FakeControl,
    FakeRuntime,
    door,
    run,
    summary,
    target_at,
)

if TYPE_CHECKING:
    from ggtui.core.models import RunningTarget
    from ggtui.proxy.forward import Forwarder

PREDICTED = "llamacpp:tokens_predicted_total"
TELLS = plain(f"# HELP {PREDICTED} Tokens.\n# TYPE {PREDICTED} counter\n{PREDICTED} 8\n".encode())
LARGE = plain(b"#" * (MAX_METRICS_BYTES + 1))
MODELS = [summary(1, "tiny"), summary(2, "other"), summary(3, "idle")]


def second(port: int) -> RunningTarget:
    return replace(target_at(port), model_id=2, model_name="other")


async def scrape(proxy: Door) -> dict[str, Family]:
    answer = Answer.parse(await proxy.ask(proxy.get("/metrics")))

    assert 200 == answer.status
    return read(answer.body.decode())


def models_in(family: Family) -> set[str]:
    return {dict(labels)["model"] for labels in family.samples}


async def _hang(upstream: RawUpstream, peer: Peer) -> None:
    await upstream.take(peer)
    await peer.until_gone()


def test_every_running_server_is_asked_with_its_own_key_and_no_lease() -> None:
    async def check() -> None:
        async with RawUpstream(answering(TELLS)) as first, RawUpstream(answering(TELLS)) as other:
            runtime = FakeRuntime(target_at(first.port), others=[second(other.port)])
            async with door(runtime=runtime, catalog=FakeCatalog(MODELS)) as proxy:
                told = await scrape(proxy)

                assert {"tiny", "other"} == models_in(told[PREDICTED])
                assert 8 == told[PREDICTED].value(model="other")
                for upstream in (first, other):
                    (request,) = upstream.requests
                    assert b"GET /metrics HTTP/1.1" == request.line
                    assert ["Bearer launch-key"] == request.values("authorization")
                assert ([], 0) == (runtime.wanted, runtime.n_leases)

    run(check())


def test_the_only_deployment_of_a_model_is_told() -> None:
    deployments = [
        Deployment("fast", "tiny"),
        Deployment("one", "other"),
        Deployment("two", "other"),
    ]

    async def check() -> None:
        async with RawUpstream(answering(TELLS)) as first, RawUpstream(answering(TELLS)) as other:
            runtime = FakeRuntime(target_at(first.port), others=[second(other.port)])
            catalog = FakeCatalog(MODELS)
            async with door(runtime=runtime, catalog=catalog, deployments=deployments) as proxy:
                told = (await scrape(proxy))[PREDICTED]

                assert 8 == told.value(model="tiny", deployment="fast")
                assert 8 == told.value(model="other", deployment="")

    run(check())


def test_who_does_not_answer_in_time_or_soundly_is_missing_and_the_others_are_not() -> None:
    async def check() -> None:
        async with (
            RawUpstream(_hang) as hanging,
            RawUpstream(answering(plain(b"{}", status="501 Not Implemented"))) as old,
            RawUpstream(answering(LARGE)) as large,
            RawUpstream(answering(TELLS)) as sound,
        ):
            ports = {"hanging": hanging.port, "old": old.port, "large": large.port, "dead": 1}
            others = [replace(target_at(port), model_name=name) for name, port in ports.items()]
            runtime = FakeRuntime(target_at(sound.port), others=others)
            async with door(runtime=runtime) as proxy:
                told = await scrape(proxy)

                assert {"tiny"} == models_in(told[PREDICTED])
                assert set(ports) == models_in(told["ggtui_metrics_missing"])
                assert {1.0} == set(told["ggtui_metrics_missing"].samples.values())
                assert (0, 0) == proxy.server.pool.n_connections(others[0])

    run(check())


def test_a_server_that_is_being_stopped_is_not_asked_and_not_missing() -> None:
    async def check() -> None:
        async with RawUpstream(answering(TELLS)) as upstream:
            ending = target_at(upstream.port)
            status = TargetStatus(1, "tiny", TargetState.STOPPING, 0.0, base_url=ending.base_url)
            control = FakeControl(EngineSnapshot(1, targets=(status,)))
            async with door(runtime=FakeRuntime(ending), control=control) as proxy:
                told = await scrape(proxy)

                assert not {PREDICTED, "ggtui_metrics_missing"} & set(told)
                assert [] == upstream.requests

    run(check())


def test_scrapers_at_the_same_time_read_what_was_asked_once() -> None:
    async def check() -> None:
        async with RawUpstream(answering(TELLS)) as upstream, door(upstream.port) as proxy:
            metrics = _metrics(proxy, reuse_s=3600)
            told = await asyncio.gather(*(metrics.families() for _ in range(8)))

            assert [[PREDICTED, "ggtui_metrics_missing"]] * 8 == [[each.name for each in one] for one in told]
            assert 1 == len(upstream.requests)

    run(check())


def test_a_later_scraper_has_the_server_asked_again() -> None:
    async def check() -> None:
        async with RawUpstream(answering(TELLS)) as upstream, door(upstream.port) as proxy:
            metrics = _metrics(proxy, reuse_s=0)
            await metrics.families()
            await metrics.families()

            assert 2 == len(upstream.requests)

    run(check())


def test_a_scraper_that_leaves_does_not_take_the_answer_from_the_next() -> None:
    release = asyncio.Event()

    async def answer_late(upstream: RawUpstream, peer: Peer) -> None:
        await upstream.take(peer)
        await release.wait()
        await peer.send(TELLS)

    async def check() -> None:
        async with RawUpstream(answer_late) as upstream, door(upstream.port) as proxy:
            metrics = _metrics(proxy, reuse_s=3600)
            leaving, staying = (asyncio.ensure_future(metrics.families()) for _ in range(2))
            await upstream.asked.wait()
            leaving.cancel()
            release.set()

            assert [PREDICTED, "ggtui_metrics_missing"] == [each.name for each in await staying]

    run(check())


def _metrics(proxy: Door, reuse_s: float) -> EngineMetrics:
    forwarder = cast("Forwarder", None)  # only for questions that a client asks
    questions = Questions(proxy.runtime, proxy.catalog, proxy.endpoints, proxy.control, forwarder)
    return EngineMetrics(questions, proxy.endpoints, proxy.server.pool, answer_s=HANG_S, reuse_s=reuse_s)
