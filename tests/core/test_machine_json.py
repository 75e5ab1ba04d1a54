"""The machine as JSON: the names that scripts rely on."""

from __future__ import annotations

import json

from ggtui.core.machine_json import engine_document, memory_document
from ggtui.core.models import EngineInfo
from ggtui.core.ports.gpu import GpuSample, MemoryReading


def test_an_engine_tells_what_it_is_and_what_it_can_use() -> None:
    document = engine_document(EngineInfo("llama-server", "/bin/llama-server", "b7", ("CUDA0",)))

    assert document == json.loads(json.dumps(document))
    assert {
        "kind": "llama-server",
        "path": "/bin/llama-server",
        "version": "b7",
        "devices": ["CUDA0"],
        "problem": None,
    } == document


def test_memory_is_told_by_device_in_bytes() -> None:
    reading = MemoryReading((GpuSample(0, "gpu", total_bytes=5, used_bytes=3),), ram_total_bytes=9)
    document = memory_document(reading)

    assert document == json.loads(json.dumps(document))
    assert (9, None) == (document["ram_total_bytes"], document["gpu_absence"])
    gpus = document["gpus"]
    assert isinstance(gpus, list)
    assert [(0, "gpu", 5, 3)] == [
        tuple(each[key] for key in ("index", "name", "total_bytes", "used_bytes")) for each in gpus
    ]
