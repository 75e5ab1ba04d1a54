"""The scriptable model hub as a test holds it: a process of its own, told over HTTP what to answer."""

from __future__ import annotations

import base64
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROGRAM = "tests.programs.hub"
ROOT = Path(__file__).parent.parent
GUARD_S = 30.0


class FakeHub:
    """Tells it what it has and what to answer, and asks what reached it."""

    def __init__(self, port: int, content_port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        """What HF_ENDPOINT is set to."""
        self.content_url = f"http://127.0.0.1:{content_port}"
        """The other origin, where the contents of large files lie."""
        self._client = httpx.Client(base_url=self.url, timeout=GUARD_S, trust_env=False)

    def environ(self, cache: Path, **more: str) -> dict[str, str]:
        """The variables that lead to this hub, and to a cache of the test's own."""
        return {"HF_ENDPOINT": self.url, "HF_HUB_CACHE": str(cache), "HOME": str(cache.parent)} | more

    def repository(self, name: str, files: Mapping[str, bytes | Path], **more: Any) -> None:
        """Have this repository; once more for a new commit of it.

        name: OWNER/REPO. more: `lfs_from` (size from which a file is large, 0), `revisions` (names beside
        main), `token` (what must be sent), `is_gated` (listed to everyone), `downloads`, `page`.
        """
        told = {
            path: {"file": str(each)} if isinstance(each, Path) else {"base64": _text(each)}
            for path, each in files.items()
        }
        self._post("/fake/repository", {"id": name, "files": told, **more})

    def script(self, place: str, path: str, *answers: dict[str, Any], repeat: bool = False) -> None:
        """The next requests get these answers, as the program's docstring has them.

        place: `api`, `resolve` or `content`. path: of the file in its repository; for `api` OWNER/REPO or
        `search`. repeat: the last answer goes on; else all goes well after it.
        """
        order = {"place": place, "path": path, "answers": answers, "repeat": repeat}
        self._post("/fake/script", order)

    def reset(self) -> None:
        """Have nothing, and remember nothing: for a test that shares the process with others."""
        self._post("/fake/reset", {})

    def release(self) -> None:
        """Let all held answers go on."""
        self._post("/fake/release", {})

    def wait(self, place: str | None = None, path: str | None = None, **counts: int) -> None:
        """Return when so many `requests` came there, are `held` (anywhere), or so many bytes were `sent`."""
        self._post("/fake/wait", {"place": place, "path": path, **counts})

    def requests(self, place: str | None = None, path: str | None = None) -> list[dict[str, Any]]:
        """What reached it: each with place, path, target, method, headers, status, sent."""
        notes = self._client.get("/fake/notes").raise_for_status().json()
        return [
            each
            for each in notes["requests"]
            if place in (None, each["place"]) and path in (None, each["path"])
        ]

    def n_sent(self, path: str | None = None) -> int:
        """Bytes of contents that were sent, of one file or of all."""
        return sum(each["sent"] for each in self.requests("content", path))

    def close(self) -> None:
        self._client.close()

    def _post(self, path: str, order: dict[str, Any]) -> None:
        self._client.post(path, json=order).raise_for_status()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


@contextmanager
def serving_hub() -> Iterator[FakeHub]:
    """The hub on free ports, ended with the block."""
    command = [sys.executable, "-m", PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        hub = FakeHub(*map(int, process.stdout.readline().split()))
        try:
            yield hub
        finally:
            hub.close()
            process.kill()
