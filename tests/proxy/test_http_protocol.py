"""What a hostile or broken client sends: refused before the server hears of it, at every split."""

from __future__ import annotations

import asyncio

import pytest

from ggtui.proxy.settings import HttpLimits, ProxySettings
from tests.programs.fakeup import STREAM_HEAD, Peer, RawUpstream, answering, chunk, plain
from tests.proxy.rig import JSON, Answer, Door, FakeRuntime, door, run, target_at, unchunk

BODY = b'{"model": "tiny"}'
OK = plain(b'{"ok": true}')


def request(
    proxy: Door, *fields: str, line: str = "POST /v1/completions HTTP/1.1", body: bytes = b""
) -> bytes:
    """Raw bytes with nothing added but Host and Content-Type, unless these are among the fields."""
    names = {field.partition(":")[0].lower().strip() for field in fields}
    lines = [line]
    lines += [] if "host" in names else [f"Host: 127.0.0.1:{proxy.port}"]
    lines += [] if "content-type" in names else [JSON]
    return ("\r\n".join([*lines, *fields]) + "\r\n\r\n").encode("latin-1") + body


SIZED = f"Content-Length: {len(BODY)}"
CHUNKED = b"11\r\n" + BODY + b"\r\n0\r\n\r\n"

REFUSED_HEADS = [
    ([SIZED, "Transfer-Encoding: chunked"], 400),
    ([SIZED, SIZED], 400),
    (["Content-Length: 17, 17"], 400),
    (["Content-Length: +17"], 400),
    (["Content-Length: -1"], 400),
    (["Content-Length: 0x11"], 400),
    (["Content-Length:"], 400),
    ([SIZED, "X: a\r\n folded"], 400),
    ([SIZED, "X: a\x00b"], 400),
    ([SIZED, "X: a\nY: b"], 400),
    ([SIZED, "X: a\rb"], 400),
    ([SIZED, "X : a"], 400),
    ([SIZED, " X: a"], 400),
    ([SIZED, "no colon"], 400),
    (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], 400),
    (["Transfer-Encoding: ,chunked"], 400),
    (["Transfer-Encoding: identity, chunked"], 400),
    (["Transfer-Encoding: gzip, chunked"], 400),
    (["Transfer-Encoding: xchunked"], 400),
    ([SIZED, "Host: a", "Host: b"], 400),
    ([SIZED, "Host: a/health?x="], 400),
    ([SIZED, "Host: 127.0.0.1@evil"], 400),
    ([SIZED, "Host: localhost."], 400),
    ([SIZED, "Host:"], 400),
    ([SIZED, "Authorization: Bearer a", "Authorization: Bearer b"], 400),
    ([SIZED, JSON, "Content-Type: text/plain"], 400),
    ([SIZED, *(f"X-{n}: 1" for n in range(120))], 431),
    ([SIZED, "X: " + "a" * 40_000], 431),
]


@pytest.mark.parametrize(("fields", "status"), REFUSED_HEADS, ids=lambda value: str(value)[:60])
@pytest.mark.parametrize("is_dripped", [False, True], ids=["whole", "byte by byte"])
def test_an_unsound_head_never_reaches_the_server(fields: list[str], status: int, is_dripped: bool) -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(upstream.port) as proxy:
            raw = request(proxy, *fields, body=BODY)
            if is_dripped and len(raw) < 1000:
                answer = Answer.parse(await drip(proxy, raw))
            else:
                answer = Answer.parse(await proxy.ask(raw))

            assert status == answer.status
            assert "invalid_request_error" == answer.json["error"]["type"]
            assert ["close"] == answer.values("connection")
            assert [] == upstream.requests

    run(check())


