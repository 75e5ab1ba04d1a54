"""A client that leaves, in every phase and every way: what was done for it ends at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.programs.fakeup import STREAM_HEAD, Peer, RawUpstream, chunk
from tests.proxy.rig import JSON, Client, Door, FakeRuntime, door, run, target_at

if TYPE_CHECKING:
    from collections.abc import Callable

STREAMED = b'{"model": "tiny", "stream": true}'
PLAIN = b'{"model": "tiny", "stream": false}'


def fin(client: Client) -> None:
    client.close()


def rst(client: Client) -> None:
    client.reset()


def half_close(client: Client) -> None:
    client.writer.write_eof()


leavings = pytest.mark.parametrize("leave", [fin, rst, half_close])
bodies = pytest.mark.parametrize("body", [STREAMED, PLAIN], ids=["stream", "plain"])


async def send(proxy: Door, body: bytes) -> Client:
    client = await proxy.connect()
    await client.send(proxy.head("POST /v1/chat/completions", JSON, body=body))
    return client


@leavings
@bodies
def test_leaving_the_queue_or_a_load_gives_up_the_place(body: bytes, leave: Callable[[Client], None]) -> None:
    async def check() -> None:
        runtime = FakeRuntime(target_at(1), gate=asyncio.Event())
        async with door(runtime=runtime) as proxy:
            client = await send(proxy, body)
            await runtime.waiting.wait()
            leave(client)
            await proxy.quiet()

            assert 1 == runtime.n_given_up
            client.close()

    run(check())


@leavings
@bodies
@pytest.mark.parametrize("is_answering", [False, True], ids=["before the head", "in the answer"])
def test_leaving_closes_the_upstream(
    body: bytes, is_answering: bool, leave: Callable[[Client], None]
) -> None:
    begun = STREAM_HEAD + chunk(b"data: 1\n\n")
    if body is PLAIN:
        begun = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc"

    async def play(upstream: RawUpstream, peer: Peer) -> None:
        await upstream.take(peer)
        if is_answering:
            await peer.send(begun)
        await peer.until_gone()

    async def check() -> None:
        async with RawUpstream(play) as upstream, door(upstream.port) as proxy:
            client = await send(proxy, body)
            await upstream.asked.wait()
            if is_answering:
                await client.reader.readuntil(b"data: 1" if body is STREAMED else b"abc")
            leave(client)
            await upstream.peers[0].gone.wait()
            await proxy.quiet()

            assert 0 == proxy.runtime.n_leases
            assert (0, 0) == proxy.server.pool.n_connections(target_at(upstream.port))
            client.close()

    run(check())


@leavings
def test_leaving_while_the_body_is_sent_leaves_nothing(leave: Callable[[Client], None]) -> None:
    async def check() -> None:
        async with door() as proxy:
            client = await proxy.connect()
            await client.send(proxy.head("POST /v1/completions", JSON, "Content-Length: 100") + b'{"mod')
            begun = (await proxy.tasks(1)).pop()
            leave(client)
            await asyncio.wait([begun])

            assert [] == proxy.runtime.wanted
            client.close()

    run(check())


def test_a_client_that_does_not_read_pauses_the_upstream_and_nobody_else() -> None:
    sent = asyncio.Event()
    piece = b"data: " + b"x" * 65536 + b"\n\n"
    total = 0

    async def play(upstream: RawUpstream, peer: Peer) -> None:
        nonlocal total
        await upstream.take(peer)
        if len(upstream.peers) > 1:
            await peer.send(STREAM_HEAD + chunk(b"data: 2\n\n") + b"0\r\n\r\n")
            return
        await peer.send(STREAM_HEAD)
        for _ in range(2000):
            peer.writer.write(chunk(piece))
            total += len(piece)
            try:
                async with asyncio.timeout(0.5):
                    await peer.writer.drain()
            except TimeoutError:
                break
        sent.set()
        await peer.until_gone()

    async def check() -> None:
        async with RawUpstream(play) as upstream, door(upstream.port) as proxy:
            slow = await proxy.connect()
            slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
            slow.writer.write(proxy.head("POST /v1/completions", JSON, body=STREAMED))
            await sent.wait()
            quick = await proxy.ask(proxy.post(STREAMED))

            assert total < 64 * 1024 * 1024
            assert b"data: 2" in quick
            slow.reset()
            await upstream.peers[0].gone.wait()
            await proxy.quiet()

    run(check())
