"""Scriptable stand-ins for backends: each shape lists, tells, pulls and answers as the real one does.

`python -m tests.programs.backend_shapes SHAPE` prints two ports: of the backend, and of its orders. Shapes
are the types of backends: ollama, vllm, openai, gemini, llama_server, llama_router, ggtui.

A model is an object; all but `name` may be left out: size, digest, modified_at, details, family, parameters,
context_length, capabilities (as Ollama writes them: completion, embedding, …), methods (of Gemini), aliases,
is_loaded.

Requests come to places: `list` (of models), `show` (of one model), `pull`, `delete`, `ps`, `health`, `props`,
`lora`, `chat`, `completions`, `embeddings`; all else is `other` and gets 404. A script is a list of answers
for one place, or for one model at it; the last one goes on. An answer is an object; each member may be left
out:

    status, headers, code   of an answer that is not 200 (`code`: in the body of its error)
    json, text              a body in place of the true one; `text` is sent as it is
    n_bytes                 a body of so many bytes, in place of the true one
    raw                     all that is sent, head and all; then the connection ends
    hold, hang, drop        no byte before /fake/release, no byte ever, the end of the connection
    wait_s, drip_s          seconds before the first byte; before each single byte of the body
    of a pull: n_pieces (4), piece_s (0), hold_after, hang_after, cut_after (lines of progress), error (told
    after so many pieces as `error_after` says, 0)
    of chat and completions: words, word_s, usage, hold_after, hang_after, drop_after, drip_after, as
    tests.programs.openai_upstream has them

Orders and questions, JSON over the second port, which all answer with the notes:

    POST /fake/models   {"models"}: what it has from now on      POST /fake/key {"key"}: what it asks for
    POST /fake/script   {"place", "model"?, "answers"}; no answers: all is well again
    POST /fake/release  {}: let all held answers go on           POST /fake/page {"n"}: models of a page
    POST /fake/down     {}: nobody listens; POST /fake/up: again on the same port
    POST /fake/wait     {"place"?, "model"?, "requests"?, "held"?, "running"?, "left"?}: when so many came,
                        are held, run, or were left by their client before the end
    POST /fake/notes    {"models", "running", "left", "requests": [{"place", "model", "method", "path",
                        "headers", "body", "status"}]}
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.programs import openai_upstream
from tests.programs.openai_upstream import Dropped, hold, send, stream, usage_of

SIZE = 1_000_000
MODIFIED_AT = "2025-06-01T12:00:00.123456789+02:00"
_PLACES = {
    "/api/tags": "list",
    "/api/show": "show",
    "/api/pull": "pull",
    "/api/delete": "delete",
    "/api/ps": "ps",
    "/v1/models": "list",
    "/models": "list",
    "/v1beta/models": "list",
    "/health": "health",
    "/props": "props",
    "/lora-adapters": "lora",
}
_OF_V1 = {"/chat/completions": "chat", "/completions": "completions", "/embeddings": "embeddings"}
_LIST = {"ollama": "/api/tags", "gemini": "/v1beta/models", "llama_router": "/models"}
_GEMINI = "/v1beta/models/"
_SLOW = frozenset(("chat", "completions", "pull"))
"""Places whose answers come in pieces."""
_OTHER_BODY = frozenset(("status", "json", "text", "n_bytes"))
"""Members of an answer that put another body in the place of the true one."""


@dataclass
class Request:
    """One request of a client."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any
    place: str = "other"
    model: str = ""

    def note(self) -> dict[str, Any]:
        """As a test reads it."""
        members = ("place", "model", "method", "path", "headers", "body")
        return {name: getattr(self, name) for name in members} | {"query": self.query, "status": None}


