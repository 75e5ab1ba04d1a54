"""What the models take, place by place: each file once, copies where they lie."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.catalog import GgufCatalog
from ggtui.core.models import LaunchOptions
from ggtui.core.stores import StoreKind, StoreRoot
from tests.adapters.gguf.stores.layouts import hub_repository, model, ollama_model, placed, projector

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.core.ports.catalog import PlaceUse


def use_of(home: Path) -> dict[str, PlaceUse]:
    """By the last part of the path."""
    stores = [
        StoreRoot(StoreKind.HUGGING_FACE, home / "hub"),
        StoreRoot(StoreKind.OLLAMA, home / "ollama"),
        StoreRoot(StoreKind.LM_STUDIO, home / "absent"),
    ]

    async def look() -> dict[str, PlaceUse]:
        catalog = GgufCatalog(home / "data" / "c.sqlite3", [home / "models"], LaunchOptions(), stores)
        report = await catalog.refresh()
        await catalog.close()
        return {os.path.basename(use.path): use for use in report.disk}

    return asyncio.run(look())


def test_each_place_counts_its_own_files(tmp_path: Path) -> None:
    one, eye = model("one"), projector()
    placed(tmp_path / "models" / "one.gguf", one)
    placed(tmp_path / "models" / "mmproj.gguf", eye)
    hub_repository(tmp_path / "hub", "o/r", {"two.gguf": model("two", data=bytes(999))})
    found = use_of(tmp_path)

    assert "absent" not in found
    assert (1, len(one) + len(eye), 0) == (
        found["models"].n_models,
        found["models"].n_bytes,
        found["models"].waste_bytes,
    )
    assert (1, len(model("two", data=bytes(999)))) == (found["hub"].n_models, found["hub"].n_bytes)
    assert found["hub"].free_bytes is not None


def test_copies_are_waste_where_they_lie_and_links_are_not(tmp_path: Path) -> None:
    content = model("same")
    own = placed(tmp_path / "models" / "a.gguf", content)
    os.link(own, tmp_path / "models" / "b.gguf")
    (tmp_path / "models" / "c.gguf").symlink_to(own)
    ollama_model(tmp_path / "ollama", "tiny:1b", content)
    found = use_of(tmp_path)

    assert (len(content), 0) == (found["models"].n_bytes, found["models"].waste_bytes)
    assert (len(content), len(content)) == (found["ollama"].n_bytes, found["ollama"].waste_bytes)


def test_a_folder_that_cannot_be_looked_at_takes_nothing(tmp_path: Path) -> None:
    found = use_of(tmp_path)

    assert (0, 0, None) == (found["models"].n_models, found["models"].n_bytes, found["models"].free_bytes)
