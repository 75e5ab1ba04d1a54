"""A model server that plays scripted raw bytes: as an object in a test's own loop, or as a process.

As a process: `python fakeup.py SCRIPT` (JSON) prints its port, then plays one script entry per connection
(the last one again and again). An entry is a list of steps:
    ["send", TEXT]      raw bytes, latin-1
    ["request"]         wait for a whole request (Content-Length framing)
    ["hang"]            say nothing more until the peer goes
    ["close"] ["reset"] end the connection
    ["exit", CODE]      end the process
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import struct
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Request:
    """One request as it came over the wire."""

    head: bytes
    body: bytes

    @property
    def line(self) -> bytes:
        """The request line."""
        return self.head.partition(b"\r\n")[0]

    def values(self, name: str) -> list[str]:
        """All values of a header field."""
        fields = [line.partition(b":") for line in self.head.split(b"\r\n")[1:]]
        return [value.strip().decode() for key, _, value in fields if key.decode().lower() == name]


@dataclass
class Peer:
    """One accepted connection, for a play to act on."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def request(self) -> Request | None:
        """The next whole request, None when the peer has gone."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            match = _LENGTH.search(head)
            body = await self.reader.readexactly(int(match[1])) if match else b""
        except (asyncio.IncompleteReadError, ConnectionError):
            self.gone.set()
            return None
        return Request(head[:-4], body)

    async def send(self, data: bytes) -> None:
        """Send raw bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def until_gone(self) -> None:
        """Return when the peer has closed."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            pass
        self.gone.set()

    def reset(self) -> None:
        """End with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class RawUpstream:
    """Listens on a free loopback port; every connection is handed to the play."""

    def __init__(self, play: Callable[[RawUpstream, Peer], Awaitable[None]]) -> None:
        self._play = play
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests: list[Request] = []
        self.peers: list[Peer] = []
        self.port = 0
        self.asked = asyncio.Event()
        """Set when a request was read."""

    async def __aenter__(self) -> RawUpstream:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=1 << 26)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for peer in self.peers:
            peer.writer.transport.abort()
        await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        self.peers.append(peer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._play(self, peer)
        except (ConnectionError, asyncio.CancelledError):
            peer.gone.set()
        finally:
            writer.close()

    async def take(self, peer: Peer) -> Request | None:
        """Read a request of a peer and count it."""
        request = await peer.request()
        if request is not None:
            self.requests.append(request)
            self.asked.set()
        return request


def answering(*answers: bytes) -> Callable[[RawUpstream, Peer], Awaitable[None]]:
    """A play that gives these answers in order over all connections, the last one again and again."""

    async def play(upstream: RawUpstream, peer: Peer) -> None:
        while await upstream.take(peer) is not None:
            await peer.send(answers[min(len(upstream.requests), len(answers)) - 1])

    return play


def ending_after(answer: bytes, *, is_reset: bool = False) -> Callable[[RawUpstream, Peer], Awaitable[None]]:
    """A play that reads one request, gives these bytes and ends the connection."""

    async def play(upstream: RawUpstream, peer: Peer) -> None:
        if await upstream.take(peer) is not None:
            await peer.send(answer)
            if is_reset:
                peer.reset()

    return play


def plain(body: bytes, status: str = "200 OK", kind: str = "application/json", more: str = "") -> bytes:
    """A whole keep-alive answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; nothing for its end."""
    return b"%x\r\n%s\r\n" % (len(data), data)


async def _play_script(upstream: RawUpstream, peer: Peer, steps: list[list[str]]) -> None:
    for name, *values in steps:
        if name == "send":
            await peer.send(values[0].encode("latin-1"))
        elif name == "request":
            await upstream.take(peer)
        elif name == "hang":
            await peer.until_gone()
        elif name == "reset":
            peer.reset()
        elif name == "exit":
            os._exit(int(values[0]))
        elif name == "close":
            return


async def _serve(script: list[list[list[str]]]) -> None:
    async def play(upstream: RawUpstream, peer: Peer) -> None:
        await _play_script(upstream, peer, script[min(len(upstream.peers), len(script)) - 1])

    async with RawUpstream(play) as upstream:
        print(upstream.port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(json.loads(sys.argv[1])))
