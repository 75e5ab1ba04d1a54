"""Models of other programs, found where they lie and served from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.adapters.gguf.demo import write_demo_models
from tests.adapters.gguf.stores.layouts import hub_repository, ollama_model
from tests.e2e.instance import running

if TYPE_CHECKING:
    from pathlib import Path


def test_a_hub_file_and_an_ollama_blob_are_served_in_place(tmp_path: Path, engine_flag: str) -> None:
    home, empty = tmp_path / "home", tmp_path / "empty"
    empty.mkdir()
    first, second = (path.read_bytes() for path in write_demo_models(tmp_path / "made")[:2])
    hub_repository(home / ".cache/huggingface/hub", "acme/first-GGUF", {"first.gguf": first})
    manifest = ollama_model(home / ".ollama/models", "second:1b", second)
    before = _listing(home)

    with running(empty, home, "--llama-server", engine_flag, stores="huggingface,ollama") as one:
        assert 200 == one.post("/ggtui/rescan", {}).status_code  # answers when the first look has ended
        models = {row["store"]: row for row in one.get("/ggtui/state")["models"]}

        assert {"huggingface": ["huggingface acme/first-GGUF"], "ollama": ["ollama second:1b"]} == {
            store: row["places"] for store, row in models.items()
        }
        for store in ("ollama", "huggingface"):
            assert 200 == one.chat(models[store]["public_id"]).status_code
        pid = one.target()["pid"]
        for blob in (home / ".ollama/models/blobs").iterdir():
            blob.unlink()
        refused = one.chat(models["ollama"]["public_id"])

        assert (404, "model_file_not_found") == (refused.status_code, refused.json()["error"]["code"])
        assert pid == one.target()["pid"]
        manifest.unlink()
        hub_file = next((home / ".cache/huggingface/hub").glob("models--*/snapshots/*/*.gguf"))
        hub_file.unlink()
        one.post("/ggtui/rescan", {})
        kept = one.chat(models["huggingface"]["public_id"])

        assert 200 == kept.status_code
    assert before - _listing(home) == {
        each for each in before if each in (hub_file, manifest) or "ollama/models/blobs/" in str(each)
    }


def _listing(home: Path) -> set[Path]:
    """Everything in the stores."""
    return {path for store in (".cache", ".ollama") for path in (home / store).rglob("*")}
