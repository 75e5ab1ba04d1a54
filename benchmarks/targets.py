"""What can be measured: a URL, and the ways to have one of our own behind it."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from benchmarks.processes import HOST, clean_environment, first_line, free_port, started, wait_healthy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

N_CTX = "4096"
ENGINE_FLAGS = ("-c", N_CTX, "-np", "4", "-kvu", "--no-ui", "--offline")
"""What ggtui gives its servers, so that others start the same."""
ANSWER_S = 60.0


@dataclass(frozen=True, slots=True)
class Target:
    """One server to ask."""

    name: str
    port: int
    models: tuple[str, ...] = ("fast",)
    """Ids it serves, in order."""
    host: str = HOST
    pid: int | None = None
    """Known for those started here."""
    data_dir: Path | None = None
    """ggtui's own."""

    @property
    def model(self) -> str:
        """The model of every row that needs one only."""
        return self.models[0]

    def ask(self, method: str, path: str, document: object = None) -> tuple[int, Any]:
        """One request on its own connection: status and decoded answer."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=ANSWER_S)
        body = None if document is None else json.dumps(document)
        with contextlib.closing(connection):
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def chat(self, model: str) -> tuple[int, Any]:
        """A chat of one token: status and decoded answer."""
        messages = [{"role": "user", "content": "hello"}]
        document = {"model": model, "messages": messages, "max_tokens": 1}
        return self.ask("POST", "/v1/chat/completions", document)


def given_target(text: str, model: str) -> Target:
    """A target of the command line, `NAME=URL`.

    Raises: ValueError.
    """
    name, _, url = text.partition("=")
    parts = urlsplit(url)
    if not name or parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"not NAME=http://HOST:PORT: {text}")
    if parts.hostname not in (HOST, "localhost", "::1"):
        raise ValueError(f"only loopback addresses are measured: {text}")
    return Target(name, parts.port or 80, (model,), parts.hostname)


@contextlib.contextmanager
def fast_upstream(folder: Path) -> Iterator[Target]:
    """The fast model server by itself: what there is without anything in between."""
    log = folder / "upstream.err"
    command = [sys.executable, "-m", "benchmarks.upstream"]
    with started(command, clean_environment(folder), log) as process:
        yield Target("direct", int(first_line(process, log)), pid=process.pid)


@contextlib.contextmanager
def headless_ggtui(
    name: str, folder: Path, models_dir: Path, engine: str, **environment: str
) -> Iterator[Target]:
    """`ggtui --proxy-only` on its own data.

    engine: what `--llama-server` is given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    slug = name.replace(" ", "-")
    data_dir, log = folder / f"{slug}-data", folder / f"{slug}.err"
    command = [*ggtui_command(data_dir, models_dir, engine, 0), "--proxy-only"]
    with started(command, clean_environment(folder, **environment), log) as process:
        port = urlsplit(first_line(process, log)).port
        assert port is not None
        target = Target(name, port, pid=process.pid, data_dir=data_dir)
        yield _knowing_models(target)


def ggtui_command(data_dir: Path, models_dir: Path, engine: str, port: int) -> list[str]:
    """The command of a ggtui with a screen."""
    command = [sys.executable, "-m", "ggtui", "--port", str(port), "--ctx", N_CTX, "--llama-server", engine]
    return [*command, "--no-stores", "--models-dir", str(models_dir), "--data-dir", str(data_dir)]


@contextlib.contextmanager
def llama_server(folder: Path, model: Path, binary: str) -> Iterator[Target]:
    """A real llama-server by itself."""
    port, log = free_port(), folder / "llama-server.err"
    command = [binary, "-m", str(model), "--host", HOST, "--port", str(port), *ENGINE_FLAGS]
    with started(command, clean_environment(folder), log) as process:
        wait_healthy(port, process, log)
        yield _knowing_models(Target("direct", port, pid=process.pid))


@contextlib.contextmanager
def router(folder: Path, models_dir: Path, binary: str) -> Iterator[Target]:
    """llama-server's own router mode, one model at a time."""
    port, log = free_port(), folder / "router.err"
    command = [binary, "--models-dir", str(models_dir), "--models-max", "1"]
    command += ["--host", HOST, "--port", str(port), *ENGINE_FLAGS]
    with started(command, clean_environment(folder), log) as process:
        wait_healthy(port, process, log)
        yield _knowing_models(Target("router", port, pid=process.pid))


def has_router_mode(binary: str) -> bool:
    """True when this llama-server knows `--models-dir`."""
    told = subprocess.run([binary, "--help"], capture_output=True, timeout=ANSWER_S, check=False)
    return b"--models-dir" in told.stdout + told.stderr


def _knowing_models(target: Target) -> Target:
    _, listing = target.ask("GET", "/v1/models")
    ids = tuple(sorted(entry["id"] for entry in listing["data"]))
    return Target(target.name, target.port, ids, target.host, target.pid, target.data_dir)
