"""Questions to running servers: whom they reach, and that asking changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from ggtui.core.snapshot import EngineSnapshot, TargetStatus
from ggtui.core.state import TargetState
from tests.programs.fakeup import Peer, RawUpstream, answering, plain
from tests.proxy.rig import Answer, FakeCatalog, FakeControl, FakeRuntime, door, run, summary, target_at

OK = plain(b'{"ok": true}')
MODELS = [summary(1, "tiny"), summary(2, "other"), summary(3, "idle")]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/props?model=1", 200, ""),
        ("/slots?model=tiny&x=1", 200, ""),
        ("/props?model=zzz", 404, "model 'zzz' not found"),
        ("/props?model=idle", 400, "idle is not running, but tiny"),
        ("/props?model=" + "a" * 600, 400, "model is longer than 512 characters"),
        ("/props?" + "&".join(f"p{n}=1" for n in range(40)), 400, "the query has more than 32 parameters"),
    ],
)
def test_a_question_reaches_the_running_model_or_says_who_runs(path: str, status: int, words: str) -> None:
    async def check() -> None:
        catalog = FakeCatalog(MODELS)
        async with RawUpstream(answering(OK)) as upstream, door(upstream.port, catalog=catalog) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.get(path)))

            assert status == answer.status
            assert words in answer.json.get("error", {}).get("message", "")
            expected = [f"GET {path} HTTP/1.1".encode()] if status == 200 else []
            assert expected == [request.line for request in upstream.requests]

    run(check())


def test_any_replica_speaks_for_its_model() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as first, RawUpstream(answering(OK)) as second:
            runtime = FakeRuntime(target_at(first.port), others=[target_at(second.port)])
            async with door(runtime=runtime, catalog=FakeCatalog(MODELS)) as proxy:
                told = Answer.parse(await proxy.ask(proxy.get("/props?model=tiny")))

                assert 200 == told.status

    run(check())


def test_one_of_several_must_be_named() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as first, RawUpstream(answering(OK)) as second:
            other = replace(target_at(second.port), model_id=2, model_name="other")
            runtime = FakeRuntime(target_at(first.port), others=[other])
            async with door(runtime=runtime, catalog=FakeCatalog(MODELS)) as proxy:
                unclear = Answer.parse(await proxy.ask(proxy.get("/props")))
                named = Answer.parse(await proxy.ask(proxy.get("/props?model=other")))

                assert (400, "several models are running: name tiny and other") == (
                    unclear.status,
                    unclear.json["error"]["message"],
                )
                assert 200 == named.status
                assert (0, 1) == (len(first.requests), len(second.requests))

    run(check())


def test_a_question_takes_no_lease_so_it_starts_and_keeps_nothing() -> None:
    async def hang(upstream: RawUpstream, peer: Peer) -> None:
        await upstream.take(peer)
        await peer.until_gone()

    async def check() -> None:
        async with RawUpstream(hang) as upstream, door(upstream.port) as proxy:
            asking = asyncio.create_task(proxy.ask(proxy.get("/props")))
            await upstream.asked.wait()

            assert (0, []) == (proxy.runtime.n_leases, proxy.runtime.wanted)

            proxy.server.pool.close_target(target_at(upstream.port))
            answer = Answer.parse(await asking)

            assert (502, "upstream_crashed") == (answer.status, answer.code)
            assert (1, []) == (len(upstream.requests), proxy.runtime.wanted)

    run(check())


def test_a_server_that_is_being_stopped_is_not_asked() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            ending = target_at(upstream.port)
            status = TargetStatus(1, "tiny", TargetState.STOPPING, 0.0, base_url=ending.base_url)
            control = FakeControl(EngineSnapshot(1, targets=(status,)))
            async with door(runtime=FakeRuntime(ending), control=control) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.get("/slots")))

                assert (400, "no model is running") == (answer.status, answer.json["error"]["message"])
                assert ([], []) == (upstream.requests, proxy.runtime.wanted)

    run(check())
