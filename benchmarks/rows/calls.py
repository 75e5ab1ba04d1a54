"""Whole answers in a closed loop: requests per second and latency, with small and with large bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.figures import Figure, added
from benchmarks.load.jobs import CallJob
from benchmarks.processes import cpu_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.bench import Bench
    from benchmarks.load.jobs import CallResult
    from benchmarks.targets import Target

CHAT = "/v1/chat/completions"
LARGE_BYTES = 1_000_000


def small_bodies(bench: Bench) -> list[Figure]:
    """Chat requests as clients send them."""
    return _by_concurrency(bench, "small body", bench.scale.concurrencies, 0)


def large_bodies(bench: Bench) -> list[Figure]:
    """The same with a megabyte of conversation in it."""
    return _by_concurrency(bench, "1 MB body", bench.scale.large_concurrencies, LARGE_BYTES)


def _by_concurrency(bench: Bench, name: str, concurrencies: Iterable[int], padding: int) -> list[Figure]:
    figures: list[Figure] = []
    for connections in concurrencies:
        row = f"{name}, c = {connections}"
        figures += closed_loop(bench, row, bench.fast_targets, connections, padding=padding)
    return figures


def closed_loop(
    bench: Bench,
    row: str,
    targets: Sequence[Target],
    connections: int,
    *,
    path: str = CHAT,
    padding: int = 0,
    times: int = 1,
) -> list[Figure]:
    """The figures of one row: every target once per round, so that a disturbance hits all alike.

    times: so many times the usual rounds, for targets that are close to each other.
    """
    rounds: dict[str, list[CallResult]] = {target.name: [] for target in targets}
    costs: dict[str, list[float]] = {}
    for number in range(times * bench.scale.rounds):
        for target in targets if number % 2 == 0 else targets[::-1]:
            before = cpu_seconds(target.pid) if target.pid else 0.0
            result = bench.load.call(_job(bench, target, connections, path=path, padding=padding))
            rounds[target.name].append(result)
            if target.pid:
                spent_us = (cpu_seconds(target.pid) - before) * 1e6
                costs.setdefault(target.name, []).append(spent_us / result.n_all)
    figures = [figure for name, results in rounds.items() for figure in _figures(row, name, results)]
    cpu = [Figure(row, "CPU per call", "us", name, tuple(values)) for name, values in costs.items()]
    return figures + added(figures, "p50") + cpu


def _job(bench: Bench, target: Target, connections: int, *, path: str, padding: int) -> CallJob:
    document = {"content": "hi"} if path != CHAT else {"messages": [{"role": "user", "content": "hi"}]}
    return CallJob(
        host=target.host,
        port=target.port,
        path=path,
        document={"model": target.model, **document},
        padding=padding,
        connections=connections,
        seconds=bench.scale.window_s,
        warm_up_s=bench.scale.warm_up_s,
        calls_each=bench.scale.calls_each,
    )


def _figures(row: str, target: str, results: Sequence[CallResult]) -> list[Figure]:
    return [
        Figure(row, "requests/s", "1/s", target, tuple(each.n / each.seconds for each in results)),
        Figure(row, "p50", "ms", target, tuple(each.p50 * 1e3 for each in results)),
        Figure(row, "p99", "ms", target, tuple(each.p99 * 1e3 for each in results)),
    ]
