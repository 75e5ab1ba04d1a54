"""The same latency with the screen running: its redraws share the interpreter with the proxy."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from benchmarks.figures import Figure
from benchmarks.processes import free_port, resident_bytes, wait_healthy
from benchmarks.rows.calls import closed_loop
from benchmarks.rows.memory import MB
from benchmarks.targets import Target, ggtui_command
from benchmarks.terminal import on_terminal

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
    with on_terminal(command, bench.folder, COLUMNS, LINES) as terminal:
        wait_healthy(port, terminal.process, log)
        yield Target("screen", port, bench.ggtui.models, pid=terminal.process.pid, data_dir=data_dir)


def _named(target: Target, name: str) -> Target:
    return Target(name, target.port, target.models, target.host, target.pid, target.data_dir)
