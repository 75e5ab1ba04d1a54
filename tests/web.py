"""A web server of our own that does what a test tells it, and remembers what it was asked."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable
    from pathlib import Path


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    headers: dict[str, str]
    """Names in small letters."""

    @property
    def span(self) -> tuple[int, int]:
        """The range that is wanted: its first and its last byte."""
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", ""))
        assert match is not None
        return int(match[1]), int(match[2])


@dataclass(frozen=True)
class Reply:
    """What is sent. Pieces are sent as they come; `length` may say otherwise than they are."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""
    length: int | None = None


def part(asked: Asked, content: bytes, etag: str = '"one"') -> Reply:
    """The range that is asked for."""
    first, last = asked.span
    last = min(last, len(content) - 1)
    if first > last:
        return Reply(416, {"Content-Range": f"bytes */{len(content)}"})
    where = {"Content-Range": f"bytes {first}-{last}/{len(content)}", "ETag": etag}
    return Reply(206, where, content[first : last + 1])


def folder(root: Path) -> Callable[[Asked], Reply]:
    """The files below a folder, in ranges."""

    def serve(asked: Asked) -> Reply:
        path = root / asked.path.partition("?")[0].lstrip("/")
        return part(asked, path.read_bytes()) if path.is_file() else Reply(404)

    return serve


class Web:
    """The server, as a context manager. Nothing it sends is cut by itself, and its end waits for no one."""

    def __init__(self, serve: Callable[[Asked], Reply], context: ssl.SSLContext | None = None) -> None:
        self.serve = serve
        self.asked: list[Asked] = []
        self.ended = threading.Event()
        """Set at the end: what stalls on purpose waits for it."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        if context is not None:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()})
                web.asked.append(asked)
                self._send(web.serve(asked))

            do_CONNECT = do_GET

            def _send(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                pieces = [reply.body] if isinstance(reply.body, bytes) else reply.body
                length = len(reply.body) if isinstance(reply.body, bytes) else None
                if reply.length is not None or length is not None:
                    self.send_header("Content-Length", str(length if reply.length is None else reply.length))
                self.end_headers()
                for piece in pieces:
                    self.wfile.write(piece)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Web:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
