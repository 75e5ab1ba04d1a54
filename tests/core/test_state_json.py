"""The state as JSON: complete, plain, and the same whether a ggtui runs or not."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from ggtui import __version__
from ggtui.core.history import Generation
from ggtui.core.models import ModelSummary
from ggtui.core.ports.gpu import GpuSample, MemoryReading
from ggtui.core.routing.adapters import AdapterRef
from ggtui.core.routing.endpoints import ModelId
from ggtui.core.routing.name_settings import NameSettings
from ggtui.core.snapshot import (
    EngineSnapshot,
    FailureNote,
    ModelStatus,
    QueueEntry,
    RouteNote,
    TargetStatus,
    WaitPhase,
)
from ggtui.core.state import TargetState
from ggtui.core.state_json import SCHEMA, state_document

SUMMARY = ModelSummary(1, "tiny-q4", "Tiny", "llama", 1000, quantisation="Q4_0", n_ctx_train=2048)

BUSY = WaitPhase.BEHIND_BUSY


def test_an_empty_state_is_a_document() -> None:
    document = state_document(EngineSnapshot(0), 0.0)

    assert document == json.loads(json.dumps(document))
    assert (SCHEMA, __version__, None, None) == tuple(
        document[name] for name in ("schema", "version", "pid", "target")
    )


def test_a_full_state_is_plain_json() -> None:
    snapshot = EngineSnapshot(
        1,
        models=(ModelStatus(SUMMARY, TargetState.FAILED, 512, FailureNote("t", "d", log_tail=("x",))),),
        targets=(TargetStatus(1, "tiny-q4", TargetState.LOADING, 10.0, progress=0.5, argv=("a", "b")),),
        memory=MemoryReading((GpuSample(0, "gpu", total_bytes=5),)),
    )
    document = state_document(snapshot, 12.5, pid=7)

    assert document == json.loads(json.dumps(document))
    assert 7 == document["pid"]
    assert [document["target"]] == document["targets"]
    target = document["target"]
    assert isinstance(target, dict)
    assert ("tiny-q4", "loading", 0.5, 2.5) == tuple(
        target[name] for name in ("model", "state", "progress", "uptime_s")
    )


def test_it_answers_who_runs_where_since_when_who_waits_and_what_memory_is_left() -> None:
    """The names that scripts rely on."""
    snapshot = EngineSnapshot(
        1,
        models=(ModelStatus(SUMMARY, is_pinned=True),),
        targets=(TargetStatus(1, "tiny-q4", TargetState.READY, 1.5, pid=7, port=5500, n_ctx=512),),
        queue=(QueueEntry("other", 1024, 2.25, "turn of other", 3, 2, 1.5, BUSY, ("tiny-q4",), 4.26),),
        memory=MemoryReading((GpuSample(0, "gpu", total_bytes=5, used_bytes=3),), ram_total_bytes=9),
        strategy="memory",
    )
    document: dict[str, Any] = state_document(snapshot, 2.5)
    target, gpu = document["target"], document["memory"]["gpus"][0]

    assert ("tiny-q4", True) == (document["models"][0]["public_id"], document["models"][0]["is_pinned"])
    assert {
        "model": "tiny-q4",
        "pid": 7,
        "port": 5500,
        "context": 512,
        "n_ctx": 512,
        "state": "ready",
        "since": "1970-01-01T00:00:01.500Z",
    }.items() <= target.items()
    assert [
        {
            "model": "other",
            "id": 2,
            "n_ctx": 1024,
            "position": 3,
            "since": "1970-01-01T00:00:01.500Z",
            "waiting_s": 2.2,
            "waits_for": "turn of other",
            "phase": "behind_busy",
            "behind": ["tiny-q4"],
            "expected_s": 4.3,
            "is_expected_at_least": True,
        }
    ] == document["queue"]
    assert (5, 3, 9) == (gpu["total_bytes"], gpu["used_bytes"], document["memory"]["ram_total_bytes"])
    assert "memory" == document["strategy"]


def test_servers_of_one_model_are_numbered_from_one() -> None:
    targets = tuple(TargetStatus(1, "qwen", TargetState.READY, 1.5, replica=each) for each in (None, 0, 1))
    document = state_document(EngineSnapshot(1, targets=targets), 2.0)
    told = document["targets"]
    assert isinstance(told, list)

    assert [None, 1, 2] == [each["replica"] for each in told]
    assert ["qwen", "qwen #1", "qwen #2"] == [each.title for each in targets]


def test_names_adapters_and_the_last_route_are_told() -> None:
    carried = (AdapterRef("code", 0.5),)
    snapshot = EngineSnapshot(
        1,
        targets=(TargetStatus(1, "tiny-q4", TargetState.READY, 1.5, adapters=carried),),
        names=NameSettings(default="tiny-q4", aliases={"gpt-4": "tiny-q4"}),
        last_route=RouteNote(ModelId("large"), "12041 tokens; tiny-q4 holds 8192", 1.5),
    )
    document: dict[str, Any] = state_document(snapshot, 2.5)

    assert [{"name": "code", "weight": 0.5}] == document["target"]["adapters"]
    assert ("tiny-q4", {"gpt-4": "tiny-q4"}) == (document["names"]["default"], document["names"]["aliases"])
    assert {
        "endpoint": "large",
        "words": "12041 tokens; tiny-q4 holds 8192",
        "at": "1970-01-01T00:00:01.500Z",
    } == document["last_route"]
    assert document == msgspec.json.decode(msgspec.json.encode(document))
    assert state_document(EngineSnapshot(0), 0.0)["last_route"] is None


def test_what_was_served_is_told_newest_first() -> None:
    ended = Generation(
        7,
        "tiny-q4",
        "/models/tiny.gguf",
        4096,
        1.5,
        "loaded by a person",
        (AdapterRef("code", 0.8),),
        2.5,
        "made room for large",
        3,
    )
    serving = Generation(8, "large", "/models/large.gguf", 8192, 2.75, "asked for by a request")
    document = state_document(EngineSnapshot(1, history=(serving, ended)), 10.0)

    assert [
        {
            "generation": 8,
            "model": "large",
            "path": "/models/large.gguf",
            "n_ctx": 8192,
            "adapters": [],
            "began_at": "1970-01-01T00:00:02.750Z",
            "why": "asked for by a request",
            "is_serving": True,
            "ended_at": None,
            "how_ended": None,
            "n_requests": None,
        },
        {
            "generation": 7,
            "model": "tiny-q4",
            "path": "/models/tiny.gguf",
            "n_ctx": 4096,
            "adapters": [{"name": "code", "weight": 0.8}],
            "began_at": "1970-01-01T00:00:01.500Z",
            "why": "loaded by a person",
            "is_serving": False,
            "ended_at": "1970-01-01T00:00:02.500Z",
            "how_ended": "made room for large",
            "n_requests": 3,
        },
    ] == document["history"]
