"""Backends and downloads as Prometheus reads them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ggtui.core.backends.rows import RowState
from ggtui.core.downloads.jobs import JobState
from ggtui.core.metrics_text import Family

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ggtui.core.backends.observed import BackendState
    from ggtui.core.backends.rows import Row
    from ggtui.core.downloads.jobs import Job
    from ggtui.core.snapshot import EngineSnapshot


def reconciliation_families(snapshot: EngineSnapshot, now: float) -> tuple[Family, ...]:
    """What is seen of backends, how it differs, and how downloads go. now: Unix time."""
    return (*_backends(snapshot.backends, now), _rows(snapshot.rows), *_downloads(snapshot.downloads))


def _backends(states: Iterable[BackendState], now: float) -> Sequence[Family]:
    of = ("backend",)
    ready = Family("ggtui_backend_ready", "gauge", "1 for a backend that may get requests.", of)
    models = Family("ggtui_backend_models", "gauge", "Models that it has.", of)
    since = Family("ggtui_backend_seen_seconds", "gauge", "Seconds since it was last seen well.", of)
    latency = Family("ggtui_backend_latency_seconds", "gauge", "How long its last look took.", of)
    for each in states:
        ready.add_whole(int(each.is_ready), each.name)
        models.add_whole(len(each.pulled_models), each.name)
        if each.last_seen is not None:
            since.add(round(max(0.0, now - each.last_seen), 3), each.name)
        if each.latency_s is not None:
            latency.add(round(each.latency_s, 4), each.name)
    return ready, models, since, latency


def _rows(rows: Sequence[Row]) -> Family:
    """By backend, so that a rule can tell which one drifts."""
    family = Family(
        "ggtui_reconciliation_models",
        "gauge",
        "Models by how declared and observed differ.",
        ("backend", "state"),
    )
    counts = Counter((each.backend, each.state) for each in rows)
    for backend in dict.fromkeys(each.backend for each in rows):
        for state in RowState:
            family.add_whole(counts[backend, state], backend, str(state))
    return family


def _downloads(jobs: Sequence[Job]) -> Sequence[Family]:
    number = Family("ggtui_downloads", "gauge", "Downloads by their state.", ("state",))
    rate = Family("ggtui_download_bytes_per_second", "gauge", "What all downloads bring together.")
    left = Family("ggtui_download_left_bytes", "gauge", "What downloads that go on have still to bring.")
    counts = Counter(each.state for each in jobs)
    for state in JobState:
        number.add_whole(counts[state], str(state))
    rate.add(round(sum(each.rate or 0.0 for each in jobs), 1))
    open_ones = (each for each in jobs if each.state.is_open)
    left.add_whole(sum(max(0, each.total_bytes - each.completed_bytes) for each in open_ones))
    return number, rate, left