async def drip(proxy: Door, raw: bytes) -> bytes:
    """Send one byte per segment; an early answer ends the sending."""
    client = await proxy.connect()
    reading = asyncio.create_task(client.rest())
    for offset in range(len(raw)):
        if reading.done():
            break
        client.writer.write(raw[offset : offset + 1])
        await asyncio.sleep(0)
    answer = await reading
    client.close()
    return answer


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("POST /v1/completions HTTP/2.0", 505),
        ("POST /v1/completions HTTP/0.9", 505),
        ("POST /v1/completions", 400),
        ("POST  /v1/completions HTTP/1.1", 400),
        ("post /v1/completions HTTP/1.1", 400),
        ("POST http://127.0.0.1/v1/completions HTTP/1.1", 400),
        ("CONNECT 127.0.0.1:80 HTTP/1.1", 405),
        ("TRACE /health HTTP/1.1", 405),
        ("OPTIONS * HTTP/1.1", 400),
        ("POST //v1/completions HTTP/1.1", 404),
        ("POST /v1/%2e%2e/v1/completions HTTP/1.1", 404),
        ("POST /v1%2fcompletions HTTP/1.1", 404),
        ("POST /v1/completions%00 HTTP/1.1", 404),
        ("POST /v1/completions\xff HTTP/1.1", 400),
        ("POST /v1/completions/ HTTP/1.1", 404),
        ("DELETE /v1/completions HTTP/1.1", 405),
        ("\x16\x03\x01\x02", 400),
    ],
)
def test_only_known_paths_and_methods_lead_anywhere(line: str, status: int) -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(upstream.port) as proxy:
            raw = request(proxy, SIZED, "Connection: close", line=line, body=BODY)
            answer = Answer.parse(await proxy.ask(raw))

            assert status == answer.status
            assert [] == upstream.requests

    run(check())


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ([SIZED], BODY),
        (["Content-Length: 017"], BODY),
        (["Transfer-Encoding: chunked"], CHUNKED),
        (["Transfer-Encoding: Chunked"], b"0011;x=y\r\n" + BODY + b"\r\n0\r\n\r\n"),
        ([SIZED, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"], BODY),
        ([SIZED, "X: h\xf6her"], BODY),
    ],
)
@pytest.mark.parametrize("is_dripped", [False, True], ids=["whole", "byte by byte"])
def test_a_sound_twin_is_served_with_its_body(fields: list[str], body: bytes, is_dripped: bool) -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(upstream.port) as proxy:
            raw = b"\r\n" + request(proxy, *fields, body=body)
            client = await proxy.connect()
            for offset in range(0, len(raw), 1 if is_dripped else len(raw)):
                client.writer.write(raw[offset : offset + (1 if is_dripped else len(raw))])
                await asyncio.sleep(0)
            answer = await client.answer()

            assert 200 == answer.status
            assert [BODY] == [each.body for each in upstream.requests]
            assert [str(len(BODY))] == upstream.requests[0].values("content-length")
            assert [] == upstream.requests[0].values("upgrade")
            client.close()

    run(check())


def test_trailers_never_become_headers() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(upstream.port) as proxy:
            body = b"11\r\n" + BODY + b"\r\n0\r\nX-Late: 1\r\nAuthorization: Bearer b\r\n\r\n"
            client = await proxy.connect()
            await client.send(request(proxy, "Transfer-Encoding: chunked", body=body))
            answer = await client.answer()

            assert 200 == answer.status
            assert [] == upstream.requests[0].values("x-late")
            assert ["Bearer launch-key"] == upstream.requests[0].values("authorization")
            client.close()

    run(check())


