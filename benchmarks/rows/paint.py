"""How soon the screen is there, and what it costs while nothing happens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.figures import Figure
from benchmarks.processes import cpu_seconds, free_port
from benchmarks.rows.catalog import small_file
from benchmarks.targets import ggtui_command
from benchmarks.terminal import on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.bench import Bench

SIZES = ((80, 24), (140, 40))
LIBRARIES = (10, 1000)
GUARD_S = 60.0
MS = 1e3
PERCENT = 100


def paint(bench: Bench) -> list[Figure]:
    """From the start of the process to the first frame, its catalog known; then nobody touches it."""
    figures = []
    for count in LIBRARIES:
        folder = bench.folder / f"library-{count}"
        for number in range(count):
            small_file(folder / f"m{number}" / f"small-{number}-Q4_K_M.gguf", f"small {number}")
        _first_paint_ms(bench, folder, SIZES[0])
        rounds = tuple(_first_paint_ms(bench, folder, SIZES[0]) for _ in range(bench.scale.rounds))
        figures.append(Figure(f"{count:,} models", "first paint", "ms", "screen", rounds))
    for size in SIZES:
        share = _idle_percent(bench, bench.folder / f"library-{LIBRARIES[0]}", size)
        figures.append(Figure(f"idle, {size[0]}x{size[1]}", "of a core", "%", "screen", (share,)))
    return figures


def _first_paint_ms(bench: Bench, folder: Path, size: tuple[int, int]) -> float:
    began = time.perf_counter()
    with on_terminal(_command(bench, folder), bench.folder, *size) as terminal:
        if not terminal.is_drawn.wait(GUARD_S):
            raise TimeoutError("nothing was drawn")
        return (time.perf_counter() - began) * MS


def _idle_percent(bench: Bench, folder: Path, size: tuple[int, int]) -> float:
    with on_terminal(_command(bench, folder), bench.folder, *size) as terminal:
        terminal.is_drawn.wait(GUARD_S)
        time.sleep(bench.scale.settle_s)
        before = cpu_seconds(terminal.process.pid)
        time.sleep(bench.scale.idle_s)
        used = cpu_seconds(terminal.process.pid) - before
    return used / bench.scale.idle_s * PERCENT


def _command(bench: Bench, folder: Path) -> list[str]:
    return ggtui_command(bench.folder / f"{folder.name}-data", folder, bench.fast_server, free_port())
