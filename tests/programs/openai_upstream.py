"""A scriptable stand-in for a provider of the OpenAI API: it answers as told, and notes what reached it.

`python -m tests.programs.openai_upstream` prints its port. Every model name has a script and notes of its
own; a model without a script answers eight words. A script is a list of answers, one for each request, the
last one again and again. An answer is an object; each of its members may be left out:

    status, headers, code   of an answer that is not 200: `code` stands in the body of the error,
    message                 and so does this, where it is given
    words (8), word_s (0)   length of an answer, and seconds before each word
    echo                    true: its first word is what `Authorization` held, and so is a field `X-Echo`
    usage                   of an answer; counted from its words if it is not given, none at all for null
    wait_s                  seconds before the first byte
    hold                    true: no byte before somebody says /fake/release
    hang                    true: no byte ever
    hold_after              in a stream: after this many words, wait for /fake/release
    hang_after, drop_after  in a stream: after this many words, silence, or the end of the connection
    drip_after              in a stream: after this many words, a byte every 50 ms that never makes an event
    drop                    true: the end of the connection in place of an answer

As at OpenAI, a stream tells its usage only to who asks for it with `stream_options`.

Orders and questions, JSON over the same port:

    POST /fake/script   {"model", "answers", "key"?}; key: what `Authorization: Bearer` must hold, else 401
    POST /fake/release  {"model", "n"?}: let n held answers go on, or all
    POST /fake/wait     {"model", "requests"?, "running"?, "left"?}: answers when as many came, run, or left
    GET  /fake/notes?MODEL  {"requests": [{"path", "headers", "body", "at"}], "running", "most", "left"}
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

DRIP_S = 0.05
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class Dropped(Exception):
    """The connection ends here, as the script says."""


@dataclass
class Model:
    """The script of one name, and what reached it."""

    answers: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    key: str | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)
    n_asked: int = 0
    """Since the script was given."""
    running: int = 0
    most: int = 0
    """The most that ran at once."""
    left: int = 0
    """Clients that did not wait for the end of their answer."""
    held: list[asyncio.Future[None]] = field(default_factory=list)

    def next_answer(self) -> dict[str, Any]:
        """What the script says of the next request."""
        self.n_asked += 1
        return self.answers[min(self.n_asked, len(self.answers)) - 1]

    def notes(self) -> dict[str, Any]:
        """What reached it."""
        return {
            "requests": self.requests,
            "running": self.running,
            "most": self.most,
            "left": self.left,
        }

    def has_come_to(self, order: dict[str, Any]) -> bool:
        """True when what the order waits for has happened."""
        counts = {"requests": len(self.requests), "running": self.running, "left": self.left}
        return all(counts[name] >= n for name, n in order.items() if name in counts)


class Upstream:
    """The server."""

    def __init__(self) -> None:
        self.models: defaultdict[str, Model] = defaultdict(Model)
        self.news = asyncio.Condition()

    async def serve(self) -> None:
        """Serve until the end of the process."""
        server = await asyncio.start_server(self.converse, "127.0.0.1", 0, limit=1 << 24, backlog=1024)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request after the other."""
        with contextlib.suppress(OSError, Dropped, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                _, path, _ = head[0].split(" ")
                fields = (line.partition(":") for line in head[1:] if line)
                headers = {name.lower(): value.strip() for name, _, value in fields}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                if path.startswith("/fake/"):
                    await self.obey(writer, path, json.loads(body or b"{}"))
                else:
                    await self.answer(reader, writer, path, headers, json.loads(body))
        writer.transport.abort()

    async def obey(self, writer: asyncio.StreamWriter, path: str, order: dict[str, Any]) -> None:
        """An order or a question of a test."""
        order_path, _, query = path.partition("?")
        model = self.models[unquote(query) or str(order.get("model"))]
        match order_path:
            case "/fake/script":
                model.answers, model.key, model.n_asked = order["answers"], order.get("key"), 0
            case "/fake/release":
                for each in model.held[: order.get("n")]:
                    each.set_result(None)
                del model.held[: order.get("n")]
            case "/fake/wait":
                async with self.news:
                    await self.news.wait_for(lambda: model.has_come_to(order))
        await send(writer, 200, model.notes())

    async def tell(self) -> None:
        """Wake who waits for news."""
        async with self.news:
            self.news.notify_all()

    async def answer(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        path: str,
        headers: dict[str, str],
        body: dict[str, Any],
    ) -> None:
        """One request of a client, noted; a client that goes ends its answer."""
        model = self.models[str(body.get("model"))]
        note = {"path": path, "headers": headers, "body": body, "at": time.monotonic()}
        model.requests.append(note)
        model.running += 1
        model.most = max(model.most, model.running)
        await self.tell()
        is_known = model.key is None or headers.get("authorization") == f"Bearer {model.key}"
        answer = model.next_answer() if is_known else {"status": 401, "code": "invalid_api_key"}
        if answer.get("echo"):
            answer = answer | {"echo": headers.get("authorization", "")}
        play = asyncio.ensure_future(self.play(writer, model, answer, body))
        gone = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({play, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not play.done():
                model.left += 1
                raise ConnectionResetError
            play.result()
        finally:
            for task in (play, gone):
                task.cancel()
            await asyncio.wait({play, gone})
            model.running -= 1
            await self.tell()

    async def play(
        self,
        writer: asyncio.StreamWriter,
        model: Model,
        answer: dict[str, Any],
        body: dict[str, Any],
    ) -> None:
        """One answer of the script."""
        await asyncio.sleep(answer.get("wait_s", 0))
        if answer.get("hold"):
            await hold(model)
        if answer.get("hang"):
            await asyncio.Event().wait()
        if answer.get("drop"):
            raise Dropped
        status = answer.get("status", 200)
        if status != 200:
            told = error(answer.get("message", f"scripted {status}"), answer.get("code"))
            return await send(writer, status, told, answer.get("headers"))
        usage = usage_of(answer)
        if body.get("stream"):
            is_asked = (body.get("stream_options") or {}).get("include_usage") is True
            return await stream(writer, model, answer, body["model"], usage if is_asked else None)
        words = answer.get("words", 8)
        await asyncio.sleep(words * answer.get("word_s", 0))
        message = {"role": "assistant", "content": "".join(word_of(answer, n) for n in range(words))}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        document = {"object": "chat.completion", "model": body["model"], "choices": [choice]}
        more = {"X-Echo": answer["echo"]} if answer.get("echo") else None
        return await send(writer, 200, document | ({"usage": usage} if usage else {}), more)


def word_of(answer: dict[str, Any], n: int) -> str:
    """The word of an answer at this place."""
    return f"{answer['echo']} " if n == 0 and answer.get("echo") else f"w{n} "


async def hold(model: Model) -> None:
    """Wait for a release."""
    held = asyncio.get_running_loop().create_future()
    model.held.append(held)
    try:
        await held
    finally:
        if held in model.held:
            model.held.remove(held)


def usage_of(answer: dict[str, Any]) -> dict[str, Any] | None:
    """The usage of an answer that is whole."""
    if "usage" in answer:
        given: dict[str, Any] | None = answer["usage"]
        return given
    n_words = answer.get("words", 8)
    return {"prompt_tokens": 5, "completion_tokens": n_words, "total_tokens": 5 + n_words}


async def stream(
    writer: asyncio.StreamWriter,
    model: Model,
    answer: dict[str, Any],
    name: str,
    usage: dict[str, Any] | None,
) -> None:
    """An answer word by word, and what befalls it on the way."""
    writer.write(STREAM_HEAD)

    async def event(choices: list[dict[str, Any]], **more: Any) -> None:
        document = {"object": "chat.completion.chunk", "model": name, "choices": choices, **more}
        await write_chunk(writer, f"data: {json.dumps(document)}\n\n")

    for n in range(answer.get("words", 8) + 1):
        await befall(writer, model, answer, n)
        if n < answer.get("words", 8):
            await asyncio.sleep(answer.get("word_s", 0))
            delta = {"content": word_of(answer, n)}
            await event([{"index": 0, "delta": delta, "finish_reason": None}])
    await event([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    if usage is not None:
        await event([], usage=usage)
    await write_chunk(writer, "data: [DONE]\n\n")
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def befall(writer: asyncio.StreamWriter, model: Model, answer: dict[str, Any], n_sent: int) -> None:
    """What the script says of the moment after so many words."""
    if n_sent == answer.get("hold_after"):
        await hold(model)
    if n_sent == answer.get("drop_after"):
        raise Dropped
    if n_sent == answer.get("hang_after"):
        await asyncio.Event().wait()
    while n_sent == answer.get("drip_after"):
        await write_chunk(writer, "x")
        await asyncio.sleep(DRIP_S)


async def write_chunk(writer: asyncio.StreamWriter, text: str) -> None:
    """Some text as one chunk."""
    data = text.encode()
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))
    await writer.drain()


def error(message: str, code: str | None) -> dict[str, Any]:
    """The body of an answer that is none."""
    return {"error": {"message": message, "type": "scripted_error", "param": None, "code": code}}


async def send(
    writer: asyncio.StreamWriter, status: int, value: Any, headers: dict[str, str] | None = None
) -> None:
    """One whole JSON answer."""
    data = json.dumps(value).encode()
    fields = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    writer.write(f"HTTP/1.1 {status} Scripted\r\n{head}\r\n".encode() + data)
    await writer.drain()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(Upstream().serve())
    sys.exit()
