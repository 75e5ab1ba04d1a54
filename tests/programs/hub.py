"""A scriptable stand-in for the model hub: its API, its redirects, and a content server of another origin.

`python -m tests.programs.hub` prints two ports, of the hub and of the server that has the contents. As at the
real one, `resolve` of a large file leads there, and tells the file's sha256 in X-Linked-Etag; the ETag of the
content server is also 64 hexadecimal digits, and is another hash.

    GET /api/models?search=TEXT&limit=N      GET /api/models/OWNER/REPO[/revision/REV]
    GET /api/models/OWNER/REPO/tree/REV      GET /OWNER/REPO/resolve/REV/FILE

A script is a list of answers for one file (or API) at one place, one for each request; after the last one all
goes well again, or with `repeat` the last one goes on. Places: `api` (by `search` or OWNER/REPO), `resolve`
and `content` (by path of the file in its repository). An answer is an object; each member may be left out:

    status, headers, body   what is sent in place of the file; with headers alone those are added or changed
    hold                    true: no byte of the answer before somebody says /fake/release
    hold_after, cut_after   after so many bytes of the body: silence until a release, or the end of it all
    drip_s, drip            seconds before each piece of the body, and bytes of a piece (1)
    ignore_range            true: the whole file with 200, whatever was asked for
    etag, content_range     other ones than are true
    wrong_from              from this byte of the body on: as many bytes, and other ones
    location                of a redirect: another address
    linked_etag             of a redirect: another one than is true; empty for none

Orders and questions, JSON over the port of the hub:

    POST /fake/repository  {"id", "files": {PATH: {"base64"} | {"file"}}, "lfs_from"?, "revisions"?, "token"?,
                           "is_gated"?, "downloads"?, "page"?}; again: a new commit, the former ones stay
    POST /fake/script      {"place", "path", "answers", "repeat"?}
    POST /fake/reset       {}: forget all of it
    POST /fake/release     {}: let all held answers go on
    POST /fake/wait        {"place"?, "path"?, "requests"?, "held"?, "sent"?}: answers when so many requests
                           came, are held, or so many bytes of bodies were sent
    GET  /fake/notes       {"requests": [{"place", "path", "target", "headers", "status", "sent"}], "held"}
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote

PIECE = 1 << 18
OTHERS = bytes(each ^ 0xFF for each in range(256))
SIGNATURE = "?X-Signature=content-secret"


class Dropped(Exception):
    """The connection ends here, as the script says."""


@dataclass(frozen=True)
class Content:
    """One file of a repository."""

    path: str
    file: Path | None
    data: bytes
    is_large: bool
    size: int
    sha256: str
    sha1: str

    @classmethod
    def of(cls, path: str, told: dict[str, str], lfs_from: int) -> Content:
        """The file that an order tells of; a file on the disk is read when it is asked for."""
        file = Path(told["file"]) if "file" in told else None
        data = file.read_bytes() if file else base64.b64decode(told["base64"])
        sha1 = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        sha256 = hashlib.sha256(data).hexdigest()
        is_large = len(data) >= lfs_from
        return cls(path, file, b"" if file else data, is_large, len(data), sha256, sha1)

    @property
    def etag(self) -> str:
        """What the content server says: no hash of the file."""
        return hashlib.sha256(b"chunks of " + self.sha256.encode()).hexdigest()

    def row(self) -> dict[str, Any]:
        """As the listing shows it."""
        row = {"type": "file", "oid": self.sha1, "size": self.size, "path": self.path}
        if self.is_large:
            row["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": 135}
            row["oid"] = hashlib.sha1(self.pointer()).hexdigest()
        return row

    def pointer(self) -> bytes:
        """The small text that git has in its place."""
        head = f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {self.size}\n"
        return head.encode()


@dataclass
class Repository:
    """Its files by commit, and the names of commits."""

    id: str
    commits: dict[str, dict[str, Content]] = field(default_factory=dict)
    revisions: dict[str, str] = field(default_factory=dict)
    token: str = ""
    is_gated: bool = False
    downloads: int = 0
    page: int = 1000

    def files(self, revision: str) -> tuple[str, dict[str, Content]] | None:
        """Commit and files of a revision; None when there is none."""
        commit = self.revisions.get(revision, revision)
        return (commit, self.commits[commit]) if commit in self.commits else None

    def hit(self) -> dict[str, Any]:
        """As a search shows it."""
        return {
            "id": self.id,
            "modelId": self.id,
            "downloads": self.downloads,
            "likes": self.downloads // 10,
            "lastModified": "2025-06-01T12:00:00.000Z",
            "gated": "manual" if self.is_gated else False,
            "tags": ["gguf"],
        }


@dataclass
class Script:
    """What befalls the requests for one thing."""

    answers: list[dict[str, Any]]
    repeat: bool = False
    n_asked: int = 0

    def next_answer(self) -> dict[str, Any]:
        """For the next request."""
        self.n_asked += 1
        if self.n_asked > len(self.answers) and not self.repeat:
            return {}
        return self.answers[min(self.n_asked, len(self.answers)) - 1]


@dataclass
class Reply:
    """What is sent."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    content: Content | None = None
    """Whose bytes `first` to `end` are the body, in place of `body`."""
    first: int = 0
    end: int = 0


