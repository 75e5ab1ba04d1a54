"""A request to a model with adapters: what its server is told, and what its answer says."""

from __future__ import annotations

import asyncio
import json

import pytest

from ggtui.proxy.server import ProxySettings
from tests.programs.fakeup import STREAM_HEAD, Peer, RawUpstream, answering, chunk, ending_after, plain
from tests.proxy.rig import JSON, Answer, FakeRuntime, door, run, target_at, unchunk, with_adapters

OK = plain(b'{"ok": true}')
CARRIED = ("code", "chat")
REST = b'"messages": [{"role": "user", "content": "hello"}], "zz": 1e2}'


def _body(model: str, more: str = "") -> bytes:
    return b'{"model": "%b", %b' % (model.encode(), more.encode()) + REST


def _scales(body: bytes) -> list[float]:
    """The whole list that arrived."""
    entries = json.loads(body)["lora"]
    assert list(range(len(entries))) == [entry["id"] for entry in entries]
    return [entry["scale"] for entry in entries]


@pytest.mark.parametrize(
    ("model", "scales", "applied"),
    [
        ("tiny", [0, 0], []),
        ("1", [0, 0], []),
        ("tiny:code", [0.8, 0], ["code=0.8"]),
        ("tiny:chat", [0, 0.5], ["chat=0.5"]),
        ("tiny:both", [0.8 / 1.3, 0.5 / 1.3], ["code=0.6154,chat=0.3846"]),
        ("tiny:half", [0.5, 0], ["code=0.5"]),
        ("tiny:chat+code", [0.8, 0.5], ["code=0.8,chat=0.5"]),
    ],
)
def test_the_server_hears_of_every_adapter_it_carries(
    model: str, scales: list[float], applied: list[str]
) -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            runtime = FakeRuntime(target_at(upstream.port, adapters=CARRIED))
            async with door(runtime=runtime, catalog=with_adapters()) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(_body(model))))

                sent = upstream.requests[0].body
                assert scales == pytest.approx(_scales(sent))
                assert sent.endswith(REST)
                assert json.loads(sent)["cache_prompt"] is True
                assert [("tiny", None)] == runtime.wanted
                assert applied == answer.values("x-ggtui-adapters")
                assert ["tiny" if model == "1" else model] == answer.values("x-ggtui-endpoint")
                assert ["named"] == answer.values("x-ggtui-route")

    run(check())


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/completions", "/v1/completion", "/v1/responses", "/infill"]
)
def test_every_path_that_generates_text_has_the_list(path: str) -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            runtime = FakeRuntime(target_at(upstream.port, adapters=CARRIED))
            async with door(runtime=runtime, catalog=with_adapters()) as proxy:
                await proxy.ask(proxy.post(_body("tiny:code"), path))

                assert [0.8, 0] == _scales(upstream.requests[0].body)

    run(check())


@pytest.mark.parametrize(
    "path",
    ["/v1/messages", "/v1/embeddings", "/embedding", "/rerank", "/tokenize", "/v1/messages/count_tokens"],
)
def test_other_paths_are_forwarded_as_they_came(path: str) -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            runtime = FakeRuntime(target_at(upstream.port, adapters=CARRIED))
            async with door(runtime=runtime, catalog=with_adapters()) as proxy:
                await proxy.ask(proxy.post(_body("tiny", '"lora": 7, '), path))

                assert [_body("tiny", '"lora": 7, ')] == [each.body for each in upstream.requests]

    run(check())


@pytest.mark.parametrize(
    ("own", "scales"),
    [
        ("[]", [0, 0]),
        ("null", [0, 0]),
        ('[{"id": 1, "scale": 2.5}]', [0, 2.5]),
        ('[{"name": "code", "weight": 0.3}, {"id": 1, "scale": -1}]', [0.3, -1]),
    ],
)
def test_a_list_of_the_client_is_made_whole(own: str, scales: list[float]) -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            runtime = FakeRuntime(target_at(upstream.port, adapters=CARRIED))
            async with door(runtime=runtime, catalog=with_adapters()) as proxy:
                bodies = [_body("tiny", f'"lora": {own}, '), _body("tiny", f'"l\\u006fra": {own}, ')]
                for body in bodies:
                    await proxy.ask(proxy.post(body))

                for request in upstream.requests:
                    assert scales == _scales(request.body)
                    assert 1 == request.body.count(b'"lora"')
                assert len(bodies) == len(upstream.requests)

    run(check())