@dataclass
class Shape:
    """One backend: what it has, and what befalls those who ask it."""

    shape: str
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    key: str | None = None
    n_page: int = 1000
    scripts: defaultdict[tuple[str, str], openai_upstream.Model] = field(
        default_factory=lambda: defaultdict(openai_upstream.Model)
    )
    requests: list[dict[str, Any]] = field(default_factory=list)
    running: int = 0
    left: int = 0
    connections: set[asyncio.StreamWriter] = field(default_factory=set)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    server: asyncio.Server | None = None
    port: int = 0

    async def serve(self) -> None:
        """Serve until the end of the process."""
        await self.open()
        orders = await asyncio.start_server(self.take_orders, "127.0.0.1", 0, limit=1 << 26)
        print(self.port, orders.sockets[0].getsockname()[1], flush=True)
        await orders.serve_forever()

    async def open(self) -> None:
        """Listen; on the same port as before."""
        self.server = await asyncio.start_server(
            self.converse, "127.0.0.1", self.port, limit=1 << 24, backlog=256
        )
        self.port = self.server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Listen no more, and end all connections."""
        if self.server is not None:
            self.server.close()
        for writer in self.connections:
            writer.transport.abort()
        self.server = None

    # Orders

    async def take_orders(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The orders of a test, one after the other."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                request = await read_request(reader)
                await self.obey(request.path, request.body)
                await send(writer, 200, self.notes())
        writer.close()

    async def obey(self, path: str, order: dict[str, Any]) -> None:
        """One order."""
        match path:
            case "/fake/models":
                self.models = {each["name"]: each for each in order["models"]}
            case "/fake/key":
                self.key = order["key"]
            case "/fake/page":
                self.n_page = order["n"]
            case "/fake/script":
                script = self.scripts[order["place"], order.get("model", "")]
                script.answers, script.n_asked = order["answers"] or [{}], 0
            case "/fake/release":
                for script in self.scripts.values():
                    for each in script.held:
                        each.set_result(None)
                    script.held.clear()
            case "/fake/down":
                await self.shut()
            case "/fake/up" if self.server is None:
                await self.open()
            case "/fake/wait":
                async with self.news:
                    await self.news.wait_for(lambda: self.has_come_to(order))

    def notes(self) -> dict[str, Any]:
        """What it has, and what reached it."""
        return {
            "models": list(self.models),
            "requests": self.requests,
            "running": self.running,
            "left": self.left,
        }

    def has_come_to(self, order: dict[str, Any]) -> bool:
        """True when what the order waits for has happened."""
        meant = [
            each
            for each in self.requests
            if order.get("place") in (None, each["place"]) and order.get("model") in (None, each["model"])
        ]
        counts = {
            "requests": len(meant),
            "held": sum(len(script.held) for script in self.scripts.values()),
            "running": self.running,
            "left": self.left,
        }
        return all(counts[name] >= n for name, n in order.items() if name in counts)

    async def tell(self) -> None:
        """Wake who waits for news."""
        async with self.news:
            self.news.notify_all()

    # Requests

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request after the other."""
        self.connections.add(writer)
        with contextlib.suppress(OSError, Dropped, asyncio.IncompleteReadError):
            while True:
                request = await read_request(reader)
                await self.answer(reader, writer, request)
                if request.headers.get("connection", "").lower() == "close":
                    break
        with contextlib.suppress(OSError):
            writer.close()
        self.connections.discard(writer)

    async def answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request
    ) -> None:
        """One request, noted; a client that goes ends its answer."""
        request.place, request.model = self.place_of(request)
        note = request.note()
        self.requests.append(note)
        self.running += 1
        await self.tell()
        play = asyncio.ensure_future(self.play(writer, request, note))
        watch = asyncio.ensure_future(self.tell_of_holds(play))
        gone = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({play, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not play.done():
                self.left += 1
                raise ConnectionResetError
            play.result()
        finally:
            for task in (play, gone, watch):
                task.cancel()
            await asyncio.wait({play, gone, watch})
            self.running -= 1
            await self.tell()

    async def tell_of_holds(self, play: asyncio.Future[None]) -> None:
        """Tell those who wait when an answer comes to be held."""
        while not play.done():
            await asyncio.sleep(0.01)
            await self.tell()

    def place_of(self, request: Request) -> tuple[str, str]:
        """Where a request goes, and for which model; shapes have no more than their own listing."""
        told = request.body.get("model") or request.body.get("name") if isinstance(request.body, dict) else ""
        path, model = request.path, str(told or "")
        if self.shape == "gemini" and path.startswith(_GEMINI):
            return "show", unquote(path.removeprefix(_GEMINI))
        for end, place in _OF_V1.items():
            if path.endswith(end):
                return place, model
        place = _PLACES.get(path, "other")
        if place == "list" and path not in (_LIST.get(self.shape), "/v1/models"):
            return "other", model
        is_of_ollama = path.startswith("/api/")
        return ("other" if is_of_ollama and self.shape != "ollama" else place), model

    async def play(self, writer: asyncio.StreamWriter, request: Request, note: dict[str, Any]) -> None:
        """One answer: as the script has it, else the true one."""
        script = self.scripts.get((request.place, request.model)) or self.scripts[request.place, ""]
        answer = script.next_answer()
        await befall_head(writer, script, answer)
        if not self.is_known(request):
            note["status"] = 401
            await send(writer, 401, problem("wrong key", "invalid_api_key"))
        elif request.place in _SLOW and not _OTHER_BODY & set(answer):
            note["status"] = 200
            await (self.pull if request.place == "pull" else self.talk)(writer, script, answer, request)
        else:
            status, value = self.true_answer(request)
            if answer.get("status", 200) != 200:
                status, value = answer["status"], problem(f"scripted {answer['status']}", answer.get("code"))
            note["status"] = status
            await send_data(writer, status, scripted_body(answer, value), answer)

    def is_known(self, request: Request) -> bool:
        """True for who has the key, in the way of this shape."""
        if self.key is None or request.place == "health":
            return True
        headers = request.headers
        if headers.get("authorization") == f"Bearer {self.key}":
            return True
        is_googles = headers.get("x-goog-api-key") == self.key or request.query.get("key") == [self.key]
        return self.shape == "gemini" and is_googles

    def true_answer(self, request: Request) -> tuple[int, Any]:
        """What it says by itself."""
        match request.place:
            case "list":
                return 200, self.listing(request)
            case "show":
                return self.show(request.model)
            case "delete":
                return self.delete(request.model)
            case "ps":
                loaded = [self.row_of_ollama(each) for each in self.models.values() if each.get("is_loaded")]
                return 200, {"models": loaded}
            case "health":
                return 200, {"status": "ok"}
            case "props":
                return 200, self.props()
            case "lora":
                return 200, []
            case place if place in _SLOW:  # the script has another body for it
                return 200, {}
            case "embeddings":
                data = [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]
                usage = {"prompt_tokens": 3, "total_tokens": 3}
                return 200, {"object": "list", "data": data, "model": request.model, "usage": usage}
        return 404, problem("not found", None)

    # What it has

    def listing(self, request: Request) -> dict[str, Any]:
        """All models, or a page of them."""
        models = list(self.models.values())
        if self.shape == "gemini" and request.path == "/v1beta/models":
            start = int(request.query.get("pageToken", ["0"])[0])
            most = min(int(request.query.get("pageSize", ["50"])[0]), self.n_page)
            page = {"models": [self.row_of_gemini(each) for each in models[start : start + most]]}
            more = {"nextPageToken": str(start + most)} if start + most < len(models) else {}
            return page | more
        if self.shape == "ollama" and request.path == "/api/tags":
            return {"models": [self.row_of_ollama(each) for each in models]}
        return {"object": "list", "data": [self.row(each) for each in models]}

    def row(self, model: dict[str, Any]) -> dict[str, Any]:
        """A model in a listing of OpenAI's form, with what this shape adds to it."""
        n_ctx = model.get("context_length", 4096)
        base = {"id": model["name"], "object": "model", "created": 1_750_000_000, "owned_by": self.shape}
        if self.shape == "vllm":
            return base | {"root": model["name"], "parent": None, "max_model_len": n_ctx}
        if self.shape == "llama_server":
            meta = {"n_ctx_train": n_ctx * 2, "n_ctx": n_ctx, "size": model.get("size", SIZE)}
            return base | {"aliases": model.get("aliases", []), "meta": meta}
        if self.shape == "llama_router":
            state = "loaded" if model.get("is_loaded") else "unloaded"
            args = ["llama-server", "--ctx-size", str(n_ctx)]
            meta = (
                {"meta": {"n_ctx": n_ctx, "size": model.get("size", SIZE)}} if model.get("is_loaded") else {}
            )
            return base | {"status": {"value": state, "args": args}, **meta}
        if self.shape == "ggtui":
            told = {"context_window": n_ctx, "capabilities": model.get("capabilities", ["chat", "stream"])}
            return base | told | {"status": "ready", "is_running": bool(model.get("is_loaded")), "meta": {}}
        return base

    def row_of_ollama(self, model: dict[str, Any]) -> dict[str, Any]:
        """A model in /api/tags."""
        details = {
            "parent_model": "",
            "format": "gguf",
            "family": model.get("family", "llama"),
            "families": [model.get("family", "llama")],
            "parameter_size": "8.0B",
            "quantization_level": "Q4_K_M",
        }
        return {
            "name": model["name"],
            "model": model["name"],
            "modified_at": model.get("modified_at", MODIFIED_AT),
            "size": model.get("size", SIZE),
            "digest": model.get("digest", digest_of(model["name"])),
            "details": model.get("details", details),
        }

    def row_of_gemini(self, model: dict[str, Any]) -> dict[str, Any]:
        """A model in Google's own form."""
        methods = ["generateContent", "countTokens"]
        return {
            "name": f"models/{model['name'].removeprefix('models/')}",
            "version": "001",
            "displayName": model["name"],
            "inputTokenLimit": model.get("context_length", 1_048_576),
            "outputTokenLimit": 8192,
            "supportedGenerationMethods": model.get("methods", methods),
        }

    def show(self, name: str) -> tuple[int, Any]:
        """What it tells of one model."""
        model = self.find(name)
        if model is None:
            return 404, self.not_found(name)
        if self.shape == "gemini":
            return 200, self.row_of_gemini(model)
        family = model.get("family", "llama")
        n_ctx = model.get("context_length", 131_072)
        told = {"general.architecture": family, f"{family}.context_length": n_ctx}
        return 200, {
            "details": self.row_of_ollama(model)["details"],
            "model_info": told,
            "capabilities": model.get("capabilities", ["completion"]),
            "parameters": model.get("parameters", ""),
            "modified_at": model.get("modified_at", MODIFIED_AT),
        }

    def delete(self, name: str) -> tuple[int, Any]:
        """Have it no more."""
        model = self.find(name)
        if model is None:
            return 404, self.not_found(name)
        del self.models[model["name"]]
        return 200, {}

    def find(self, name: str) -> dict[str, Any] | None:
        """The model that is meant; Ollama's tag and Google's prefix may be left out."""
        spellings = (name, f"{name}:latest", f"models/{name}", name.removeprefix("models/"))
        return next((self.models[each] for each in spellings if each in self.models), None)

    def not_found(self, name: str) -> Any:
        """The words of this shape for a model that it does not have."""
        if self.shape == "ollama":
            return {"error": f"model '{name}' not found"}
        return {"error": {"code": 404, "message": f"{name} is not found", "status": "NOT_FOUND"}}

    def props(self) -> dict[str, Any]:
        """What a llama-server tells of itself."""
        first = next(iter(self.models.values()), {"name": ""})
        n_ctx = first.get("context_length", 4096)
        return {
            "default_generation_settings": {"n_ctx": n_ctx},
            "total_slots": 4,
            "model_alias": first["name"],
            "model_path": f"/models/{first['name']}.gguf",
            "modalities": {"vision": False, "audio": False},
            "is_sleeping": False,
        }

    # What takes time

    async def talk(
        self,
        writer: asyncio.StreamWriter,
        script: openai_upstream.Model,
        answer: dict[str, Any],
        request: Request,
    ) -> None:
        """An answer to a prompt, whole or word by word."""
        usage = usage_of(answer)
        body = request.body
        if body.get("stream"):
            is_asked = (body.get("stream_options") or {}).get("include_usage") is True
            return await stream(writer, script, answer, request.model, usage if is_asked else None)
        words = answer.get("words", 8)
        await asyncio.sleep(words * answer.get("word_s", 0))
        text = "".join(f"w{n} " for n in range(words))
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
        choice |= (
            {"message": {"role": "assistant", "content": text}} if request.place == "chat" else {"text": text}
        )
        document = {"object": "chat.completion", "model": request.model, "choices": [choice]}
        return await send(writer, 200, document | ({"usage": usage} if usage else {}))

    async def pull(
        self,
        writer: asyncio.StreamWriter,
        script: openai_upstream.Model,
        answer: dict[str, Any],
        request: Request,
    ) -> None:
        """Fetch a model, telling how far it is; it is there at the end and no sooner."""
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        await line(writer, {"status": "pulling manifest"})
        name = request.model
        tagged = name if ":" in name.rpartition("/")[2] else f"{name}:latest"
        digest, total, n_pieces = f"sha256:{digest_of(tagged)}", SIZE, answer.get("n_pieces", 4)
        for n in range(n_pieces + 1):
            await self.befall(writer, script, answer, n)
            told = {"status": f"pulling {digest[7:19]}", "digest": digest, "total": total}
            await line(writer, told | {"completed": total * n // n_pieces})
            await asyncio.sleep(answer.get("piece_s", 0))
        await line(writer, {"status": "verifying sha256 digest"})
        await line(writer, {"status": "writing manifest"})
        self.models.setdefault(tagged, {"name": tagged})
        await line(writer, {"status": "success"})
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def befall(
        self, writer: asyncio.StreamWriter, script: openai_upstream.Model, answer: dict[str, Any], n: int
    ) -> None:
        """What the script says of the moment after so many pieces."""
        if n == answer.get("hold_after"):
            await hold(script)
        if n == answer.get("hang_after"):
            await asyncio.Event().wait()
        if n == answer.get("cut_after"):
            raise Dropped
        if "error" in answer and n == answer.get("error_after", 0):
            await line(writer, {"error": answer["error"]})
            writer.write(b"0\r\n\r\n")
            await writer.drain()
            raise Dropped


async def read_request(reader: asyncio.StreamReader) -> Request:
    """The next request of a connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    fields = (text.partition(":") for text in head[1:] if text)
    headers = {name.lower(): value.strip() for name, _, value in fields}
    data = await reader.readexactly(int(headers.get("content-length", 0)))
    path, _, query = target.partition("?")
    return Request(method, path, parse_qs(query), headers, json.loads(data or b"{}"))


def digest_of(name: str) -> str:
    """64 hexadecimal digits, always the same for a name."""
    return hashlib.sha256(name.encode()).hexdigest()


def problem(message: str, code: str | None) -> dict[str, Any]:
    """The body of an answer that is none."""
    return openai_upstream.error(message, code)


def scripted_body(answer: dict[str, Any], value: Any) -> bytes:
    """The body that the script has, else the true one."""
    if "text" in answer:
        return str(answer["text"]).encode()
    if "n_bytes" in answer:
        return b'{"data": "' + b"x" * int(answer["n_bytes"])
    return json.dumps(answer.get("json", value)).encode()


async def befall_head(
    writer: asyncio.StreamWriter, script: openai_upstream.Model, answer: dict[str, Any]
) -> None:
    """What the script says of the moment before the first byte."""
    await asyncio.sleep(answer.get("wait_s", 0))
    if answer.get("hold"):
        await hold(script)
    if answer.get("hang"):
        await asyncio.Event().wait()
    if "raw" in answer:
        writer.write(answer["raw"].encode("latin-1"))
        await writer.drain()
    if answer.get("drop") or "raw" in answer:
        raise Dropped


async def send_data(writer: asyncio.StreamWriter, status: int, data: bytes, answer: dict[str, Any]) -> None:
    """One whole answer, byte by byte if the script says so."""
    fields = {
        "Content-Type": "application/json",
        "Content-Length": str(len(data)),
        **answer.get("headers", {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    writer.write(f"HTTP/1.1 {status} Scripted\r\n{head}\r\n".encode("latin-1"))
    step = 1 if "drip_s" in answer else max(len(data), 1)
    for at in range(0, len(data), step):
        await asyncio.sleep(answer.get("drip_s", 0))
        writer.write(data[at : at + step])
        await writer.drain()
    await writer.drain()


async def line(writer: asyncio.StreamWriter, value: dict[str, Any]) -> None:
    """One line of JSON as one chunk."""
    await openai_upstream.write_chunk(writer, json.dumps(value) + "\n")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(Shape(sys.argv[1]).serve())
    sys.exit()
