"""Many clients that do what clients do: ask, stream, wish for contexts, and leave in the middle of it all."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import random

CONTEXTS = (None, None, 1024, 2048, 4096)
LETTERS = {"grammar": "root ::= [a-z ]*"}
"""Random weights answer noise, which no chat parser takes without a grammar."""

LEAVES = (None, None, None, "in the request", "before the answer", "in the answer")


@dataclass
class Crowd:
    """What was answered, as words with their counts.

    `200` is a whole answer, `200 CODE` a stream with an error event at its end, `STATUS CODE REASON` a
    refusal, `cut` an answer without its end, `left` a client that did not wait for one.
    """

    url: str
    models: list[str]
    chance: random.Random
    seen: Counter[str] = field(default_factory=Counter)
    latest: dict[str, str] = field(default_factory=dict)
    """The last answer of each kind, to look at."""

    async def client(self, n_requests: int) -> None:
        """Requests one after another, each on a connection of its own."""
        for _ in range(n_requests):
            fields: dict[str, Any] = {
                "max_tokens": self.chance.choice((1, 4, 16, 64)),
                "stream": self.chance.random() < 0.5,
                "ignore_eos": True,
            }
            wish = self.chance.choice(CONTEXTS)
            if wish is not None:
                fields["num_ctx"] = wish
            await self.chat(self.chance.choice(self.models), self.chance.choice(LEAVES), **fields)

    async def chat(self, model: str, leaves: str | None = None, **fields: Any) -> str:
        """One chat request; what came of it, counted."""
        hello = [{"role": "user", "content": "hello"}]
        return await self.ask(
            "/v1/chat/completions", {"model": model, "messages": hello, **LETTERS, **fields}, leaves
        )

    async def ask(self, path: str, body: dict[str, Any], leaves: str | None = None) -> str:
        """One POST; what came of it, counted."""
        try:
            answer = await self._exchange(path, json.dumps(body).encode(), leaves)
        except ConnectionError:
            answer = b""
        word = "left" if leaves and not _is_whole(answer) else word_of(answer)
        self.seen[word] += 1
        self.latest[word] = answer[-2000:].decode("utf-8", "replace")
        return word

    async def _exchange(self, path: str, body: bytes, leaves: str | None) -> bytes:
        address = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            head = f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
            request = f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
            if leaves == "in the request":
                writer.write(request[: self.chance.randrange(1, len(request))])
                await writer.drain()
                return b""
            writer.write(request)
            await writer.drain()
            if leaves == "before the answer":
                with contextlib.suppress(TimeoutError):
                    return await asyncio.wait_for(reader.read(1), self.chance.random() * 0.2)
                return b""
            if leaves == "in the answer":
                return await reader.read(self.chance.choice((1, 300, 1000)))
            return await reader.read(-1)
        finally:
            if self.chance.random() < 0.5:
                writer.transport.abort()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _is_whole(answer: bytes) -> bool:
    return answer.endswith((b"0\r\n\r\n", b"}"))


def word_of(answer: bytes) -> str:
    """The kind of a raw HTTP answer, see Crowd."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head[9:12].decode("latin-1")
    if b"text/event-stream" in head:
        code = _error_of(body.rpartition(b'data: {"error"')[2]) if b'data: {"error"' in body else ""
        if code:
            return f"{status} {code}"
        return status if b"data: [DONE]" in body and body.endswith(b"0\r\n\r\n") else "cut"
    try:
        document = json.loads(body)
    except ValueError:
        return "cut"
    error = document.get("error")
    if not error:
        return status
    return " ".join(str(part) for part in (status, error.get("code"), error.get("reason")) if part)


def _error_of(rest: bytes) -> str:
    event = b'{"error"' + rest.partition(b"\n")[0]
    return str(json.loads(event)["error"]["code"])