@pytest.mark.parametrize(
    "body",
    [
        b"xx\r\n" + BODY + b"\r\n0\r\n\r\n",
        b"11\n" + BODY + b"\n0\n\n",
        b"11\r\n" + BODY + b"zz0\r\n\r\n",
        b"1;" + b"x" * 100_000 + b"\r\na\r\n0\r\n\r\n",
        b"0\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
    ids=lambda body: str(body[:20]),
)
def test_unsound_chunks_are_refused(body: bytes) -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(upstream.port) as proxy:
            answer = Answer.parse(await proxy.ask(request(proxy, "Transfer-Encoding: chunked", body=body)))

            assert (400, "invalid_request") == (answer.status, answer.code)
            assert [] == upstream.requests

    run(check())


@pytest.mark.parametrize("more", [b"garbage\r\n\r\n", None], ids=["garbage", "a second request"])
def test_bytes_behind_a_request_wait_for_nothing_and_run_nothing(more: bytes | None) -> None:
    async def play(upstream: RawUpstream, peer: Peer) -> None:
        await upstream.take(peer)
        await peer.send(STREAM_HEAD + chunk(b"data: 1\n\n"))
        await go_on.wait()
        await peer.send(chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")

    go_on = asyncio.Event()

    async def check() -> None:
        async with RawUpstream(play) as upstream, door(upstream.port) as proxy:
            one = request(proxy, SIZED, body=BODY)
            client = await proxy.connect()
            await client.send(one)
            head = await client.reader.readuntil(b"\r\n\r\n")
            await client.send(more or one)
            go_on.set()
            body, is_ended = unchunk(await client.rest())

            assert head.startswith(b"HTTP/1.1 200")
            assert (b"data: 1\n\ndata: [DONE]\n\n", True) == (body, is_ended)
            assert 1 == len(upstream.requests)
            client.close()

    run(check())


def test_two_requests_in_one_segment_get_one_answer() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(upstream.port) as proxy:
            answer = await proxy.ask(request(proxy, SIZED, body=BODY) * 2)

            assert 1 == answer.count(b"HTTP/1.1 200")
            assert 1 == len(upstream.requests)

    run(check())


def test_a_disconnect_is_noticed_behind_a_second_request() -> None:
    async def check() -> None:
        runtime = FakeRuntime(target_at(1), gate=asyncio.Event())
        async with door(runtime=runtime) as proxy:
            client = await proxy.connect()
            await client.send(request(proxy, SIZED, body=BODY) * 2)
            await runtime.waiting.wait()
            client.close()
            await proxy.quiet()

            assert 1 == runtime.n_given_up

    run(check())


def test_a_connection_serves_one_request_after_another() -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as upstream, door(upstream.port) as proxy:
            client = await proxy.connect()
            for _ in range(3):
                await client.send(request(proxy, SIZED, body=BODY))
                assert 200 == (await client.answer()).status
            assert 3 == len(upstream.requests)
            assert 1 == len(upstream.peers)
            client.close()

    run(check())


def test_an_old_client_gets_a_body_that_ends_with_the_connection() -> None:
    async def check() -> None:
        raw = STREAM_HEAD + chunk(b"data: 1\n\n") + b"0\r\n\r\n"
        async with RawUpstream(answering(raw, OK)) as upstream, door(upstream.port) as proxy:
            line = "POST /v1/completions HTTP/1.0"
            stream = Answer.parse(await proxy.ask(request(proxy, SIZED, line=line, body=BODY)))
            sized = Answer.parse(await proxy.ask(request(proxy, SIZED, line=line, body=BODY)))

            assert ([], b"data: 1\n\n") == (stream.values("transfer-encoding"), stream.body)
            assert b'{"ok": true}' == sized.body

    run(check())


@pytest.mark.parametrize(
    ("n_bytes", "is_chunked"), [(10**18, False), (2000, False), (2000, True)], ids=["huge", "over", "chunked"]
)
def test_a_body_over_the_cap_is_413_and_no_byte_of_it_is_a_next_request(
    n_bytes: int, is_chunked: bool
) -> None:
    async def check() -> None:
        settings = ProxySettings(max_body_bytes=1000)
        async with door(settings=settings) as proxy:
            field = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {n_bytes}"
            inner = request(proxy, line="GET /health HTTP/1.1") * 30
            body = b"%x\r\n" % len(inner) + inner + b"\r\n" if is_chunked else inner
            raw = await proxy.ask(request(proxy, field, "Expect: 100-continue", body=body))
            answer = Answer.parse(raw)

            assert (413, "request_too_large") == (answer.status, answer.code) if not is_chunked else True
            assert b"413 " in raw
            assert (b"100 Continue" in raw) == is_chunked
            assert b'"status"' not in raw

    run(check())


LIMITS = HttpLimits(head_timeout_s=0.1, body_timeout_s=0.1, linger_s=0.1, write_stall_s=60)


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"", 0), (b"POST /v1/comp", 408), (b"POST / HTTP/1.1\r\nHost: a\r\n", 408)],
)
def test_a_late_head_ends_the_connection(sent: bytes, status: int) -> None:
    async def check() -> None:
        async with door(settings=ProxySettings(limits=LIMITS)) as proxy:
            answer = await proxy.ask(sent)

            assert status == (Answer.parse(answer).status if answer else 0)

    run(check())


