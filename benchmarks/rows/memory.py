"""Resident memory of the proxy's process: idle, after a crowd, and with large bodies in flight."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psutil

from benchmarks.figures import Figure
from benchmarks.load.jobs import CallJob
from benchmarks.processes import forget_peak, peak_bytes, resident_bytes
from benchmarks.rows.calls import CHAT
from benchmarks.rows.streams import crowd_job
from benchmarks.targets import headless_ggtui

if TYPE_CHECKING:
    from benchmarks.bench import Bench
    from benchmarks.targets import Target

MB = 1e6
HOLD_MS = 500
"""How long both bodies are complete and unanswered."""


def memory(bench: Bench) -> list[Figure]:
    """A ggtui of its own, so that nothing else has used it before."""
    with headless_ggtui("fresh", bench.folder, bench.models_dir, bench.fast_server) as target:
        time.sleep(bench.scale.settle_s)
        figures = [_resident("idle, nothing loaded", target)]
        target.chat(target.model)
        time.sleep(bench.scale.settle_s)
        figures += [_resident("idle, model loaded", target), _guard(target)]
        figures += _bodies(bench, target)
        bench.load.stream(crowd_job(bench, target))
        time.sleep(bench.scale.settle_s)
        return [*figures, _resident(f"after {bench.scale.crowd:,} streams", target)]


def _bodies(bench: Bench, target: Target) -> list[Figure]:
    """Two bodies at once, held until both are complete."""
    row = f"two bodies of {bench.scale.body_bytes / MB:.0f} MB"
    pid = _pid(target)
    before = resident_bytes(pid)
    has_peak = _begins_peak(pid)
    bench.load.call(_held_bodies(bench, target))
    peak = peak_bytes(pid) if has_peak else None
    time.sleep(bench.scale.settle_s)
    kept = _megabytes(row, "kept above idle", resident_bytes(pid) - before)
    if peak is None:
        return [kept]
    return [_megabytes(row, "peak above idle", peak - before), kept]


def _held_bodies(bench: Bench, target: Target) -> CallJob:
    return CallJob(
        host=target.host,
        port=target.port,
        path=CHAT,
        document={"model": target.model, "messages": [{"role": "user", "content": "hi"}]},
        padding=bench.scale.body_bytes,
        headers={"x-fast-hold-ms": str(HOLD_MS)},
        connections=2,
        seconds=0.0,
        calls_each=1,
    )


def _begins_peak(pid: int) -> bool:
    try:
        forget_peak(pid)
        peak_bytes(pid)
    except (OSError, ValueError):
        return False
    return True


def _resident(row: str, target: Target) -> Figure:
    return _megabytes(row, "resident", resident_bytes(_pid(target)))


def _guard(target: Target) -> Figure:
    """Everything else below ggtui but the model's server."""
    children = psutil.Process(_pid(target)).children()
    guards = [child for child in children if any("guard" in word for word in child.cmdline())]
    return _megabytes("its guard process", "resident", sum(child.memory_info().rss for child in guards))


def _megabytes(row: str, measure: str, n_bytes: int) -> Figure:
    return Figure(row, measure, "MB", "ggtui", (n_bytes / MB,))


def _pid(target: Target) -> int:
    assert target.pid is not None
    return target.pid
