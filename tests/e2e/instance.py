"""A whole headless ggtui as a person starts it, and what a test asks of it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GUARD_S = 60
"""No wait of these tests lasts longer; nothing is asserted about how long it took."""


@dataclass(frozen=True)
class Instance:
    """A running headless ggtui."""

    process: subprocess.Popen[str]
    url: str
    """Base URL for clients, ending in /v1."""

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    def get(self, path: str) -> Any:
        with httpx.Client(timeout=GUARD_S, trust_env=False) as client:
            answer = client.get(self.root + path)
            answer.raise_for_status()
            return answer.json()

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        with httpx.Client(timeout=GUARD_S, trust_env=False) as client:
            return client.post(self.root + path, json=body)

    def chat(self, model: str, **fields: Any) -> httpx.Response:
        messages = [{"role": "user", "content": "hello"}]
        body = {"model": model, "messages": messages, "max_tokens": 8, **fields}
        return self.post("/v1/chat/completions", body)

    def target(self) -> dict[str, Any]:
        """The running target of /ggtui/state."""
        target = self.get("/ggtui/state")["target"]
        assert isinstance(target, dict)
        return target

    def family(self) -> list[psutil.Process]:
        """All processes below ggtui now."""
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def running(models_dir: Path, data_dir: Path, *flags: str, stores: str = "none") -> Iterator[Instance]:
    """A headless ggtui on a free port, ended by SIGTERM if it still lives.

    stores: those that it looks at; its home is data_dir.
    """
    command = [sys.executable, "-m", "ggtui", "--proxy-only", "--port", "0"]
    command += ["--models-dir", str(models_dir), "--data-dir", str(data_dir), *flags]
    with (data_dir.parent / f"{data_dir.name}.err").open("w") as errors:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "HOME": str(data_dir), "GGTUI_STORES": stores},
        )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), (data_dir.parent / f"{data_dir.name}.err").read_text()
        yield Instance(process, url)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(GUARD_S)
        if process.stdout is not None:
            process.stdout.close()


def ended(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Wait until these processes have ended; the ones that have not. A zombie has ended."""
    _, alive = psutil.wait_procs(processes, timeout=10)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
