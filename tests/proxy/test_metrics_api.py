"""Who answers `/metrics`: ggtui itself, or the one server that is named."""

from __future__ import annotations

from dataclasses import replace

from ggtui.core.deployment.runtimes import RuntimeKind
from ggtui.core.snapshot import DeploymentCounts, DeploymentStatus, EngineSnapshot
from tests.programs.fakeup import RawUpstream, answering, plain
from tests.prometheus import read
from tests.proxy.rig import Answer, FakeControl, FakeRuntime, door, run, target_at

OK = plain(b'{"ok": true}')
QWEN = DeploymentStatus(
    'q"wen', RuntimeKind.LLAMA_SERVER, "it is set", "tiny", counts=DeploymentCounts(succeeded=7)
)
STATE = EngineSnapshot(1, deployments=(QWEN,))


def test_without_a_model_ggtui_tells_of_itself_in_the_format_of_prometheus() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            runtime = FakeRuntime(target_at(upstream.port))
            async with door(runtime=runtime, control=FakeControl(STATE)) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.get("/metrics")))
                told = read(answer.body.decode())

                assert (200, ["text/plain; version=0.0.4; charset=utf-8"]) == (
                    answer.status,
                    answer.values("content-type"),
                )
                done = told["inference_requests_total"]
                assert 7 == done.value(deployment='q"wen', outcome="succeeded")
                assert [] == runtime.wanted

    run(check())


def test_nothing_has_to_run() -> None:
    async def check() -> None:
        async with door(control=FakeControl()) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.get("/metrics?model=")))

            assert (200, 0) == (answer.status, read(answer.body.decode())["ggtui_models"].value())

    run(check())


def test_with_a_model_its_server_is_asked() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            other = replace(target_at(upstream.port), model_id=2, model_name="other")
            runtime = FakeRuntime(target_at(upstream.port), others=[other])
            async with door(runtime=runtime, control=FakeControl(STATE)) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.get("/metrics?model=tiny")))

                assert 200 == answer.status
                assert b"inference_requests_total" not in answer.body
                assert [b"GET /metrics?model=tiny HTTP/1.1"] == [each.line for each in upstream.requests]
                assert [] == runtime.wanted

    run(check())
