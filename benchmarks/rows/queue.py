"""More requests at once than the server has slots: what the queue in ggtui costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.programs import write_fast_server
from benchmarks.rows.calls import closed_loop
from benchmarks.targets import headless_ggtui

if TYPE_CHECKING:
    from benchmarks.bench import Bench
    from benchmarks.figures import Figure

N_SLOTS = 4
CONCURRENCIES = (8, 32, 128)


def queue(bench: Bench) -> list[Figure]:
    """A server with few slots, beside one with room for all."""
    server = str(write_fast_server(bench.folder, N_SLOTS))
    with headless_ggtui(f"{N_SLOTS} slots", bench.folder, bench.models_dir, server) as narrow:
        narrow.chat(narrow.model)
        targets = (narrow, bench.ggtui)
        figures: list[Figure] = []
        for connections in CONCURRENCIES:
            row = f"small body, c = {connections}"
            figures += closed_loop(bench, row, targets, connections)
        return figures
