"""Servers that answer wrongly, late, twice or not at all."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.proxy.upstream import UpstreamLimits
from tests.programs.fakeup import (
    STREAM_HEAD,
    Peer,
    RawUpstream,
    answering,
    chunk,
    ending_after,
    plain,
)
from tests.proxy.rig import JSON, Answer, FakeRuntime, door, run, target_at, unchunk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OK = plain(b'{"ok": true}')
BODY = b'{"model": "tiny"}'
EVENT = b"data: 1\n\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 40_000 + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000,
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"hello",
    ],
    ids=str,
)
def test_an_unsound_answer_is_502_and_its_connection_is_dropped(
    raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def play(upstream: RawUpstream, peer: Peer) -> None:
        await upstream.take(peer)
        await peer.send(raw)
        await peer.until_gone()

    async def check() -> None:
        async with RawUpstream(play) as upstream, door(upstream.port) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(BODY)))
            await upstream.peers[0].gone.wait()

            assert (502, "upstream_error") == (answer.status, answer.code)
            assert 1 == len(upstream.requests)

    run(check())

    assert [] == [each for each in caplog.records if each.name == "asyncio"], "no defect of ours is logged"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("302 Found", "upstream_error"),
        ("307 Temporary", "upstream_error"),
        ("401 Unauthorized", "upstream_unauthorized"),
        ("407 Proxy", "upstream_error"),
    ],
)
def test_a_status_that_is_not_the_clients_business_is_502(status: str, code: str) -> None:
    async def check() -> None:
        async with RawUpstream(answering(OK)) as elsewhere:
            raw = plain(b"{}", status, more=f"Location: http://127.0.0.1:{elsewhere.port}/\r\n")
            async with RawUpstream(answering(raw)) as upstream, door(upstream.port) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(BODY)))

                assert (502, code) == (answer.status, answer.code)
                assert [] == answer.values("www-authenticate")
                assert [] == elsewhere.requests

    run(check())


@pytest.mark.parametrize(
    ("raw", "status", "body"),
    [
        (b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\n" + OK, 200, b'{"ok": true}'),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b""),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nab", 200, b"ab"),
        (plain(b"<html>", kind="text/html"), 200, b"<html>"),
    ],
    ids=str,
)
def test_a_sound_answer_passes_and_its_connection_is_used_again(raw: bytes, status: int, body: bytes) -> None:
    async def check() -> None:
        async with RawUpstream(answering(raw)) as upstream, door(upstream.port) as proxy:
            for _ in range(2):
                answer = Answer.parse(await proxy.ask(proxy.post(BODY)))

                assert (status, body) == (answer.status, answer.body)
                assert [] == answer.values("link")
            assert 1 == len(upstream.peers)

    run(check())


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nabc",
        b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nabc",
    ],
)
def test_a_body_without_length_ends_with_the_connection(raw: bytes) -> None:
    async def check() -> None:
        async with RawUpstream(ending_after(raw)) as upstream, door(upstream.port) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(BODY)))

            assert (b"abc", True) == unchunk(answer.body)

    run(check())


@pytest.mark.parametrize("extra", [OK, b"garbage", b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"], ids=str)
@pytest.mark.parametrize("is_split", [False, True])
def test_bytes_after_the_answer_end_the_connection(extra: bytes, is_split: bool) -> None:
    async def play(upstream: RawUpstream, peer: Peer) -> None:
        await upstream.take(peer)
        await peer.send(OK if is_split else OK + extra)
        if is_split:
            await peer.send(extra)
        await peer.until_gone()

    async def check() -> None:
        async with RawUpstream(play) as upstream, door(upstream.port) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(BODY)))
            await upstream.peers[0].gone.wait()

            assert b'{"ok": true}' == answer.body
            assert (0, 0) == proxy.server.pool.n_connections(target_at(upstream.port))

    run(check())


@pytest.mark.parametrize("is_reset", [False, True])
@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_an_end_before_the_head_is_tried_once_more_then_502(raw: bytes, is_reset: bool) -> None:
    async def check() -> None:
        async with (
            RawUpstream(ending_after(raw, is_reset=is_reset)) as upstream,
            door(upstream.port) as proxy,
        ):
            answer = Answer.parse(await proxy.ask(proxy.post(BODY)))

            assert (502, "upstream_crashed") == (answer.status, answer.code)
            assert 2 == len(upstream.requests)

    run(check())


@pytest.mark.parametrize("is_reset", [False, True])
@pytest.mark.parametrize("tail", [b"", b"data: cut", b"\r\ndata: cut", b"data: a\ndata: b\n"], ids=str)
def test_a_fault_in_a_stream_becomes_one_error_event_without_an_end(tail: bytes, is_reset: bool) -> None:
    async def play(upstream: RawUpstream, peer: Peer) -> None:
        await upstream.take(peer)
        await peer.send(STREAM_HEAD + chunk(EVENT + tail))
        await relayed.wait()
        if is_reset:
            peer.reset()

    relayed = asyncio.Event()

    async def check() -> None:
        async with RawUpstream(play) as upstream, door(upstream.port) as proxy:
            client = await proxy.connect()
            await client.send(proxy.head("POST /v1/completions", JSON, body=BODY))
            head = await client.reader.readuntil(b"\r\n\r\n")
            first = await client.reader.readuntil(b"data: 1\n\n\r\n")
            relayed.set()
            rest = await client.rest()
            body, is_ended = unchunk(first + rest)
            events = body.split(b"\n\n")

            assert head.startswith(b"HTTP/1.1 200")
            assert not is_ended
            assert b"data: 1" == events[0]
            assert "upstream_crashed" == json.loads(events[1].removeprefix(b"data: "))["error"]["code"]
            assert [b""] == events[2:]
            assert b"[DONE]" not in body
            assert 1 == len(upstream.requests)
            client.close()

    run(check())


def test_an_anthropic_stream_gets_its_own_kind_of_error_event() -> None:
    async def check() -> None:
        raw = STREAM_HEAD + chunk(b"event: ping\ndata: {}\n\n")
        async with RawUpstream(ending_after(raw)) as upstream, door(upstream.port) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(BODY, "/v1/messages")))
            body, _ = unchunk(answer.body)
            name, _, data = body.split(b"\n\n")[1].partition(b"\n")

            assert b"event: error" == name
            assert "error" == json.loads(data.removeprefix(b"data: "))["type"]

    run(check())


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
    ],
    ids=str,
)
def test_a_plain_answer_that_is_cut_is_seen_to_be_cut(raw: bytes) -> None:
    async def check() -> None:
        async with RawUpstream(ending_after(raw)) as upstream, door(upstream.port) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(BODY)))

            sized = answer.values("content-length")
            assert 200 == answer.status
            assert (
                (["9"], b"abc") == (sized, answer.body) if sized else (b"abc", False) == unchunk(answer.body)
            )

    run(check())


def test_an_idle_connection_that_ended_is_replaced_unseen() -> None:
    async def play(upstream: RawUpstream, peer: Peer) -> None:
        await upstream.take(peer)
        await peer.send(OK)
        if len(upstream.peers) == 1:
            await upstream.take(peer)  # the second request arrives, and the connection ends without a byte

    async def check() -> None:
        async with RawUpstream(play) as upstream, door(upstream.port) as proxy:
            answers = [Answer.parse(await proxy.ask(proxy.post(BODY))) for _ in range(2)]

            assert [200, 200] == [answer.status for answer in answers]
            assert 3 == len(upstream.requests)
            assert 2 == len(proxy.runtime.wanted)

    run(check())


def test_a_silent_server_is_504() -> None:
    async def play(upstream: RawUpstream, peer: Peer) -> None:
        await upstream.take(peer)
        await peer.until_gone()

    async def check() -> None:
        limits = UpstreamLimits(first_byte_s=0.05)
        async with RawUpstream(play) as upstream, door(upstream.port, limits=limits) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(BODY)))

            assert (504, "upstream_timeout") == (answer.status, answer.code)
            assert 1 == len(upstream.requests)

    run(check())


def test_a_drip_without_events_is_no_life() -> None:
    async def play(upstream: RawUpstream, peer: Peer) -> None:
        await upstream.take(peer)
        await peer.send(STREAM_HEAD + chunk(EVENT))
        while not peer.writer.is_closing():
            await peer.send(chunk(b"x"))
            await asyncio.sleep(0.02)

    async def check() -> None:
        limits = UpstreamLimits(between_bytes_s=0.2)
        async with RawUpstream(play) as upstream, door(upstream.port, limits=limits) as proxy:
            answer = Answer.parse(await proxy.ask(proxy.post(BODY)))
            body, is_ended = unchunk(answer.body)

            assert not is_ended
            assert b"upstream_timeout" in body

    run(check())


def test_a_stopped_model_ends_its_stream_and_is_not_asked_again() -> None:
    async def play(upstream: RawUpstream, peer: Peer) -> None:
        await upstream.take(peer)
        await peer.until_gone()

    async def check() -> None:
        async with RawUpstream(play) as upstream, door(upstream.port) as proxy:
            asking = asyncio.create_task(proxy.ask(proxy.post(BODY)))
            await upstream.asked.wait()
            proxy.server.pool.close_target(target_at(upstream.port))
            answer = Answer.parse(await asking)

            assert (502, "upstream_crashed") == (answer.status, answer.code)
            assert 1 == len(upstream.requests)
            assert 1 == len(proxy.runtime.wanted)

    run(check())


@asynccontextmanager
async def program(script: list[list[list[Any]]]) -> AsyncIterator[Any]:
    """A fake server as a process of its own; yields (process, port)."""
    command = ("-m", "tests.programs.fakeup", json.dumps(script))
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield process, int(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


SERVE = [["request"], ["send", OK.decode()], ["request"], ["send", OK.decode()], ["hang"]]
DIE = [["request"], ["exit", "1"]]


def test_a_server_killed_between_requests_is_started_again_unseen() -> None:
    async def check() -> None:
        async with program([SERVE]) as (first, port_a), program([SERVE]) as (_, port_b):
            runtime = FakeRuntime(targets=[target_at(port_a), target_at(port_a), target_at(port_b)])
            async with door(runtime=runtime) as proxy:
                before = Answer.parse(await proxy.ask(proxy.post(BODY)))
                first.send_signal(signal.SIGKILL)
                await first.wait()
                after = Answer.parse(await proxy.ask(proxy.post(BODY)))

                assert [200, 200] == [before.status, after.status]

    run(check())


def test_a_server_that_dies_of_a_request_gets_one_successor() -> None:
    async def check() -> None:
        async with (
            program([DIE]) as (_, port_a),
            program([SERVE]) as (_, port_b),
        ):
            runtime = FakeRuntime(targets=[target_at(port_a), target_at(port_a), target_at(port_b)])
            async with door(runtime=runtime) as proxy:
                answer = Answer.parse(await proxy.ask(proxy.post(BODY)))

                assert 200 == answer.status
                assert 0 == len(runtime.targets)

    run(check())
