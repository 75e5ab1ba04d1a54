"""Streams of server-sent events: paced as tokens come, as fast as they go, and a crowd of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.figures import Figure, added
from benchmarks.load.generator import Disturbed
from benchmarks.load.jobs import StreamJob
from benchmarks.processes import cpu_seconds
from benchmarks.rows.calls import CHAT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.bench import Bench
    from benchmarks.load.jobs import StreamResult
    from benchmarks.targets import Target

CHUNKS_PER_SECOND = 50
PACED_INTERVAL_US = 1_000_000 // CHUNKS_PER_SECOND
CROWD_INTERVAL_US = 500_000
GRACE_S = 20.0


def paced(bench: Bench) -> list[Figure]:
    """32 streams of 50 chunks per second each: what a busy server sends."""
    scale = bench.scale
    chunks = max(2, round(scale.paced_s * CHUNKS_PER_SECOND))
    row = f"paced, {scale.paced_streams} x {CHUNKS_PER_SECOND}/s"
    results: dict[str, list[StreamResult]] = {target.name: [] for target in bench.fast_targets}
    costs: dict[str, list[float]] = {}
    for _ in range(scale.rounds):
        for target in bench.fast_targets:
            job = stream_job(target, scale.paced_streams, chunks, PACED_INTERVAL_US, PACED_INTERVAL_US / 1e6)
            before = cpu_seconds(target.pid) if target.pid else 0.0
            result = whole_streams(bench, job)
            results[target.name].append(result)
            if target.pid:
                spent_us = (cpu_seconds(target.pid) - before) * 1e6
                costs.setdefault(target.name, []).append(spent_us / result.chunks)
    figures = [figure for name, each in results.items() for figure in _latencies(row, name, each)]
    cpu = [Figure(row, "CPU per chunk", "us", name, tuple(values)) for name, values in costs.items()]
    return figures + added(figures, "first byte p50") + added(figures, "chunk p50") + cpu


def unpaced(bench: Bench) -> list[Figure]:
    """As many chunks per second as go through."""
    figures: list[Figure] = []
    for streams in (1, 8):
        rates: dict[str, list[float]] = {target.name: [] for target in bench.fast_targets}
        for _ in range(bench.scale.rounds):
            for target in bench.fast_targets:
                job = stream_job(target, streams, bench.scale.unpaced_chunks // streams, 0, 0.0)
                result = whole_streams(bench, job)
                rates[target.name].append(result.chunks / result.seconds)
        row = f"unpaced, c = {streams}"
        figures += [Figure(row, "chunks/s", "1/s", name, tuple(values)) for name, values in rates.items()]
    return figures


def crowd(bench: Bench) -> list[Figure]:
    """A thousand streams at once: how many were whole, and how late their chunks were."""
    row = f"{bench.scale.crowd:,} streams at once"
    figures: list[Figure] = []
    for target in bench.fast_targets:
        result = bench.load.stream(crowd_job(bench, target))
        figures.append(Figure(row, "whole streams", "", target.name, (float(result.whole),)))
        figures += _latencies(row, target.name, [result])
    return figures


def crowd_job(bench: Bench, target: Target) -> StreamJob:
    """As many streams as the scale's crowd, begun over a second, two chunks per second each."""
    scale = bench.scale
    chunks = max(2, round(scale.crowd_s * 1e6 / CROWD_INTERVAL_US))
    return stream_job(target, scale.crowd, chunks, CROWD_INTERVAL_US, min(1.0, scale.crowd_s))


def stream_job(target: Target, streams: int, chunks: int, interval_us: int, stagger_s: float) -> StreamJob:
    """Streams of one target."""
    headers = {"x-fast-chunks": str(chunks)}
    if interval_us:
        headers["x-fast-interval-us"] = str(interval_us)
    messages = [{"role": "user", "content": "hi"}]
    return StreamJob(
        host=target.host,
        port=target.port,
        path=CHAT,
        document={"model": target.model, "messages": messages, "stream": True},
        headers=headers,
        streams=streams,
        chunks=chunks,
        interval_us=interval_us,
        stagger_s=stagger_s,
        limit_s=stagger_s + chunks * interval_us / 1e6 + GRACE_S,
    )


def whole_streams(bench: Bench, job: StreamJob) -> StreamResult:
    """Run streams that must all be whole.

    Raises: Disturbed.
    """
    result = bench.load.stream(job)
    if result.whole != job.streams:
        raise Disturbed(f"{job.streams - result.whole} of {job.streams} streams: {result.complaint}")
    return result


def _latencies(row: str, target: str, results: Sequence[StreamResult]) -> list[Figure]:
    return [
        Figure(row, "first byte p50", "ms", target, tuple(each.first_byte_p50 * 1e3 for each in results)),
        Figure(row, "first byte p99", "ms", target, tuple(each.first_byte_p99 * 1e3 for each in results)),
        Figure(row, "chunk p50", "ms", target, tuple(each.delay_p50 * 1e3 for each in results)),
        Figure(row, "chunk p99", "ms", target, tuple(each.delay_p99 * 1e3 for each in results)),
    ]
