"""The scriptable provider as a test holds it: a process of its own, told over HTTP what to answer."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from tests.e2e.instance import GUARD_S

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = "tests.programs.openai_upstream"
ROOT = Path(__file__).parent.parent.parent


class Provider:
    """Tells it what to answer, by name of a model, and asks what reached it."""

    def __init__(self, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self._client = httpx.Client(base_url=self.root, timeout=GUARD_S, trust_env=False)

    @property
    def url(self) -> str:
        """What a deployment has as its endpoint."""
        return f"{self.root}/v1"

    def script(self, model: str, *answers: dict[str, Any], key: str | None = None) -> None:
        """The next requests for this model get these answers in order, the last one again and again."""
        self._post("/fake/script", {"model": model, "answers": answers or [{}], "key": key})

    def release(self, model: str, n: int | None = None) -> None:
        """Let n held answers go on, or all."""
        self._post("/fake/release", {"model": model} | ({} if n is None else {"n": n}))

    def wait(self, model: str, **counts: int) -> None:
        """Return when so many `requests` have come, are `running`, or so many clients have `left`."""
        self._post("/fake/wait", {"model": model, **counts})

    def notes(self, model: str) -> dict[str, Any]:
        """What reached it."""
        answer = self._client.get(f"/fake/notes?{quote(model)}")
        notes: dict[str, Any] = answer.raise_for_status().json()
        return notes

    def n_calls(self, model: str) -> int:
        """How many requests reached it."""
        return len(self.requests(model))

    def requests(self, model: str) -> list[dict[str, Any]]:
        """The requests that reached it, each with path, headers and body."""
        requests: list[dict[str, Any]] = self.notes(model)["requests"]
        return requests

    def close(self) -> None:
        self._client.close()

    def _post(self, path: str, order: dict[str, Any]) -> None:
        self._client.post(path, json=order).raise_for_status()


@contextmanager
def providing() -> Iterator[Provider]:
    """The provider on a free port, ended with the block."""
    command = [sys.executable, "-m", PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        provider = Provider(int(process.stdout.readline()))
        try:
            yield provider
        finally:
            provider.close()
            process.kill()
