"""What the rules of a deployment cost: the same model by its own name, and by that of a deployment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.rows.calls import closed_loop
from benchmarks.targets import headless_ggtui

if TYPE_CHECKING:
    from benchmarks.bench import Bench
    from benchmarks.figures import Figure

WITHOUT = "without"
WITH = "policies"
CONFIG = """\
[[deployment]]
name = "governed"
model = "{model}"
serving = {{ max_concurrent = 512, on_capacity_exhausted = "queue" }}
rate_limits = {{ requests_per_minute = 100000000, tokens_per_minute = 1000000000000 }}
circuit_breaker = {{ failure_threshold = 10 }}
pricing = {{ input_per_mtok_usd = 0.25, output_per_mtok_usd = 1.0 }}
budget = {{ max_spend_per_hour_usd = 100000.0, on_exceeded = "reject" }}
"""
"""Every rule is in force, and none is reached."""


def policies(bench: Bench) -> list[Figure]:
    """One ggtui and one server before it, so that nothing else differs."""
    folder = bench.folder / "policies"
    folder.mkdir(exist_ok=True)
    config = folder / "config.toml"
    config.write_text(CONFIG.format(model=bench.ggtui.model))
    started = headless_ggtui(WITHOUT, folder, bench.models_dir, bench.fast_server, GGTUI_CONFIG=str(config))
    with started as ggtui:
        targets = (
            replace(ggtui, models=bench.ggtui.models),
            replace(ggtui, name=WITH, models=("governed",)),
        )
        for target in targets:
            target.chat(target.model)
        figures: list[Figure] = []
        for connections in bench.scale.concurrencies:
            figures += closed_loop(bench, f"small body, c = {connections}", targets, connections, times=5)
        return figures
