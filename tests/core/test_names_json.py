"""Names and adapters as JSON: what scripts and the command line rely on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ggtui.core.models import AdapterFile, AdapterSummary, LaunchOptions, ModelSummary
from ggtui.core.names_json import (
    adapters_document,
    endpoints_document,
    names_document,
    weights_text,
)
from ggtui.core.ports.catalog import CatalogReport
from ggtui.core.routing.adapters import AdapterRef, AdapterStack
from ggtui.core.routing.endpoints import EndpointStatus, ModelEndpoint, ModelId
from ggtui.core.routing.name_settings import NameSettings, Unnamed
from ggtui.core.snapshot import EngineSnapshot, ModelStatus, TargetStatus
from ggtui.core.state import TargetState

BASE = ModelEndpoint(ModelId("qwen"), "qwen", max_context_length=8192, capabilities=("chat",))
CODE = ModelEndpoint(
    ModelId("qwen:code"),
    "qwen",
    adapter="code",
    stack=AdapterStack((AdapterRef("code", 0.8),)),
    is_default=True,
)
BOTH = ModelEndpoint(
    ModelId("qwen:both"),
    "qwen",
    adapter="both",
    stack=AdapterStack((AdapterRef("code", 2 / 3), AdapterRef("chat", 1 / 3))),
    status=EndpointStatus.ERROR,
    why="adapter both: its file does not exist",
)
NAMES = NameSettings(
    default="qwen:code",
    unnamed=Unnamed.RUNNING,
    disabled=frozenset({"b", "a"}),
    aliases={"gpt-4": "qwen:code", "a": "qwen:code", "qwen": "qwen:code", "gone": "removed"},
)
ALPHA = ModelSummary(1, "qwen", "Qwen", "llama", 1000)


def _plain(document: dict[str, object]) -> Any:
    return json.loads(json.dumps(document))


def test_names_are_told_as_they_were_said() -> None:
    assert {
        "default": "qwen:code",
        "unnamed": "running",
        "disabled": ["a", "b"],
        "aliases": {"a": "qwen:code", "gone": "removed", "gpt-4": "qwen:code", "qwen": "qwen:code"},
    } == _plain(names_document(NAMES))
    assert names_document(NameSettings())["default"] is None


def test_an_endpoint_tells_what_it_applies_and_which_aliases_reach_it() -> None:
    document = _plain(endpoints_document((BASE, BOTH, CODE), NAMES))

    assert (1, "qwen:code", "running") == tuple(document[key] for key in ("schema", "default", "unnamed"))
    assert names_document(NAMES)["aliases"] == document["aliases"]
    assert {
        "id": "qwen:code",
        "base": "qwen",
        "adapter": "code",
        "adapters": [{"name": "code", "weight": 0.8}],
        "status": "ready",
        "why": "",
        "is_default": True,
        # The alias `qwen` is shadowed by the model of that id.
        "aliases": ["a", "gpt-4"],
        "context_window": 4096,
        "capabilities": [],
        "backends": [],
    } == document["endpoints"][2]
    base, both = document["endpoints"][:2]
    assert (None, [], [], 8192) == tuple(
        base[key] for key in ("adapter", "adapters", "aliases", "context_window")
    )
    assert ("error", "adapter both: its file does not exist") == (both["status"], both["why"])


def test_adapters_are_told_with_their_files_and_whether_a_server_has_them() -> None:
    options = LaunchOptions(adapters=(AdapterFile("code", Path("/l/code.gguf")),))
    found = AdapterSummary("Code LoRA", "llama", 7, Path("/l/code.gguf"), ("Qwen",))
    snapshot = EngineSnapshot(
        1,
        models=(ModelStatus(ALPHA, options=options),),
        targets=(TargetStatus(1, "qwen", TargetState.READY, 0.0, adapters=(AdapterRef("code", 0.8),)),),
        endpoints=(BASE, BOTH, CODE),
        catalog=CatalogReport(adapters=(found,)),
    )
    document = _plain(adapters_document(snapshot))

    assert ["qwen:both", "qwen:code"] == [each["id"] for each in document["attached"]]
    assert {
        "id": "qwen:code",
        "model": "qwen",
        "name": "code",
        "is_stack": False,
        "adapters": [{"name": "code", "weight": 0.8}],
        "file": "/l/code.gguf",
        "is_loaded": True,
        "status": "ready",
        "why": "",
    } == document["attached"][1]
    assert (True, None, False) == tuple(
        document["attached"][0][key] for key in ("is_stack", "file", "is_loaded")
    )
    assert [("Code LoRA", "/l/code.gguf", ["Qwen"])] == [
        (each["name"], each["path"], each["base_hints"]) for each in document["found"]
    ]


def test_the_adapters_of_one_model_leave_the_others_out() -> None:
    snapshot = EngineSnapshot(1, models=(ModelStatus(ALPHA),), endpoints=(BASE, CODE))

    assert ("qwen", 1) == (
        adapters_document(snapshot, "qwen")["model"],
        len(_plain(adapters_document(snapshot, "qwen"))["attached"]),
    )
    assert [] == adapters_document(snapshot, "other")["attached"]
    assert "found" not in adapters_document(snapshot, "qwen")


def test_weights_are_read_without_noise() -> None:
    assert "code 0.8, chat 1" == weights_text(
        [{"name": "code", "weight": 0.8}, {"name": "chat", "weight": 1.0}]
    )
    assert "" == weights_text([])
