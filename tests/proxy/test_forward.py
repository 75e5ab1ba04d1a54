"""A request through the door: what arrives at the server, what comes back."""

from __future__ import annotations

import pytest

from ggtui.core.errors import (
    AdmissionTimeout,
    CircuitOpen,
    ModelNotReady,
    OutOfMemory,
    QueueFull,
    SpawnReason,
    UpstreamRateLimited,
)
from tests.programs.fakeup import STREAM_HEAD, RawUpstream, answering, chunk, plain
from tests.proxy.rig import JSON, Answer, FakeRuntime, door, run, unchunk

OK = plain(b'{"ok": true}')
BODY = b'{"model": "tiny", "messages": [{"role": "user", "content": "hello"}], "zz": 1e2}'


def test_a_request_is_forwarded_byte_for_byte() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(upstream.port) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(BODY)))

            assert 200 == answer.status
            assert b'{"ok": true}' == answer.body
            assert [BODY] == [request.body for request in upstream.requests]
            assert b"POST /v1/chat/completions HTTP/1.1" == upstream.requests[0].line
            assert [("tiny", None)] == proxy.runtime.wanted

    run(check())


def test_the_answer_names_what_served_it() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(upstream.port) as proxy:
            body = b'{"num_ctx": 2048, "model": "tiny", "seed": 1.50}'
            answer = Answer.parse(await proxy.ask(proxy.post(body)))

            assert ["tiny"] == answer.values("x-ggtui-endpoint")
            assert ["4096"] == answer.values("x-ggtui-ctx")
            assert ["2048"] == answer.values("x-ggtui-ctx-requested")
            assert 1 == len(answer.values("x-request-id"))
            assert [("tiny", 2048)] == proxy.runtime.wanted
            assert b'{ "model": "tiny", "seed": 1.50}' == upstream.requests[0].body

    run(check())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/embeddings", "/v1/embeddings"),
        ("/embeddings", "/embeddings"),
        ("/v1/infill", "/infill"),
        ("/tokenize", "/tokenize"),
        ("/messages/count_tokens", "/v1/messages/count_tokens"),
        ("/v1/messages?beta=true", "/v1/messages?beta=true"),
        ("/v1/reranking", "/v1/reranking"),
        ("/v1/responses/input_tokens", "/v1/responses/input_tokens"),
    ],
)
def test_every_model_path_leads_to_the_one_the_server_has(path: str, expected: str) -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(upstream.port) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(BODY, path)))

            assert 200 == answer.status
            assert f"POST {expected} HTTP/1.1".encode() == upstream.requests[0].line

    run(check())


def test_no_private_field_crosses_upwards() -> None:
    dropped = (
        "Authorization: Bearer client-key",
        "X-Api-Key: k",
        "Cookie: a=b",
        "Accept-Encoding: gzip",
        "Referer: http://x",
        "X-Forwarded-For: 1.2.3.4",
        "Forwarded: for=1.2.3.4",
        "X-Conversation-Id: 7",
        "X-Ggtui-Endpoint: other",
        "Proxy-Authorization: Basic eA==",
        "Sec-Fetch-Mode: cors",
        "Keep-Alive: timeout=5",
        "X-Hop: 1",
        "Connection: X-Hop, close",
        "TE: trailers",
        "Expect: 100-continue",
    )

    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(upstream.port) as proxy:
            raw = proxy.head("POST /v1/completions", JSON_TYPE, "X-Kept: yes", *dropped, body=BODY)
            await proxy.ask(raw)
            request = upstream.requests[0]

            names = [line.partition(b":")[0].lower() for line in request.head.split(b"\r\n")[1:]]
            expected = {b"host", b"content-type", b"x-kept", b"authorization", b"content-length"}
            assert sorted(expected) == sorted(names)
            assert ["Bearer launch-key"] == request.values("authorization")
            assert [f"127.0.0.1:{upstream.port}"] == request.values("host")

    run(check())


JSON_TYPE = "Content-Type: application/json"


def test_no_private_field_crosses_downwards() -> None:
    more = (
        "Set-Cookie: a=b\r\nServer: llama.cpp\r\nAccess-Control-Allow-Origin: *\r\nX-Kept: yes\r\n"
        "Alt-Svc: h3\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nConnection: X-Hop\r\n"
    )

    async def check() -> None:
        async with RawUpstream(answering(plain(b"{}", more=more))) as upstream, door(upstream.port) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(BODY)))

            names = {name for name, _ in answer.fields}
            assert {"x-kept", "content-type", "content-length"} <= names
            gone = {"set-cookie", "server", "access-control-allow-origin", "alt-svc", "keep-alive", "x-hop"}
            assert set() == names & gone

    run(check())


EVENTS = 'data: {"a":"é"}\n\n: ping\n\ndata: x\r\ndata: y\r\n\r\ndata: [DONE]\n\n'.encode()