@pytest.mark.parametrize(
    ("model", "own", "words"),
    [
        ("tiny", '[{"id": "a", "scale": 1}]', "id in lora must be a whole number"),
        ("tiny", '[{"id": 2, "scale": 1}]', "lora names the adapter 2, but 0 is code, 1 is chat"),
        ("tiny", '[{"name": "sql", "weight": 1}]', "lora names the adapter 'sql', but tiny has chat, code"),
        ("tiny", '[{"name": "both", "weight": 1}]', "lora names the adapter 'both', but tiny has chat, code"),
        ("tiny", '{"id": 0, "scale": 1}', "lora must be a list"),
        ("tiny:code", '[{"id": 0, "scale": 1}]', "tiny:code chooses adapters already"),
        ("tiny:code", "[]", "tiny:code chooses adapters already"),
    ],
)
def test_a_list_that_means_nothing_is_refused_by_name(model: str, own: str, words: str) -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            runtime = FakeRuntime(target_at(upstream.port, adapters=CARRIED))
            async with door(runtime=runtime, catalog=with_adapters()) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(_body(model, f'"lora": {own}, '))))

                error = answer.json["error"]
                assert (400, "invalid_request", "lora") == (answer.status, error["code"], error["param"])
                assert words in error["message"]
                assert [] == upstream.requests

    run(check())


@pytest.mark.parametrize(
    ("own", "status", "words"),
    [
        ("[]", 200, ""),
        ('[{"id": 0, "scale": 1}]', 400, "lora names the adapter 0, but the model has none"),
        ('[{"name": "code", "weight": 1}]', 400, "lora names the adapter 'code', but tiny has none"),
    ],
)
def test_a_model_without_adapters_has_none_to_name(own: str, status: int, words: str) -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(upstream.port) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(_body("tiny", f'"lora": {own}, '))))

            assert status == answer.status
            assert words == answer.json.get("error", {}).get("message", "")
            expected = [b'{"model": "tiny",  ' + REST] * (status == 200)
            assert expected == [each.body for each in upstream.requests]

    run(check())


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/rerank", "/v1/messages", "/v1/embedding"])
def test_an_adapter_is_refused_where_the_server_applies_none(path: str) -> None:
    async def check() -> None:
        async with door(runtime=FakeRuntime(target_at(9)), catalog=with_adapters()) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(_body("tiny:code"), path)))

            error = answer.json["error"]
            assert (400, "invalid_request") == (answer.status, answer.code)
            at_server = path.removeprefix("/v1") if path == "/v1/embedding" else path
            assert f"llama-server applies no adapters on {at_server}:" in error["message"]
            assert "ask tiny:code for text on /v1/chat/completions" in error["message"]
            assert "or name tiny, the model alone" == error["hint"]
            assert [] == proxy.runtime.wanted

    run(check())


@pytest.mark.parametrize(("model", "status"), [("tiny", 200), ("tiny:code", 400)])
def test_a_form_is_served_by_the_model_alone(model: str, status: int) -> None:
    form = f'--XX\r\nContent-Disposition: form-data; name="model"\r\n\r\n{model}\r\n--XX--\r\n'.encode()

    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            runtime = FakeRuntime(target_at(upstream.port, adapters=CARRIED))
            async with door(runtime=runtime, catalog=with_adapters()) as proxy:
                raw = proxy.post(
                    form, "/v1/audio/transcriptions", "Content-Type: multipart/form-data; boundary=XX"
                )
                answer = Answer.parse(await proxy.ask(raw))

                assert status == answer.status
                assert [form] * (status == 200) == [each.body for each in upstream.requests]

    run(check())


def test_a_large_body_arrives_whole_behind_its_list() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            runtime = FakeRuntime(target_at(upstream.port, adapters=CARRIED))
            async with door(runtime=runtime, catalog=with_adapters()) as proxy:
                rest = b'"prompt": "' + b"abc " * 5_000_000 + b'"}'
                body = b'{"model": "tiny:code", "lora": null, ' + rest
                answer = Answer.parse(await proxy.ask(proxy.post(body, "/v1/completions")))

                sent = upstream.requests[0].body
                assert 200 == answer.status
                start = (
                    b'{"lora":[{"id":0,"scale":0.8},{"id":1,"scale":0.0}],"cache_prompt":true,'
                    b'"model": "tiny:code", '
                )
                assert start == sent[: len(start)]
                assert b" " + rest == sent[len(start) :]

    run(check())


def test_a_second_server_gets_a_list_of_its_own() -> None:
    async def check() -> None:
        dying, living = RawUpstream(ending_after(b"")), RawUpstream(answering(OK))
        async with dying, living:
            first = target_at(dying.port, adapters=("code", "chat"))
            second = target_at(living.port, adapters=("chat", "sql", "code"))
            runtime = FakeRuntime(first, targets=[first, second])
            async with door(runtime=runtime, catalog=with_adapters()) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(_body("tiny:both"))))

                assert 200 == answer.status
                assert [0.8 / 1.3, 0.5 / 1.3] == pytest.approx(_scales(dying.requests[0].body))
                assert [0.5 / 1.3, 0, 0.8 / 1.3] == pytest.approx(_scales(living.requests[0].body))
                assert 1 == living.requests[0].body.count(b'"lora"')
                assert ["chat=0.3846,code=0.6154"] == answer.values("x-ggtui-adapters")

    run(check())


