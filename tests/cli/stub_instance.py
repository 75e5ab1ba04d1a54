"""A stand-in for a running ggtui: real HTTP on a real port, scripted answers, a record of its own."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from ggtui.adapters.instance.record import own_record, remove_record, write_record
from ggtui.core.ports.catalog import CatalogReport
from ggtui.core.snapshot import EngineSnapshot
from ggtui.core.state_json import state_document

if TYPE_CHECKING:
    from pathlib import Path


class StubInstance:
    """Answers by path and keeps what it was asked."""

    def __init__(self, data_dir: Path, models_dir: Path) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        """Method, path and body of every request, in order."""
        self.headers: list[dict[str, str]] = []
        self.answers: dict[str, tuple[int, bytes]] = {}
        """Status and body by path without query; 404 for others."""
        self.snapshot = EngineSnapshot(1, catalog=CatalogReport((str(models_dir),)), default_n_ctx=4096)
        self._data_dir = data_dir
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def answer(self, path: str, document: object, status: int = 200) -> None:
        """Answer this path with a JSON document."""
        self.answers[path] = (status, json.dumps(document).encode())

    def show(self, **fields: object) -> None:
        """Answer for the state with these keys changed."""
        document = state_document(self.snapshot, time.time(), pid=1)
        self.answer("/ggtui/state", {**document, "url": self.url, **fields})

    def __enter__(self) -> StubInstance:
        self.show()
        self._thread.start()
        write_record(self._data_dir, own_record(self.url, "s3cret"))
        return self

    def __exit__(self, *_: object) -> None:
        remove_record(self._data_dir)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                stub.asked.append((self.command, self.path, body))
                stub.headers.append({name.lower(): value for name, value in self.headers.items()})
                status, data = stub.answers.get(self.path.split("?")[0], (404, b"{}"))
                self.send_response(status)
                if status in (301, 302):
                    self.send_header("location", data.decode())
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        return Handler
