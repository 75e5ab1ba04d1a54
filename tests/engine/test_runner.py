"""The embedded engine as a process: it starts like llama-server, and ends whenever it should."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ggtui
from tests import models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = str(Path(ggtui.__file__).parent.parent)
Engine = subprocess.Popen[bytes]

needs_wheel = pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None, reason="the embedded engine (xllamacpp) is not installed"
)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Engine]]:
    started: list[Engine] = []

    def begin(*flags: str, push: bool = True, program: tuple[str, ...] = ("-m", "ggtui.engine")) -> Engine:
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": ROOT}
        if push:
            environ["LLAMA_SERVER_ROUTER_PORT"] = "1"
        pipe = subprocess.PIPE
        engine = subprocess.Popen(
            [sys.executable, *program, *flags], stdin=pipe, stdout=pipe, stderr=pipe, env=environ
        )
        started.append(engine)
        return engine

    yield begin
    for engine in started:
        engine.kill()
        engine.communicate()


def serving(path: Path) -> tuple[str, ...]:
    return ("-m", str(path), "--port", "0", "-c", "512", "-np", "1", "--api-key", "k", "-a", "tiny")


def wait_for(engine: Engine, words: bytes) -> None:
    """Read until a line says it: the push channel's on stdout, the log's on stderr."""
    stream = engine.stdout if words.startswith(b'"') else engine.stderr
    assert stream is not None
    assert any(words in line for line in stream)


def close_stdin(engine: Engine) -> None:
    assert engine.stdin is not None
    engine.stdin.close()
    engine.stdin = None  # communicate() must not flush it


def end(engine: Engine, how: str) -> int:
    if how == "exit line":
        assert engine.stdin is not None
        engine.stdin.write(b"cmd_router_to_child:exit\n")
        engine.stdin.flush()
    elif how == "end of stdin":
        close_stdin(engine)
    else:
        engine.send_signal(signal.Signals[how])
    return engine.wait(20)


@needs_wheel
@pytest.mark.parametrize("how", ["exit line", "end of stdin", "SIGTERM", "SIGINT"])
def test_a_ready_server_ends(how: str, start: Callable[..., Engine], tmp_path: Path) -> None:
    engine = start(*serving(models.tiny_model(tmp_path / "m.gguf")))
    wait_for(engine, b'"ready"')

    # A signal in the first moment after ready still finds the default action.
    assert end(engine, how) in {0, 1, -signal.SIGTERM, -signal.SIGINT}


@needs_wheel
@pytest.mark.parametrize("how", ["exit line", "end of stdin", "SIGTERM", "SIGINT"])
def test_a_load_ends(how: str, start: Callable[..., Engine], tmp_path: Path) -> None:
    """The engine reads the model from a pipe that nobody fills, so the load cannot end by itself."""
    fifo = tmp_path / "m.gguf"
    os.mkfifo(fifo)
    engine = start(*serving(fifo))
    wait_for(engine, b"loading model")

    assert end(engine, how) < 0


@needs_wheel
@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT"])
def test_by_hand_stdin_does_not_matter(how: str, start: Callable[..., Engine], tmp_path: Path) -> None:
    engine = start(*serving(models.tiny_model(tmp_path / "m.gguf")), push=False)
    close_stdin(engine)
    wait_for(engine, b"listening on")

    assert engine.poll() is None
    assert end(engine, how) in {0, -signal.Signals[how]}


@needs_wheel
def test_a_taken_port_is_told(start: Callable[..., Engine], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        port = str(squatter.getsockname()[1])
        engine = start(*serving(models.tiny_model(tmp_path / "m.gguf")), "--port", port, push=False)
        _, log = engine.communicate(timeout=20)

    assert 1 == engine.returncode
    assert b"couldn't bind HTTP server socket" in log


@needs_wheel
@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--zzz"], b"error: invalid argument: --zzz\n"),
        (["-c", "512"], b"error: --model is required\n"),
    ],
)
def test_a_mistake_is_one_line_and_status_1(
    flags: list[str], words: bytes, start: Callable[..., Engine]
) -> None:
    engine = start(*flags, push=False)
    out, log = engine.communicate(timeout=20)

    assert (b"", words, 1) == (out, log, engine.returncode)


@needs_wheel
def test_version_and_devices_are_told_as_llama_server_does(start: Callable[..., Engine]) -> None:
    version, devices = start("--version"), start("--list-devices", push=False)
    _, told = version.communicate(timeout=20)
    listed, _ = devices.communicate(timeout=20)

    assert told.startswith(b"version: xllamacpp ")
    assert listed.startswith(b"Available devices:\n  ")
    assert (0, 0) == (version.returncode, devices.returncode)


def test_a_missing_wheel_says_how_to_get_it(start: Callable[..., Engine]) -> None:
    program = (
        "import sys; sys.modules['xllamacpp'] = None\n"
        "from ggtui.engine.runner import main; sys.exit(main(['-m', 'x']))"
    )
    engine = start(program=("-c", program), push=False)
    out, log = engine.communicate(timeout=20)

    assert (b"", 1, 1) == (out, log.count(b"\n"), engine.returncode)
    assert b"pip install 'ggtui[engine]'" in log


def test_the_engine_imports_nothing_heavy() -> None:
    program = "import sys, ggtui.engine.runner; print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert not {"httpx", "uvicorn", "textual", "rich", "psutil", "asyncio", "xllamacpp"} & set(
        told.stdout.split()
    )
