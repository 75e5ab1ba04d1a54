"""Backends and downloads as numbers."""

from __future__ import annotations

from ggtui.core.backends.backend import Backend, BackendType
from ggtui.core.backends.observed import BackendState, PulledModel
from ggtui.core.backends.rows import Row, RowState
from ggtui.core.downloads.jobs import Job, JobKind, JobState
from ggtui.core.metrics_text import metrics_text
from ggtui.core.reconciliation_metrics import reconciliation_families
from ggtui.core.snapshot import EngineSnapshot
from tests.prometheus import Family, read

NOW = 1_700_000_000.0
BOX = BackendState(
    "box",
    "box",
    Backend("box", BackendType.OLLAMA, "http://box.test"),
    pulled_models=(PulledModel("phi3"), PulledModel("llama3")),
    last_seen=NOW - 2.5,
    observed_at=NOW - 2.5,
    latency_s=0.0123,
)
DEAD = BackendState("gpu", "gpu", Backend("gpu", BackendType.VLLM), error="no answer", observed_at=NOW)
STATE = EngineSnapshot(
    3,
    backends=(BOX, DEAD),
    rows=(
        Row("box", "phi3", RowState.IN_SYNC),
        Row("box", "llama3", RowState.IN_SYNC),
        Row("box", "qwen", RowState.DOWNLOADING),
        Row("gpu", "", RowState.ERROR),
    ),
    downloads=(
        Job(1, JobKind.HUB, "a", "local", state=JobState.RUNNING, completed_bytes=5, total_bytes=9, rate=2.5),
        Job(2, JobKind.PULL, "b", "box", state=JobState.RUNNING, completed_bytes=1, total_bytes=3, rate=1.5),
        Job(3, JobKind.HUB, "c", "local", state=JobState.PAUSED, completed_bytes=1, total_bytes=100),
        Job(4, JobKind.HUB, "d", "local", state=JobState.DONE, completed_bytes=7, total_bytes=7),
    ),
)


def _read(state: EngineSnapshot) -> dict[str, Family]:
    return read(metrics_text(state, NOW, reconciliation_families(state, NOW)))


def test_each_backend_has_its_numbers() -> None:
    families = _read(STATE)

    assert [(1, 2), (0, 0)] == [
        tuple(
            families[name].value(backend=backend) for name in ("ggtui_backend_ready", "ggtui_backend_models")
        )
        for backend in ("box", "gpu")
    ]
    assert {(("backend", "box"),): 2.5} == families["ggtui_backend_seen_seconds"].samples
    assert {(("backend", "box"),): 0.0123} == families["ggtui_backend_latency_seconds"].samples


def test_the_difference_is_counted_by_backend_and_state() -> None:
    family = _read(STATE)["ggtui_reconciliation_models"]

    assert [2, 1, 0, 0, 1] == [
        family.value(backend=backend, state=state)
        for backend, state in (
            ("box", "in_sync"),
            ("box", "downloading"),
            ("box", "error"),
            ("gpu", "in_sync"),
            ("gpu", "error"),
        )
    ]


def test_downloads_are_counted_with_what_they_bring() -> None:
    families = _read(STATE)

    assert {"pending": 0, "running": 2, "paused": 1, "done": 1, "failed": 0} == {
        labels[0][1]: number for labels, number in families["ggtui_downloads"].samples.items()
    }
    assert (4.0, 6) == (
        families["ggtui_download_bytes_per_second"].value(),
        families["ggtui_download_left_bytes"].value(),
    )


def test_where_nothing_is_declared_downloads_count_none() -> None:
    families = _read(EngineSnapshot(1))

    assert 0 == families["ggtui_downloads"].value(state="running")
    assert not [name for name in families if name.startswith(("ggtui_backend", "ggtui_reconciliation"))]
