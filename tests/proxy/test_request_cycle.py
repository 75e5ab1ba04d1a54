"""What goes out for one request: framing by version and method, and no answer that lies about its length."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from ggtui.proxy.answers import Headers, Reply
from ggtui.proxy.head import RequestHead
from ggtui.proxy.request_cycle import RequestCycle, scope_of
from tests.proxy.rig import run


class FakeConnection:
    """Keeps what an answer does to its connection."""

    def __init__(self) -> None:
        self.sent = b""
        self.n_writes = 0
        self.ends: list[str] = []

    def write(self, data: bytes) -> None:
        self.sent += data
        self.n_writes += 1

    def answered(self) -> None:
        self.ends.append("answered")

    def cut(self) -> None:
        self.ends.append("cut")


async def answer(
    fields: Headers,
    *pieces: bytes,
    status: int = 200,
    method: str = "GET",
    is_http10: bool = False,
    keep_alive: bool = True,
) -> FakeConnection:
    """Let an application answer like this."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reply = Reply(send, [])
        await reply.begin(status, fields)
        for piece in pieces:
            await reply.write(piece)
        await reply.end()

    connection = FakeConnection()
    cycle = cycle_on(connection, method, is_http10=is_http10)
    cycle.keep_alive = keep_alive
    await cycle.run_asgi(app)
    return connection


def cycle_on(connection: FakeConnection, method: str = "GET", *, is_http10: bool = False) -> RequestCycle:
    """A request without body."""
    head = RequestHead(method, b"/", b"", is_http10, [], b"", expects_continue=False)
    flow = FlowControl(asyncio.Transport())
    return RequestCycle(scope_of(head, None, None), connection, flow, [], expects_continue=False)


SIZED = [(b"content-length", b"2")]


@pytest.mark.parametrize(
    ("fields", "more", "expected"),
    [
        ([], {}, b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"),
        (SIZED, {}, b"content-length: 2\r\n\r\nab"),
        (SIZED, {"method": "HEAD"}, b"content-length: 2\r\n\r\n"),
        ([], {"method": "HEAD"}, b"\r\n\r\n"),
        ([], {"status": 204}, b"\r\n\r\n"),
        ([], {"is_http10": True, "keep_alive": False}, b"connection: close\r\n\r\nab"),
        (
            [*SIZED, (b"connection", b"keep-alive")],
            {},
            b"content-length: 2\r\nconnection: keep-alive\r\n\r\nab",
        ),
        (
            [*SIZED, (b"connection", b"keep-alive")],
            {"keep_alive": False},
            b"content-length: 2\r\nconnection: close\r\n\r\nab",
        ),
    ],
)
def test_a_body_is_framed_as_its_reader_understands(
    fields: Headers, more: dict[str, Any], expected: bytes
) -> None:
    async def check() -> None:
        connection = await answer(fields, b"ab", **more)

        head, _, _ = connection.sent.partition(b"\r\n")
        assert b"HTTP/1.1 %d" % more.get("status", 200) == head[:12]
        assert connection.sent.endswith(expected)
        assert ["answered"] == connection.ends

    run(check())


def test_a_head_goes_out_with_the_body_but_does_not_wait_for_it() -> None:
    async def check() -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            reply = Reply(send, [])
            await reply.begin(200, SIZED)
            await go_on.wait()
            await reply.end(b"ab")

        go_on = asyncio.Event()
        at_once = await answer(SIZED, b"ab")
        late = FakeConnection()
        cycle = cycle_on(late)
        task = asyncio.create_task(cycle.run_asgi(app))
        while not late.sent:  # noqa: ASYNC110  a turn of the loop or two
            await asyncio.sleep(0)

        assert late.sent.endswith(b"content-length: 2\r\nconnection: close\r\n\r\n")

        go_on.set()
        await task

        assert (1, 2) == (at_once.n_writes, late.n_writes)
        assert late.sent.endswith(b"\r\n\r\nab")

    run(check())


@pytest.mark.parametrize("pieces", [(b"a",), (), (b"ab", b"c")])
def test_a_body_of_another_length_ends_the_connection(
    pieces: tuple[bytes, ...], caplog: pytest.LogCaptureFixture
) -> None:
    async def check() -> None:
        connection = await answer(SIZED, *pieces)

        assert b"c" not in connection.sent.partition(b"\r\n\r\n")[2]
        assert ["cut"] == connection.ends
        assert [(logging.ERROR, "application failed: ValueError")] == [
            (record.levelno, record.getMessage()) for record in caplog.records
        ]

    run(check())


@pytest.mark.parametrize("value", [b"a\r\nx: y", b"a\nx: y", b"a\rb"])
def test_a_field_cannot_become_two(value: bytes) -> None:
    async def check() -> None:
        connection = await answer([(b"x-ggtui-endpoint", value)], b"ab")

        assert (b"", ["cut"]) == (connection.sent, connection.ends)

    run(check())
