"""Which connections are kept, and that closing a target closes them all."""

from __future__ import annotations

import asyncio

import pytest

from ggtui.core.errors import UpstreamUnreachable
from ggtui.proxy.headers import upstream_head
from ggtui.proxy.upstream import UpstreamLimits, UpstreamPool
from ggtui.proxy.upstream_connection import UpstreamStopped
from tests.programs.fakeup import Peer, RawUpstream, answering, plain
from tests.proxy.rig import run, target_at

OK = plain(b"{}")


async def ask(pool: UpstreamPool, port: int, *, is_head_request: bool = False) -> bytes:
    target = target_at(port)
    method = "HEAD" if is_head_request else "GET"
    head = upstream_head(method, b"/props", [], target, None)
    body = b""
    async with pool.exchange(target, head, is_head_request=is_head_request) as exchange:
        while data := await exchange.read():
            body += data
    return body


def test_one_connection_serves_many_and_parallel_ones_are_all_kept() -> None:
    async def check() -> None:
        pool = UpstreamPool()
        async with RawUpstream(answering(OK)) as upstream:
            for _ in range(3):
                await ask(pool, upstream.port)
            assert 1 == len(upstream.peers)
            await asyncio.gather(*(ask(pool, upstream.port) for _ in range(4)))
            assert (4, 0) == pool.n_connections(target_at(upstream.port))
            await pool.close()

    run(check())


def test_the_answer_to_head_has_no_body() -> None:
    async def check() -> None:
        pool = UpstreamPool()
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
        async with RawUpstream(answering(answer)) as upstream:
            assert b"" == await ask(pool, upstream.port, is_head_request=True)
            assert (0, 0) == pool.n_connections(target_at(upstream.port))
            await pool.close()

    run(check())


def test_closing_a_target_ends_idle_and_active_connections_and_no_others() -> None:
    async def hang(upstream: RawUpstream, peer: Peer) -> None:
        await upstream.take(peer)
        if len(upstream.requests) == 1:
            await peer.send(OK)
            await upstream.take(peer)
        await peer.until_gone()

    async def check() -> None:
        pool = UpstreamPool()
        async with RawUpstream(hang) as closed, RawUpstream(answering(OK)) as other:
            await ask(pool, closed.port)
            await ask(pool, other.port)
            waiting = asyncio.create_task(ask(pool, closed.port))
            while len(closed.requests) < 2:  # noqa: ASYNC110  the fake's event is already set
                await asyncio.sleep(0)
            pool.close_target(target_at(closed.port))
            with pytest.raises(UpstreamStopped):
                await waiting
            await closed.peers[0].gone.wait()

            assert (0, 0) == pool.n_connections(target_at(closed.port))
            assert (1, 0) == pool.n_connections(target_at(other.port))
            await pool.close()

    run(check())


def test_a_refused_connection_is_unreachable_and_leaves_nothing() -> None:
    async def check() -> None:
        pool = UpstreamPool(UpstreamLimits(connect_s=0.5))
        async with RawUpstream(answering(OK)) as upstream:
            port = upstream.port
        with pytest.raises(UpstreamUnreachable):
            await ask(pool, port)

        assert {} == pool._lines

    run(check())


def test_unsolicited_bytes_on_an_idle_connection_close_it() -> None:
    async def play(upstream: RawUpstream, peer: Peer) -> None:
        await upstream.take(peer)
        await peer.send(OK)
        await asked_again.wait()
        await peer.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        await peer.until_gone()

    asked_again = asyncio.Event()

    async def check() -> None:
        pool = UpstreamPool()
        async with RawUpstream(play) as upstream:
            await ask(pool, upstream.port)
            assert (1, 0) == pool.n_connections(target_at(upstream.port))
            asked_again.set()
            await upstream.peers[0].gone.wait()

            assert (0, 0) == pool.n_connections(target_at(upstream.port))
            await pool.close()

    run(check())


@pytest.mark.parametrize("n_cancels", [200])
def test_random_cancellation_never_wedges_the_pool(n_cancels: int) -> None:
    async def slow(upstream: RawUpstream, peer: Peer) -> None:
        while await upstream.take(peer) is not None:
            for offset in range(len(OK)):
                await peer.send(OK[offset : offset + 1])
                await asyncio.sleep(0)

    async def check() -> None:
        pool = UpstreamPool()
        async with RawUpstream(slow) as upstream:
            for turn in range(n_cancels):
                task = asyncio.create_task(ask(pool, upstream.port))
                for _ in range(turn % 40):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            body = await ask(pool, upstream.port)

            assert b"{}" == body
            assert 0 == pool.n_connections(target_at(upstream.port))[1]
            await pool.close()

    run(check())


def test_a_connection_that_was_silent_too_long_is_not_used_again() -> None:
    async def check() -> None:
        pool = UpstreamPool()
        async with RawUpstream(answering(OK)) as upstream:
            await asyncio.gather(*(ask(pool, upstream.port) for _ in range(2)))
            base_url = target_at(upstream.port).base_url

            assert pool.take_idle(base_url, keep_idle_s=-1) is None
            assert (0, 0) == pool.n_connections(target_at(upstream.port))
            await ask(pool, upstream.port)
            assert 3 == len(upstream.peers)
            await pool.close()

    run(check())
