"""What a server says of itself, to whom it says it, and what is made of a strange answer."""

from __future__ import annotations

import asyncio

import pytest

from ggtui.adapters.llama_server import identity
from ggtui.adapters.llama_server.identity import ServerFacts
from ggtui.core.errors import HealthCheckFailed
from tests.contracts.launching import run

SLOTS = b'[{"id": 0, "n_ctx": 2048}, {"id": 1, "n_ctx": 2048}]'
PROPS = b'{"default_generation_settings": {"n_ctx": 1024}, "total_slots": 3}'


async def _facts(**answers: tuple[int, bytes]) -> tuple[ServerFacts, list[str]]:
    """What is made of these answers by path, and the paths that were asked."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ")[1].decode().removeprefix("/")
        asked.append(path)
        status, body = answers[path] if b"Bearer right" in head else (401, b"{}")
        writer.write(b"HTTP/1.0 %d X\r\n\r\n%b" % (status, body))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port: int = server.sockets[0].getsockname()[1]
        return await identity.facts(port, "right"), asked


@pytest.mark.parametrize(
    ("slots", "props", "expected", "asked"),
    [
        ((200, SLOTS), (200, PROPS), ServerFacts(2048, 2), ["slots"]),
        ((501, b"{}"), (200, PROPS), ServerFacts(1024, 3), ["slots", "props"]),
        ((404, b""), (200, b'{"total_slots": true}'), ServerFacts(), ["slots", "props"]),
        ((200, b"[]"), (200, b"<html>"), ServerFacts(), ["slots", "props"]),
        ((200, b'[{"n_ctx": "many"}]'), (500, b"{}"), ServerFacts(), ["slots", "props"]),
        ((200, b"[7]"), (200, b'{"default_generation_settings": 7}'), ServerFacts(), ["slots", "props"]),
    ],
)
def test_the_slots_tell_and_where_they_do_not_the_properties_do(
    slots: tuple[int, bytes], props: tuple[int, bytes], expected: ServerFacts, asked: list[str]
) -> None:
    async def test() -> None:
        assert (expected, asked) == await _facts(slots=slots, props=props)

    run(test())


def test_a_server_that_refuses_its_key_is_not_ours() -> None:
    async def test() -> None:
        with pytest.raises(HealthCheckFailed):
            await _facts(slots=(401, b"{}"))

    run(test())
