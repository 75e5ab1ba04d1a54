"""The same latency with the screen running: its redraws share the interpreter with the proxy."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
from typing import TYPE_CHECKING

from benchmarks.figures import Figure
from benchmarks.processes import clean_environment, end, free_port, resident_bytes, wait_healthy
from benchmarks.rows.calls import closed_loop
from benchmarks.rows.memory import MB
from benchmarks.targets import Target, ggtui_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.bench import Bench

COLUMNS, LINES = 140, 40
CONCURRENCIES = (1, 8, 32)


def screen(bench: Bench) -> list[Figure]:
    """Headless and with a screen, in turn."""
    headless = bench.ggtui
    with ggtui_with_screen(bench) as shown:
        shown.chat(shown.model)
        targets = (shown, _named(headless, "headless"))
        figures: list[Figure] = []
        for connections in CONCURRENCIES:
            figures += closed_loop(bench, f"small body, c = {connections}", targets, connections)
        assert shown.pid is not None
        used = resident_bytes(shown.pid) / MB
    return [*figures, Figure("after that", "resident", "MB", "screen", (used,))]


@contextlib.contextmanager
def ggtui_with_screen(bench: Bench) -> Iterator[Target]:
    """A ggtui that draws on a terminal nobody looks at."""
    data_dir, log = bench.folder / "screen-data", bench.folder / "screen.err"
    port = free_port()
    command = ggtui_command(data_dir, bench.models_dir, bench.fast_server, port)
    log.touch()
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    env = clean_environment(bench.folder, TERM="xterm-256color", COLORTERM="truecolor")
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
    )
    os.close(theirs)
    reader = threading.Thread(target=_drain, args=(ours,), daemon=True)
    reader.start()
    try:
        wait_healthy(port, process, log)
        yield Target("screen", port, bench.ggtui.models, pid=process.pid, data_dir=data_dir)
    finally:
        end(process)
        reader.join(5)
        os.close(ours)


def _drain(descriptor: int) -> None:
    """A terminal that is not read would stop the screen."""
    with contextlib.suppress(OSError):
        while os.read(descriptor, 1 << 16):
            pass


def _named(target: Target, name: str) -> Target:
    return Target(name, target.port, target.models, target.host, target.pid, target.data_dir)
