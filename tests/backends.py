"""Scriptable backends as a test holds them: processes of their own, told over HTTP what to answer."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PROGRAM = "tests.programs.backend_shapes"
ROOT = Path(__file__).parent.parent
GUARD_S = 30.0


class Shape:
    """Tells a backend what it has and what to answer, and asks what reached it."""

    def __init__(self, type: str, port: int, orders_port: int) -> None:
        self.type = type
        """As `[[backend]]` writes it."""
        self.root = f"http://127.0.0.1:{port}"
        orders = f"http://127.0.0.1:{orders_port}"
        self._client = httpx.Client(base_url=orders, timeout=GUARD_S, trust_env=False)

    @property
    def url(self) -> str:
        """What a backend has as its `base_url`."""
        return f"{self.root}/v1" if self.type == "openai" else self.root

    @property
    def seen(self) -> list[dict[str, Any]]:
        """The requests that reached it: place, model, method, path, query, headers, body, status."""
        requests: list[dict[str, Any]] = self._order("notes")["requests"]
        return requests

    @property
    def models(self) -> list[str]:
        """The names of what it has now."""
        names: list[str] = self._order("notes")["models"]
        return names

    @property
    def n_left(self) -> int:
        """Clients that went before the end of their answer."""
        n_left: int = self._order("notes")["left"]
        return n_left

    def seen_at(self, place: str, model: str | None = None) -> list[dict[str, Any]]:
        """Those that came to one place: `list`, `show`, `pull`, `delete`, `chat`, `embeddings`, …"""
        return [each for each in self.seen if place == each["place"] and model in (None, each["model"])]

    def have(self, *models: str | dict[str, Any]) -> None:
        """These are its models from now on: names, or objects as the program's docstring has them."""
        self._order("models", models=[_model(each) for each in models])

    def ask_key(self, key: str | None) -> None:
        """Only who sends this key is answered."""
        self._order("key", key=key)

    def page(self, n: int) -> None:
        """A page of its listing has no more than so many models."""
        self._order("page", n=n)

    def script(self, place: str, *answers: dict[str, Any], model: str = "") -> None:
        """The next requests to a place get these answers in order, the last one again and again.

        model: for requests that name this one only. No answers: all is well again.
        """
        self._order("script", place=place, model=model, answers=answers)

    def release(self) -> None:
        """Let all held answers go on."""
        self._order("release")

    def down(self) -> None:
        """Nobody listens any more, and all connections end."""
        self._order("down")

    def up(self) -> None:
        """It listens again, where it did."""
        self._order("up")

    def wait(self, place: str | None = None, model: str | None = None, **counts: int) -> None:
        """Return when so many `requests` came there; are `held` or `running`, or have `left`, anywhere."""
        self._order("wait", place=place, model=model, **counts)

    def close(self) -> None:
        self._client.close()

    def _order(self, what: str, **order: Any) -> dict[str, Any]:
        notes: dict[str, Any] = self._client.post(f"/fake/{what}", json=order).raise_for_status().json()
        return notes


def _model(told: str | dict[str, Any]) -> dict[str, Any]:
    return {"name": told} if isinstance(told, str) else told


@contextmanager
def started(
    type: str, models: Iterable[str | dict[str, Any]] = (), *, key: str | None = None
) -> Iterator[Shape]:
    """A backend of this type on free ports, ended with the block.

    type: ollama, vllm, openai, gemini, llama_server, llama_router or ggtui. key: what it asks for.
    """
    command = [sys.executable, "-m", PROGRAM, type]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        shape = Shape(type, *map(int, process.stdout.readline().split()))
        try:
            shape.have(*models)
            shape.ask_key(key)
            yield shape
        finally:
            shape.close()
            process.kill()
