"""The screen in a real terminal: it opens, it closes, and signals leave terminal and machine as they were."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import socket
import struct
import sys
import termios
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.models import tiny_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GUARD_S = 45
"""No wait lasts longer; nothing is asserted about how long it took."""

LEAVES_ALTERNATE_SCREEN = b"\x1b[?1049l"
ENTERS_ALTERNATE_SCREEN = b"\x1b[?1049h"


@dataclass
class Terminal:
    """A program on its own terminal; `shown` is all that it wrote."""

    pid: int
    master: int
    shown: bytes = b""

    def wait_for(self, text: bytes, after: int = 0) -> None:
        """Read until this has been written, counted from `after`."""
        self._read_until(lambda: text in self.shown[after:], text)

    def wait_exit(self) -> int:
        """Read until the program has ended; returns its exit code, negative for a signal."""
        self._read_until(self._has_ended, b"the end")
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def _has_ended(self) -> bool:
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None

    def _read_until(self, is_done: Callable[[], bool], what: bytes) -> None:
        deadline = time.monotonic() + GUARD_S
        while not is_done():
            assert time.monotonic() < deadline, (what, self.shown[-2000:])
            if self.master >= 0 and select.select([self.master], [], [], 0.05)[0]:
                with suppress(OSError):
                    self.shown += os.read(self.master, 65536)


@contextmanager
def _terminal(*arguments: str) -> Iterator[Terminal]:
    pid, master = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "ggtui", *arguments])
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    one = Terminal(pid, master)
    try:
        yield one
    finally:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        with suppress(OSError):
            os.close(one.master)


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    (tmp_path / "models").mkdir()
    tiny_model(tmp_path / "models" / "alpha.gguf")
    (tmp_path / "config.toml").write_text(
        f"models_dirs = ['{tmp_path}/models']\n[launch]\nllama_server = 'embedded'\n"
    )
    return ["--config", str(tmp_path / "config.toml"), "--data-dir", str(tmp_path / "data"), "--port", "0"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_closes_the_screen_and_stops_everything(
    arguments: list[str], number: signal.Signals
) -> None:
    with _terminal(*arguments) as terminal:
        terminal.wait_for(b"alpha-f32")
        terminal.type(b"\r")
        terminal.wait_for(b"READY")
        family = psutil.Process(terminal.pid).children(recursive=True)
        terminal.signal(number)

        assert 0 == terminal.wait_exit()
        assert terminal.shown.rindex(LEAVES_ALTERNATE_SCREEN) > terminal.shown.rindex(ENTERS_ALTERNATE_SCREEN)
        assert family
        assert ([], family) == _sorted(psutil.wait_procs(family, GUARD_S), family)


def test_a_second_signal_waits_for_nothing_and_still_gives_the_terminal_back(arguments: list[str]) -> None:
    with _terminal(*arguments) as terminal:
        before = termios.tcgetattr(terminal.master)
        terminal.wait_for(b"alpha-f32")
        assert before != termios.tcgetattr(terminal.master)
        # While it is stopped both are gathered, so that the second is heard before the screen has closed.
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
            terminal.signal(number)

        assert terminal.wait_exit() in (128 + signal.SIGTERM, 128 + signal.SIGINT)
        assert terminal.shown.rindex(LEAVES_ALTERNATE_SCREEN) > terminal.shown.rindex(ENTERS_ALTERNATE_SCREEN)
        assert terminal.shown.endswith(b"\x1b[?25h\x1b[0m")
        assert before == termios.tcgetattr(terminal.master)


def test_a_terminal_that_goes_away_stops_all(arguments: list[str]) -> None:
    with _terminal(*arguments) as terminal:
        terminal.wait_for(b"alpha-f32")
        terminal.type(b"\r")
        terminal.wait_for(b"READY")
        family = psutil.Process(terminal.pid).children(recursive=True)
        os.close(terminal.master)
        terminal.master = -1

        terminal.wait_exit()
        assert ([], family) == _sorted(psutil.wait_procs(family, GUARD_S), family)


def test_q_leaves_an_idle_screen(arguments: list[str]) -> None:
    with _terminal(*arguments) as terminal:
        terminal.wait_for(b"alpha-f32")
        terminal.type(b"q")

        assert 0 == terminal.wait_exit()


def test_a_taken_port_is_told_before_the_screen_opens(arguments: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        port = str(squatter.getsockname()[1])
        with _terminal(*arguments[:-1], port) as terminal:
            assert 3 == terminal.wait_exit()

    assert b"\x1b" not in terminal.shown
    assert f"port {port} is in use".encode() in terminal.shown


def _sorted(
    waited: tuple[list[psutil.Process], list[psutil.Process]], order: list[psutil.Process]
) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """(still alive, gone), the latter in the given order."""
    gone, alive = waited
    return alive, [each for each in order if each in gone]
