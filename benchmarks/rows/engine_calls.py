"""A quick endpoint of the real engine, asked directly, through ggtui and through its own router mode."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from benchmarks.rows.calls import closed_loop
from benchmarks.targets import headless_ggtui, llama_server, router

if TYPE_CHECKING:
    from benchmarks.bench import Bench
    from benchmarks.figures import Figure

PATH = "/tokenize"
CONCURRENCIES = (1, 8)


def engine_calls(bench: Bench) -> list[Figure]:
    """Nothing without a real llama-server."""
    binary = bench.llama_server
    if binary is None:
        return []
    with contextlib.ExitStack() as stack:
        targets = [
            stack.enter_context(llama_server(bench.folder, bench.models[0], binary)),
            stack.enter_context(headless_ggtui("ggtui", bench.folder / "engine", bench.models_dir, binary)),
        ]
        if bench.has_router:
            targets.append(stack.enter_context(router(bench.folder, bench.models_dir, binary)))
        for target in targets:
            target.chat(target.model)
        figures: list[Figure] = []
        for connections in CONCURRENCIES:
            row = f"{PATH}, c = {connections}"
            figures += closed_loop(bench, row, targets, connections, path=PATH)
        return figures