@pytest.mark.parametrize("split", range(1, len(EVENTS), 3))
def test_a_stream_is_relayed_byte_for_byte_at_every_split(split: int) -> None:
    async def check() -> None:
        parts = chunk(EVENTS[:split]) + chunk(EVENTS[split:]) + b"0\r\n\r\n"
        async with RawUpstream(answering(STREAM_HEAD + parts)) as upstream, door(upstream.port) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(BODY)))

            assert (EVENTS, True) == unchunk(answer.body)
            assert ["text/event-stream"] == answer.values("content-type")
            assert ["no-cache"] == answer.values("cache-control")
            assert ["no"] == answer.values("x-accel-buffering")
            assert ["close"] == answer.values("connection")

    run(check())


def test_a_stream_on_a_connection_that_stays_says_so_once() -> None:
    async def check() -> None:
        raw = STREAM_HEAD + chunk(EVENTS) + b"0\r\n\r\n"
        async with RawUpstream(answering(raw)) as upstream, door(upstream.port) as proxy:
            client = await proxy.connect()
            for _ in range(2):
                await client.send(proxy.head("POST /v1/completions", JSON, body=BODY))
                answer = await client.answer()

                assert (["keep-alive"], EVENTS) == (answer.values("connection"), answer.body)

    run(check())


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (OutOfMemory("no room", reason=SpawnReason.OUT_OF_MEMORY), 500, "model_start_failed"),
        (AdmissionTimeout(), 503, "admission_timeout"),
        (ModelNotReady("tiny", "it crashed", 7.2), 503, "model_not_ready"),
        (QueueFull(), 429, "capacity_exhausted"),
        (CircuitOpen("tiny", retry_after_s=12.1), 503, "circuit_open"),
        (UpstreamRateLimited(), 429, "rate_limited"),
        (RuntimeError("secret prompt"), 500, "internal_error"),
    ],
)
def test_a_failed_lease_becomes_its_row_of_the_error_table(
    failure: Exception, status: int, code: str
) -> None:
    retry_after = {"model_not_ready": ["8"], "circuit_open": ["13"]}.get(
        code, ["5"] if status in (429, 503) else []
    )

    async def check() -> None:
        async with door(runtime=FakeRuntime(failure=failure)) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(BODY)))

            assert (status, code) == (answer.status, answer.code)
            assert retry_after == answer.values("retry-after")
            assert {"message", "type", "param", "code"} <= set(answer.json["error"])
            assert b"secret" not in answer.body
            if isinstance(failure, OutOfMemory):
                assert "out_of_memory" == answer.json["error"]["reason"]

    run(check())


def test_other_refusals_of_the_server_pass_unchanged() -> None:
    async def check() -> None:
        raw = plain(b'{"error":{"code":501,"type":"not_supported_error"}}', "501 Not Implemented")
        bad = plain(b'{"error":"odd"}', "400 Bad Request")
        async with RawUpstream(answering(raw, bad)) as upstream, door(upstream.port) as proxy:
            first = Answer.parse(await proxy.ask(proxy.post(BODY)))
            second = Answer.parse(await proxy.ask(proxy.post(BODY)))

            assert (501, b'{"error":{"code":501,"type":"not_supported_error"}}') == (first.status, first.body)
            assert (400, b'{"error":"odd"}') == (second.status, second.body)

    run(check())


def test_a_form_is_forwarded_as_it_came() -> None:
    form = (
        b'--XX\r\nContent-Disposition: form-data; name="file"; filename="model"\r\n\r\n\x00\xffRIFF\r\n'
        b'--XX\r\nContent-Disposition: form-data; name="model"\r\n\r\ntiny\r\n--XX--\r\n'
    )

    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(upstream.port) as proxy:
            path = "/v1/audio/transcriptions"
            raw = proxy.post(form, path, "Content-Type: multipart/form-data; boundary=XX")
            answer = Answer.parse(await proxy.ask(raw))

            assert 200 == answer.status
            assert form == upstream.requests[0].body
            assert [("tiny", None)] == proxy.runtime.wanted

    run(check())


@pytest.mark.parametrize(
    ("path", "needs_slot"),
    [
        ("/v1/chat/completions", True),
        ("/v1/embeddings", True),
        ("/v1/rerank", True),
        ("/tokenize", False),
        ("/v1/detokenize", False),
        ("/apply-template", False),
        ("/v1/messages/count_tokens", False),
        ("/chat/completions/input_tokens", False),
        ("/v1/chat/completions/control", False),
    ],
)
def test_what_is_answered_beside_the_slots_waits_for_none(path: str, needs_slot: bool) -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(upstream.port) as proxy:
            await proxy.ask(proxy.post(BODY, path))

            assert [needs_slot] == [each and each.needs_slot for each in proxy.runtime.admissions]

    run(check())
