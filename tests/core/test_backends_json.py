"""Backends as programs read them."""

from __future__ import annotations

import json
from dataclasses import replace

from ggtui.core.backends.backend import Backend, BackendType, Capability, DeclaredModel
from ggtui.core.backends.observed import BackendState, ModelDetails, PulledModel
from ggtui.core.backends.rows import Row, RowState
from ggtui.core.backends_json import (
    backend_document,
    backends_document,
    reconciled_document,
    row_document,
)
from ggtui.core.deployment.secret import Secret, SecretRef, SecretSource

KEY = "sk-of-a-backend-1234"
REF = SecretRef(SecretSource.INLINE, value=Secret(KEY))
BOX = Backend(
    "box",
    BackendType.OLLAMA,
    "http://box",
    REF,
    ("a",),
    (DeclaredModel("llama3", capabilities=frozenset({Capability.CHAT, Capability.EMBED})),),
)
PULLED = PulledModel(
    "llama3:latest",
    modified_at=1_700_000_000.0,
    size_bytes=42,
    digest="sha256:abc",
    details=ModelDetails("", "gguf", "llama", ("llama",), "8B", "Q4_0"),
    context_length=8192,
    can_chat=True,
    can_stream=True,
)
STATE = BackendState("box", "box", BOX, ("llama3",), (PULLED,), "", 5.0, 6.0, 0.123456)


def test_a_backend_is_told_in_the_words_that_clients_know() -> None:
    assert {
        "id": "box",
        "name": "box",
        "models": ["llama3"],
        "pulledModels": [
            {
                "name": "llama3:latest",
                "model": "llama3:latest",
                "modifiedAt": "2023-11-14T22:13:20.000Z",
                "size": 42,
                "digest": "sha256:abc",
                "details": {
                    "parent_model": "",
                    "format": "gguf",
                    "family": "llama",
                    "families": ["llama"],
                    "parameter_size": "8B",
                    "quantization_level": "Q4_0",
                },
                "contextLength": 8192,
                "canChat": True,
                "canEmbed": False,
                "canPrompt": False,
                "canStream": True,
                "isLoaded": None,
            }
        ],
        "backend": {
            "name": "box",
            "type": "ollama",
            "baseUrl": "http://box",
            "groups": ["a"],
            "models": [
                {"name": "llama3", "groups": [], "capabilities": ["chat", "embed"], "contextLength": None}
            ],
            "apiKey": {"from": "inline", "ending": None},
        },
        "isReady": True,
        "lastSeen": "1970-01-01T00:00:05.000Z",
        "observedAt": "1970-01-01T00:00:06.000Z",
        "latencySeconds": 0.1235,
    } == backend_document(STATE)


def test_an_error_is_there_only_when_there_is_one() -> None:
    failed = backend_document(replace(STATE, error="Unexpected status: 500 \x1b[31moh"))

    assert ("Unexpected status: 500 oh", False) == (failed["error"], failed["isReady"])
    assert "error" not in backend_document(STATE)


def test_a_backend_without_a_key_tells_of_none() -> None:
    document = backend_document(replace(STATE, backend=replace(BOX, api_key=None)))

    assert "apiKey" not in json.dumps(document)


def test_no_key_is_in_any_document() -> None:
    shown = json.dumps(backends_document([replace(STATE, key_ending=KEY[-4:])], []))

    assert '"ending": "1234"' in shown
    assert KEY not in shown
    assert KEY[:-4] not in shown


def test_rows_tell_whether_all_is_as_declared() -> None:
    synced, extra = Row("box", "a", RowState.IN_SYNC), Row("box", "b", RowState.EXTRA, "not declared")
    missing = Row("box", "c", RowState.MISSING)

    assert True is backends_document([STATE], [synced, extra])["in_sync"]
    assert False is backends_document([STATE], [synced, missing])["in_sync"]
    assert {"schema": 1, "is_dry_run": True, "in_sync": True, "rows": []} == reconciled_document(
        [], is_dry_run=True
    )


def test_a_row_names_its_download() -> None:
    assert {
        "backend": "box",
        "model": "llama3",
        "state": "downloading",
        "why": "waits",
        "download": 7,
        "completed_bytes": 3,
        "total_bytes": 9,
    } == row_document(Row("box", "llama3", RowState.DOWNLOADING, "waits", 7, 3, 9))
    alone = row_document(Row("box", "", RowState.ERROR))
    assert (None, None, None, None) == (
        alone["model"],
        alone["why"],
        alone["download"],
        alone["total_bytes"],
    )