class Hub:
    """Both servers."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.scripts: defaultdict[tuple[str, str], Script] = defaultdict(lambda: Script([]))
        self.requests: list[dict[str, Any]] = []
        self.held: list[asyncio.Future[None]] = []
        self.news = asyncio.Condition()
        self.content_url = ""

    async def serve(self) -> None:
        """Serve until the end of the process."""
        ports = []
        for place in ("hub", "content"):
            server = await asyncio.start_server(
                partial(self.converse, place), "127.0.0.1", 0, limit=1 << 28, backlog=256
            )
            ports.append(server.sockets[0].getsockname()[1])
        self.content_url = f"http://127.0.0.1:{ports[1]}"
        print(*ports, flush=True)
        await asyncio.Event().wait()

    async def converse(self, place: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request after the other."""
        with contextlib.suppress(OSError, Dropped, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ")
                fields = (line.partition(":") for line in head[1:] if line)
                headers = {name.lower(): value.strip() for name, _, value in fields}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                if target.startswith("/fake/"):
                    await self.obey(writer, target, json.loads(body or b"{}"))
                else:
                    await self.answer(writer, place, method, target, headers)
                if headers.get("connection", "").lower() == "close":
                    break
        with contextlib.suppress(OSError):
            writer.close()

    async def obey(self, writer: asyncio.StreamWriter, target: str, order: dict[str, Any]) -> None:
        """An order or a question of a test."""
        match target:
            case "/fake/repository":
                self.take(order)
            case "/fake/script":
                script = Script(order["answers"], order.get("repeat", False))
                self.scripts[order["place"], order["path"]] = script
            case "/fake/reset":
                self.repositories.clear()
                self.scripts.clear()
                self.requests.clear()
                self.let_go()
            case "/fake/release":
                self.let_go()
            case "/fake/wait":
                async with self.news:
                    await self.news.wait_for(lambda: self.has_come_to(order))
        data = json.dumps({"requests": self.requests, "held": len(self.held)}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data))
        await writer.drain()

    def let_go(self) -> None:
        """End all waiting."""
        for each in self.held:
            each.set_result(None)
        self.held.clear()

    def take(self, order: dict[str, Any]) -> None:
        """Keep a repository, or a new commit of it."""
        one = self.repositories.setdefault(order["id"], Repository(order["id"]))
        lfs_from = order.get("lfs_from", 0)
        files = {path: Content.of(path, told, lfs_from) for path, told in order["files"].items()}
        commit = hashlib.sha1(json.dumps([file.row() for file in files.values()]).encode()).hexdigest()
        one.commits[commit] = files
        for revision in ("main", *order.get("revisions", ())):
            one.revisions[revision] = commit
        for name in ("token", "is_gated", "downloads", "page"):
            if name in order:
                setattr(one, name, order[name])

    def has_come_to(self, order: dict[str, Any]) -> bool:
        """True when what the order waits for has happened."""
        meant = [
            each
            for each in self.requests
            if order.get("place") in (None, each["place"]) and order.get("path") in (None, each["path"])
        ]
        counts = {
            "requests": len(meant),
            "held": len(self.held),
            "sent": sum(each["sent"] for each in meant),
        }
        return all(counts[name] >= n for name, n in order.items() if name in counts)

    async def tell(self) -> None:
        """Wake who waits for news."""
        async with self.news:
            self.news.notify_all()

    async def answer(
        self, writer: asyncio.StreamWriter, server: str, method: str, target: str, headers: dict[str, str]
    ) -> None:
        """One request of a client, noted."""
        route = self.content_of if server == "content" else self.hub_of
        place, path, reply = route(target, headers)
        note = {
            "place": place,
            "path": path,
            "method": method,
            "target": target,
            "headers": headers,
            "status": 0,
            "sent": 0,
        }
        self.requests.append(note)
        await self.tell()
        script = self.scripts[place, path].next_answer()
        if script.get("hold"):
            await self.hold()
        reply = scripted(reply, script)
        note["status"] = reply.status
        length = reply.end - reply.first if reply.content else len(reply.body)
        fields = {"Content-Length": str(length), **reply.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        writer.write(f"HTTP/1.1 {reply.status} Scripted\r\n{head}\r\n".encode())
        if method != "HEAD":
            await self.send_body(writer, reply, script, note)
        await writer.drain()

    async def send_body(
        self, writer: asyncio.StreamWriter, reply: Reply, script: dict[str, Any], note: dict[str, Any]
    ) -> None:
        """The body, and what befalls it on the way."""
        turns = sorted(script[name] for name in ("hold_after", "cut_after") if name in script)
        at = 0
        for piece in pieces(reply, script, turns):
            while turns and at >= turns[0]:
                await writer.drain()
                if turns.pop(0) == script.get("cut_after"):
                    writer.write_eof()
                    raise Dropped
                await self.hold()
            if "drip_s" in script:
                await asyncio.sleep(script["drip_s"])
            writer.write(piece)
            await writer.drain()
            at += len(piece)
            note["sent"] += len(piece)
            await self.tell()

    async def hold(self) -> None:
        """Wait for a release."""
        held = asyncio.get_running_loop().create_future()
        self.held.append(held)
        await self.tell()
        try:
            await held
        finally:
            if held in self.held:
                self.held.remove(held)

    def hub_of(self, target: str, headers: dict[str, str]) -> tuple[str, str, Reply]:
        """Place, path and answer of a request to the hub itself."""
        path, _, query = target.partition("?")
        if path == "/api/models":
            return "api", "search", self.search(parse_qs(query))
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(tree|revision)/(.+))?", path):
            what, revision = match[2] or "revision", unquote(match[3] or "main")
            return "api", unquote(match[1]), self.listing(unquote(match[1]), what, revision, query, headers)
        if match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            name = unquote(match[3])
            return "resolve", name, self.resolve(unquote(match[1]), unquote(match[2]), name, headers)
        if match := re.fullmatch(r"/small/([0-9a-f]{40})/(.+)", path):
            return "content", unquote(match[2]), self.part(match[1], unquote(match[2]), headers)
        return "hub", path, problem(404, "")

    def search(self, query: dict[str, list[str]]) -> Reply:
        text, limit = query.get("search", [""])[0].lower(), int(query.get("limit", ["1000"])[0])
        found = [each for each in self.repositories.values() if text in each.id.lower()]
        found.sort(key=lambda each: -each.downloads)
        return document([each.hit() for each in found[:limit]])

    def listing(self, name: str, what: str, revision: str, query: str, headers: dict[str, str]) -> Reply:
        one = self.repositories.get(name)
        if one is None or (one.token and not one.is_gated and not knows(one, headers)):
            return problem(401, "RepoNotFound")
        found = one.files(revision)
        if found is None:
            return problem(404, "RevisionNotFound")
        commit, files = found
        rows = [file.row() for file in files.values()]
        if what == "revision":
            siblings = [{"rfilename": path} for path in files]
            return document({**one.hit(), "sha": commit, "siblings": siblings})
        start = int(parse_qs(query).get("cursor", ["0"])[0])
        reply = document(rows[start : start + one.page])
        if start + one.page < len(rows):
            onward = f"http://{headers['host']}/api/models/{name}/tree/{quote(revision, safe='')}"
            reply.headers["Link"] = f'<{onward}?recursive=1&cursor={start + one.page}>; rel="next"'
        return reply

    def resolve(self, name: str, revision: str, path: str, headers: dict[str, str]) -> Reply:
        one = self.repositories.get(name)
        if one is None:
            return problem(401, "RepoNotFound")
        if one.token and not knows(one, headers):
            status = 403 if "authorization" in headers else 401
            return problem(status, "GatedRepo" if one.is_gated else "RepoNotFound")
        found = one.files(revision)
        if found is None:
            return problem(404, "RevisionNotFound")
        commit, files = found
        if path not in files:
            return problem(404, "EntryNotFound")
        file = files[path]
        told = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if file.is_large:
            told |= {"X-Linked-Etag": f'"{file.sha256}"', "X-Linked-Size": str(file.size)}
            onward = f"{self.content_url}/{file.sha256}/{quote(path)}{SIGNATURE}"
            return Reply(302, told | {"Location": onward, "ETag": f'"{file.sha1}"'})
        return Reply(307, told | {"Location": f"/small/{file.sha1}/{quote(path)}", "ETag": f'"{file.sha1}"'})

    def content_of(self, target: str, headers: dict[str, str]) -> tuple[str, str, Reply]:
        """Place, path and answer of a request to the content server."""
        _, digest, path = unquote(target.partition("?")[0]).split("/", 2)
        return "content", path, self.part(digest, path, headers)

    def part(self, digest: str, path: str, headers: dict[str, str]) -> Reply:
        """What a request for a content gets: the whole, or a range."""
        contents = (
            file
            for one in self.repositories.values()
            for files in one.commits.values()
            for file in files.values()
        )
        file = next((each for each in contents if digest in (each.sha256, each.sha1)), None)
        if file is None:
            return problem(404, "")
        etag = f'"{file.etag}"' if file.is_large else f'"{file.sha1}"'
        told = {"ETag": etag, "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
        if match is None or headers.get("if-range", etag) != etag:
            return Reply(200, told, content=file, end=file.size)
        first, end = int(match[1]), min(int(match[2] or file.size) + 1, file.size)
        if first >= end:
            return Reply(416, told | {"Content-Range": f"bytes */{file.size}"})
        told["Content-Range"] = f"bytes {first}-{end - 1}/{file.size}"
        return Reply(206, told, content=file, first=first, end=end)


def knows(one: Repository, headers: dict[str, str]) -> bool:
    """True for one who may read it."""
    return headers.get("authorization") == f"Bearer {one.token}"


def document(value: object) -> Reply:
    """A JSON answer."""
    return Reply(200, {"Content-Type": "application/json"}, json.dumps(value).encode())


def problem(status: int, word: str) -> Reply:
    """An answer that is none, with the hub's own word for it."""
    return Reply(status, {"X-Error-Code": word} if word else {}, b'{"error": "scripted"}')


def scripted(reply: Reply, script: dict[str, Any]) -> Reply:
    """The answer as the script has it."""
    headers = dict(reply.headers)
    if "status" in script or "body" in script:
        headers.pop("Content-Range", None)
        status, body = script.get("status", 200), script.get("body", "").encode()
        return Reply(status, headers | script.get("headers", {}), body)
    if script.get("ignore_range") and reply.content:
        headers.pop("Content-Range", None)
        reply = Reply(200, headers, content=reply.content, end=reply.content.size)
    names = (("etag", "ETag"), ("content_range", "Content-Range"), ("location", "Location"))
    headers |= {name: script[member] for member, name in names if member in script}
    if "linked_etag" in script:
        headers["X-Linked-Etag"] = script["linked_etag"]
    headers |= script.get("headers", {})
    return Reply(
        reply.status,
        {name: value for name, value in headers.items() if value},
        reply.body,
        reply.content,
        reply.first,
        reply.end,
    )


def pieces(reply: Reply, script: dict[str, Any], turns: list[int]) -> Any:
    """The body in pieces; one ends where the script has a turn, and none is last where it has one there."""
    body = reply.body
    most = script.get("drip", 1) if "drip_s" in script else PIECE
    at, end = 0, reply.end - reply.first if reply.content else len(body)
    stops = [turn for turn in (*turns, script.get("wrong_from", end)) if turn <= end]
    with contextlib.ExitStack() as open_files:
        stream = None
        if reply.content and reply.content.file:
            stream = open_files.enter_context(reply.content.file.open("rb"))
            stream.seek(reply.first)
        elif reply.content:
            body = reply.content.data[reply.first : reply.end]
        while at < end:
            stop = min([at + most, end, *(turn for turn in stops if turn > at)])
            piece = stream.read(stop - at) if stream else body[at:stop]
            yield piece.translate(OTHERS) if at >= script.get("wrong_from", end) else piece
            at = stop
        if end in turns:
            yield b""


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(Hub().serve())
    sys.exit()