def test_a_late_body_ends_the_request() -> None:
    async def check() -> None:
        async with door(settings=ProxySettings(limits=LIMITS)) as proxy:
            answer = Answer.parse(await proxy.ask(request(proxy, SIZED, body=b"{")))

            assert (408, "request_timeout") == (answer.status, answer.code)
            assert [] == proxy.runtime.wanted

    run(check())


def test_a_long_stream_meets_no_deadline_and_a_reader_that_stalls_is_dropped() -> None:
    async def play(upstream: RawUpstream, peer: Peer) -> None:
        await upstream.take(peer)
        await peer.send(STREAM_HEAD)
        if len(upstream.peers) == 1:
            for _ in range(4):
                await asyncio.sleep(0.1)
                await peer.send(chunk(b"data: 1\n\n"))
            await peer.send(b"0\r\n\r\n")
            return
        while True:
            await peer.send(chunk(b"data: " + b"x" * 65536 + b"\n\n"))

    async def check() -> None:
        limits = HttpLimits(head_timeout_s=0.3, body_timeout_s=0.3, write_stall_s=0.3)
        settings = ProxySettings(limits=limits)
        async with RawUpstream(play) as upstream, door(upstream.port, settings=settings) as proxy:
            long = Answer.parse(await proxy.ask(proxy.post(BODY)))
            stalled = await proxy.connect()
            stalled.writer.transport.pause_reading()  # type: ignore[attr-defined]
            stalled.writer.write(request(proxy, SIZED, body=BODY))
            await proxy.tasks(1)
            await proxy.quiet()

            assert (b"data: 1\n\n" * 4, True) == unchunk(long.body)
            stalled.reset()

    run(check())


def test_a_client_that_never_takes_the_last_bytes_is_dropped() -> None:
    limits = HttpLimits(write_stall_s=0.1, keep_alive_s=1)
    little = 32 * 1024  # less than what makes a transport tell that it is full

    async def check() -> None:
        async with (
            RawUpstream(answering(plain(b"x" * little))) as upstream,
            door(upstream.port, settings=ProxySettings(limits=limits), send_buffer=4096) as proxy,
        ):
            client = await proxy.connect(receive_buffer=4096)
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            client.writer.write(proxy.post(BODY))
            await proxy.connections_gone()

            assert 1 == len(upstream.requests)

    run(check())


def test_connections_over_the_cap_are_told_to_come_again() -> None:
    async def check() -> None:
        settings = ProxySettings(limits=HttpLimits(max_connections=2, linger_s=0.1))
        async with door(settings=settings) as proxy:
            kept = [await proxy.connect() for _ in range(2)]
            for client in kept:
                await client.send(proxy.head("GET /health"))
                await client.answer()
            answer = Answer.parse(await proxy.ask(proxy.get("/health")))

            assert (503, ["5"]) == (answer.status, answer.values("retry-after"))
            for client in kept:
                client.close()

    run(check())
