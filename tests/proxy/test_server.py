"""The door as a whole: lists, refusals, opening, closing, and a client library that knows nothing of us."""

from __future__ import annotations

import asyncio
import json
import time

import openai
import pytest

from ggtui.core.errors import Failure
from tests.programs.fakeup import STREAM_HEAD, Peer, RawUpstream, answering, chunk, plain
from tests.proxy.rig import (
    JSON,
    Answer,
    Door,
    FakeCatalog,
    FakeRuntime,
    door,
    run,
    summary,
    target_at,
    unchunk,
)

BODY = b'{"model": "tiny", "stream": true}'


def test_health_needs_no_model() -> None:
    async def check() -> None:
        async with door() as proxy:
            answer = Answer.parse(await proxy.ask(proxy.get("/health")))

            assert (200, {"status": "ok"}) == (answer.status, answer.json)

    run(check())


def test_models_are_listed_in_order_with_their_context() -> None:
    models = [
        summary(1, "a-q4", n_ctx_train=2048),
        summary(2, "b-q4", problem="cut"),
        summary(3, "c-q8", n_ctx_chosen=512),
    ]

    async def check() -> None:
        runtime = FakeRuntime(target_at(9, model_id=3), others=[target_at(10, model_id=2)])
        async with door(catalog=FakeCatalog(models), runtime=runtime) as proxy:
            listed = Answer.parse(await proxy.ask(proxy.get("/v1/models"))).json
            again = Answer.parse(await proxy.ask(proxy.get("/models"))).json
            everything = Answer.parse(await proxy.ask(proxy.get("/v1/models?all=1"))).json

            assert [("a-q4", 2048), ("c-q8", 4096)] == [
                (each["id"], each["context_window"]) for each in listed["data"]
            ]
            assert {"list"} == {listed["object"]}
            assert {("ggtui", "model")} == {(each["owned_by"], each["object"]) for each in listed["data"]}
            assert listed == again
            assert ["ready", "error", "ready"] == [each["status"] for each in everything["data"]]
            assert [False, True, True] == [each["is_running"] for each in everything["data"]]

    run(check())


@pytest.mark.parametrize(("path", "status"), [("tiny", 200), ("1", 200), ("tin", 404), ("a%2Fb", 404)])
def test_one_model_goes_by_name_or_number(path: str, status: int) -> None:
    async def check() -> None:
        async with door() as proxy:
            answer = Answer.parse(await proxy.ask(proxy.get(f"/v1/models/{path}")))

            assert status == answer.status
            assert "tiny" == answer.json["id"] if status == 200 else answer.code == "model_not_found"
            if path == "tin":
                assert "did you mean tiny?" == answer.json["error"]["hint"]

    run(check())


@pytest.mark.parametrize(
    ("start", "status", "code", "allow"),
    [
        ("GET /nowhere", 404, "not_found", []),
        ("POST /health", 405, "method_not_allowed", ["GET, HEAD"]),
        ("GET /v1/chat/completions", 405, "method_not_allowed", ["POST"]),
        ("PUT /props", 405, "method_not_allowed", ["GET"]),
        ("OPTIONS /v1/models", 405, "method_not_allowed", ["GET, HEAD"]),
        ("GET /tools", 403, "feature_disabled", []),
        ("POST /cors-proxy", 403, "feature_disabled", []),
        ("GET /v1/stream", 404, "not_found", []),
        ("GET /v1/models?" + "a=1&" * 40, 400, "invalid_request", []),
        ("GET /v1/models/" + "a" * 600, 400, "invalid_request", []),
    ],
)
def test_other_paths_are_refused_in_json(start: str, status: int, code: str, allow: list[str]) -> None:
    async def check() -> None:
        async with door() as proxy:
            answer = Answer.parse(await proxy.ask(proxy.head(start, "Connection: close")))

            assert (status, code) == (answer.status, answer.code)
            assert allow == answer.values("allow")

    run(check())


def test_the_address_ends_in_v1() -> None:
    async def check() -> None:
        async with door() as proxy:
            assert f"http://127.0.0.1:{proxy.port}/v1" == proxy.server.url

    run(check())


def test_a_hundred_open_streams_end_with_an_error_event_when_it_stops() -> None:
    async def play(upstream: RawUpstream, peer: Peer) -> None:
        await upstream.take(peer)
        await peer.send(STREAM_HEAD + chunk(b"data: 1\n\n"))
        await peer.until_gone()

    async def check() -> None:
        async with RawUpstream(play) as upstream, door(upstream.port) as proxy:
            clients = [await proxy.connect() for _ in range(100)]
            for client in clients:
                await client.send(proxy.head("POST /v1/completions", JSON, body=BODY))
            for client in clients:
                await client.reader.readuntil(b"\r\n\r\n")
            begun = time.monotonic()
            stopping = asyncio.create_task(proxy.server.stop())
            bodies = [unchunk(await client.rest()) for client in clients]
            await stopping

            assert 100 == sum(b'"code":"stopping"' in body and not is_ended for body, is_ended in bodies)
            assert time.monotonic() - begun < 20
            for client in clients:
                client.close()

    run(check())


def test_a_waiting_request_is_told_that_it_stops() -> None:
    async def check() -> None:
        runtime = FakeRuntime(target_at(1), gate=asyncio.Event())
        async with door(runtime=runtime) as proxy:
            asking = asyncio.create_task(proxy.ask(proxy.post(BODY)))
            await runtime.waiting.wait()
            await proxy.server.stop()
            answer = Answer.parse(await asking)

            assert (503, "stopping") == (answer.status, answer.code)

    run(check())


def test_stop_without_start_and_twice_is_harmless() -> None:
    async def check() -> None:
        async with door() as proxy:
            await proxy.server.stop()
            await proxy.server.stop()

    run(check())


COMPLETION = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "tiny",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
}


def test_the_openai_library_works_unchanged() -> None:
    deltas = [
        {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "tiny",
            "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}],
        }
        for text in ("hel", "lo")
    ]
    events = b"".join(b"data: " + json.dumps(delta).encode() + b"\n\n" for delta in deltas)
    stream = STREAM_HEAD + chunk(events) + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"

    async def check() -> None:
        answers = answering(plain(json.dumps(COMPLETION).encode()), stream)
        async with RawUpstream(answers) as upstream, door(upstream.port) as proxy:
            await use_library(proxy)

    run(check())


async def use_library(proxy: Door) -> None:
    async with openai.AsyncOpenAI(base_url=proxy.server.url, api_key="any", max_retries=0) as client:
        models = await client.models.list()
        asked = await client.chat.completions.create(
            model="tiny", messages=[{"role": "user", "content": "hi"}]
        )
        streamed = await client.chat.completions.create(
            model="tiny", messages=[{"role": "user", "content": "hi"}], stream=True
        )
        pieces = [piece.choices[0].delta.content async for piece in streamed]
        proxy.runtime.failure = NotThere("Model not found: x")
        with pytest.raises(openai.NotFoundError) as caught:
            await client.completions.create(model="x", prompt="y")

        assert ["tiny"] == [model.id for model in models.data]
        assert "hello" == asked.choices[0].message.content
        assert ["hel", "lo"] == pieces
        assert "model_not_found" == caught.value.code


class NotThere(Failure):
    """Any failure with a status."""

    status = 404
    code = "model_not_found"
