"""A model for another and back, end to end and in its parts, on every engine there is."""

from __future__ import annotations

import contextlib
import time
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import server_logs
from benchmarks.figures import Figure, percentile
from benchmarks.load.generator import Disturbed
from benchmarks.targets import headless_ggtui, router
from benchmarks.upstream.timeline import read_timelines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.bench import Bench
    from benchmarks.targets import Target

ROW = "A to B to A"
LAG = "lag, ready to asked"


def swaps(bench: Bench) -> list[Figure]:
    """The embedded engine; with a real llama-server also that one and its router mode."""
    with contextlib.ExitStack() as stack:
        targets = [_ggtui(bench, stack, "ggtui embedded", "embedded")]
        if bench.llama_server is not None:
            targets.append(_ggtui(bench, stack, "ggtui", bench.llama_server))
        if bench.llama_server is not None and bench.has_router:
            targets.append(stack.enter_context(router(bench.folder, bench.models_dir, bench.llama_server)))
        times = _in_turn(bench, targets)
    figures: list[Figure] = []
    for target in targets:
        figures += _whole(ROW, target.name, times[target.name])
        if target.data_dir is not None:
            figures += _parts(target, times[target.name])
    return figures


def readiness(bench: Bench) -> list[Figure]:
    """The same on the fast model server, which notes on the system's clock when it was ready and asked."""
    row = "A to B to A, fast server"
    models_dir = bench.folder / "noted-models"
    models_dir.mkdir(exist_ok=True)
    files = [models_dir / path.name for path in bench.models]
    for source, copy in zip(bench.models, files, strict=True):
        copy.write_bytes(source.read_bytes())
    with headless_ggtui("noted", bench.folder, models_dir, bench.fast_server) as target:
        times = _in_turn(bench, [target])[target.name]
    lines = [line for file in files for line in read_timelines(file) if "first_request" in line]
    lags = [(line["first_request"] - line["ready"]) / 1e6 for line in lines]
    return [*_whole(row, "ggtui", times), *_spread(row, LAG, "ggtui", lags)]


def _ggtui(bench: Bench, stack: contextlib.ExitStack, name: str, engine: str) -> Target:
    return stack.enter_context(headless_ggtui(name, bench.folder / "swaps", bench.models_dir, engine))


def _in_turn(bench: Bench, targets: Sequence[Target]) -> dict[str, list[float]]:
    """Milliseconds of each swap by target. The first loads are not counted: nothing is stopped for them."""
    times: dict[str, list[float]] = {target.name: [] for target in targets}
    for number in range(bench.scale.swaps + 1):
        for target in targets:
            began = time.perf_counter()
            status, _ = target.chat(target.models[number % 2])
            if status != 200:
                raise Disturbed(f"{target.name} answered a swap with {status}")
            if number:
                times[target.name].append((time.perf_counter() - began) * 1e3)
    return times


def _whole(row: str, target: str, times: Sequence[float]) -> list[Figure]:
    return _spread(row, "end to end", target, times)


def _spread(row: str, measure: str, target: str, times: Sequence[float]) -> list[Figure]:
    return [
        Figure(row, f"{measure} p50", "ms", target, (percentile(times, 0.5),)),
        Figure(row, f"{measure} p99", "ms", target, (percentile(times, 0.99),)),
    ]


def _parts(target: Target, times: Sequence[float]) -> list[Figure]:
    """What the logs tell; `spawn and rest` is what they leave over."""
    assert target.data_dir is not None
    folder = target.data_dir / "logs"
    lives = [life for model in target.models for life in server_logs.lives(folder / f"{model}.log")]
    stops = server_logs.stops_ms(folder / "_ggtui.log")
    if not lives or not stops:
        return []
    lags = [life.lag_ms for life in lives]
    known = {
        "stop": median(stops),
        "load": median(life.load_ms for life in lives),
        "answer": median(life.answer_ms for life in lives),
    }
    known["spawn and rest"] = median(times) - median(lags) - sum(known.values())
    figures = [Figure(ROW, f"{part} p50", "ms", target.name, (value,)) for part, value in known.items()]
    return [*figures, *_spread(ROW, LAG, target.name, lags)]