def test_an_adapter_attached_a_moment_ago_waits_for_the_server_that_carries_it() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            old = target_at(upstream.port, adapters=("chat",))
            new = target_at(upstream.port, adapters=CARRIED)
            runtime = FakeRuntime(old, targets=[old, old, new])
            async with door(runtime=runtime, catalog=with_adapters()) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(_body("tiny:code"))))

                assert 200 == answer.status
                assert [[0.8, 0]] == [_scales(each.body) for each in upstream.requests]
                assert 3 == len(runtime.wanted)

    run(check())


def test_an_adapter_that_no_server_comes_to_carry_is_told() -> None:
    async def check() -> None:
        runtime = FakeRuntime(target_at(9, adapters=("chat",)))
        settings = ProxySettings(restart_wait_s=0.05, drain_grace_s=0.05)
        async with door(runtime=runtime, catalog=with_adapters(), settings=settings) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(_body("tiny:code"))))

            assert (503, "model_not_ready") == (answer.status, answer.code)
            assert "model 'tiny:code' is not ready (status: loading)" == answer.json["error"]["message"]
            assert "the server that runs does not carry code yet" == answer.json["error"]["hint"]

    run(check())


EVENTS = b'data: {"a":1}\n\ndata: [DONE]\n\n'


def test_a_stream_with_an_adapter_says_so_before_its_first_event() -> None:
    async def check() -> None:
        raw = STREAM_HEAD + chunk(EVENTS) + b"0\r\n\r\n"
        async with RawUpstream(answering(raw)) as upstream:
            runtime = FakeRuntime(target_at(upstream.port, adapters=CARRIED))
            async with door(runtime=runtime, catalog=with_adapters()) as proxy:
                body = _body("tiny:code", '"stream": true, ')
                answer = Answer.parse(await proxy.ask(proxy.post(body)))

                assert (EVENTS, True) == unchunk(answer.body)
                assert ["code=0.8"] == answer.values("x-ggtui-adapters")
                assert [0.8, 0] == _scales(upstream.requests[0].body)

    run(check())


def test_a_weight_that_is_changed_counts_for_the_next_request_of_the_same_connection() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream:
            runtime = FakeRuntime(target_at(upstream.port, adapters=CARRIED))
            async with door(runtime=runtime, catalog=with_adapters()) as proxy:
                client = await proxy.connect()
                raw = proxy.head("POST /v1/completions", JSON, body=_body("tiny:code"))
                await client.send(raw)
                await client.answer()
                proxy.endpoints.set_weight("tiny", "code", 0.25)
                await client.send(raw)
                answer = await client.answer()

                assert [[0.8, 0], [0.25, 0]] == [_scales(each.body) for each in upstream.requests]
                assert ["code=0.25"] == answer.values("x-ggtui-adapters")

    run(check())


def test_a_refusal_of_the_list_while_a_stream_waits_is_an_event() -> None:
    async def check() -> None:
        gate = asyncio.Event()
        runtime = FakeRuntime(target_at(9, adapters=CARRIED), gate=gate)
        settings = ProxySettings(wait_grace_s=0.0, wait_told_every_s=0.01, drain_grace_s=0.05)
        async with door(runtime=runtime, catalog=with_adapters(), settings=settings) as proxy:
            client = await proxy.connect()
            body = _body("tiny", '"stream": true, "lora": [{"id": 5, "scale": 1}], ')
            await client.send(proxy.post(body))
            await client.reader.readuntil(b": ")
            gate.set()
            rest = await client.rest()

            assert b"lora names the adapter 5" in rest

    run(check())


async def _hang(upstream: RawUpstream, peer: Peer) -> None:
    await upstream.take(peer)
    await peer.until_gone()


def test_a_client_that_leaves_frees_the_server_also_with_adapters() -> None:
    async def check() -> None:
        async with RawUpstream(_hang) as upstream:
            runtime = FakeRuntime(target_at(upstream.port, adapters=CARRIED))
            async with door(runtime=runtime, catalog=with_adapters()) as proxy:
                client = await proxy.connect()
                await client.send(proxy.post(_body("tiny:code")))
                await upstream.asked.wait()
                client.reset()
                await upstream.peers[0].gone.wait()
                await proxy.quiet()

                assert 0 == runtime.n_leases

    run(check())
