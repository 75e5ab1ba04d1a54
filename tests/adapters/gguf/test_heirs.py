"""A model keeps its ids when its file is moved, or when its store has a newer content under the same name."""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.gguf.catalog import GgufCatalog
from ggtui.core.labels import label_change
from ggtui.core.models import LaunchOptions
from ggtui.core.stores import StoreKind, StoreRoot
from tests.adapters.gguf.stores.layouts import REVISION, hub_repository, model, ollama_model, placed

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.core.models import ModelSummary

OLDER = "f" * 40


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    found = {name: tmp_path / name for name in ("models", "disk", "hub", "ollama")}
    for folder in found.values():
        folder.mkdir()
    return found


def look(places: dict[str, Path], label: str = "") -> dict[str, int]:
    """Ids by public id after a fresh look. label: a name that is given to the only model."""

    async def work() -> list[ModelSummary]:
        stores = [
            StoreRoot(StoreKind.HUGGING_FACE, places["hub"]),
            StoreRoot(StoreKind.OLLAMA, places["ollama"]),
        ]
        folders = [places["models"], places["disk"]]
        database = places["hub"].parent / "data" / "catalog.sqlite3"
        catalog = GgufCatalog(database, folders, LaunchOptions(), stores)
        try:
            await catalog.refresh()
            found = list(await catalog.list_models())
            if label:
                await catalog.change_labels(found[0].id, label_change(name=label))
                found = list(await catalog.list_models())
            return found
        finally:
            await catalog.close()

    found = asyncio.run(work())
    places_of_names[:] = [each.name for each in found]
    return {each.public_id: each.id for each in found}


places_of_names: list[str] = []
"""Names that the last look has shown."""


def test_a_file_moved_to_another_folder_or_disk_keeps_ids_and_labels(places: dict[str, Path]) -> None:
    placed(places["models"] / "a-Q4_0.gguf")
    before = look(places, label="Mine")
    (places["models"] / "sub").mkdir()
    (places["models"] / "a-Q4_0.gguf").rename(places["models"] / "sub" / "a-Q4_0.gguf")

    assert before == look(places)

    shutil.copy2(places["models"] / "sub" / "a-Q4_0.gguf", places["disk"])
    (places["models"] / "sub" / "a-Q4_0.gguf").unlink()

    assert before == look(places)
    assert ["Mine"] == places_of_names


def test_a_moved_model_of_several_files_keeps_its_ids(places: dict[str, Path]) -> None:
    for number in (1, 2):
        placed(places["models"] / f"big-{number:05}-of-00002.gguf", model(str(number)))
    before = look(places)
    for file in places["models"].iterdir():
        shutil.move(file, places["disk"])

    assert before == look(places)


def test_a_copy_is_another_model_while_the_first_is_there(places: dict[str, Path]) -> None:
    placed(places["models"] / "a.gguf")
    before = look(places)
    shutil.copy2(places["models"] / "a.gguf", places["disk"])

    after = look(places)

    assert 2 == len(after)
    assert before.items() <= after.items()


def test_another_file_of_the_same_name_is_another_model(places: dict[str, Path]) -> None:
    placed(places["models"] / "a.gguf")
    before = look(places)
    (places["models"] / "a.gguf").unlink()
    look(places)
    placed(places["disk"] / "a.gguf", model(data=b"of another size"))

    assert before.keys().isdisjoint(look(places))


def test_a_renamed_file_is_another_model(places: dict[str, Path]) -> None:
    placed(places["models"] / "a.gguf")
    look(places)
    (places["models"] / "a.gguf").rename(places["models"] / "b.gguf")

    assert ["b-f32"] == list(look(places))


def test_a_model_that_ollama_has_pulled_again_keeps_its_ids(places: dict[str, Path]) -> None:
    ollama_model(places["ollama"], "tiny:1b", model("old"))
    before = look(places)
    shutil.rmtree(places["ollama"] / "blobs")
    ollama_model(places["ollama"], "tiny:1b", model("new and larger"))

    assert before == look(places)


def test_a_tag_that_goes_to_another_blob_takes_no_ids_from_the_one_that_stays(
    places: dict[str, Path],
) -> None:
    for tag in ("tiny:1b", "tiny:latest"):
        ollama_model(places["ollama"], tag, model("old"))
    before = look(places)
    ollama_model(places["ollama"], "tiny:latest", model("new"))

    after = look(places)

    assert before.items() <= after.items()
    assert 2 == len(after)


@pytest.mark.parametrize("is_old_kept", [True, False])
def test_a_newer_revision_takes_over_the_ids(places: dict[str, Path], is_old_kept: bool) -> None:
    hub_repository(places["hub"], "acme/tiny", {"Q4/a.gguf": model("old")}, OLDER)
    before = look(places)
    folder = hub_repository(places["hub"], "acme/tiny", {"Q4/a.gguf": model("newer")}, REVISION)
    if not is_old_kept:
        shutil.rmtree(folder / "snapshots" / OLDER)

    after = look(places)

    assert before.items() <= after.items()
    assert (2 if is_old_kept else 1) == len(after)
    assert "newer" == dict(zip(after, places_of_names, strict=True))["a-f32"]
    assert after == look(places)


def test_equal_names_in_two_folders_of_a_repository_are_two_models(places: dict[str, Path]) -> None:
    hub_repository(places["hub"], "acme/tiny", {"Q8/a.gguf": model("eight")})
    before = look(places)
    hub_repository(places["hub"], "acme/tiny", {"Q4/a.gguf": model("four")})

    after = look(places)

    assert before.items() <= after.items()
    assert 2 == len(after)


def test_a_model_whose_folder_goes_away_and_comes_back_is_the_same(places: dict[str, Path]) -> None:
    placed(places["models"] / "a.gguf")
    placed(places["models"] / "b.gguf", model("b"))
    before = look(places)
    os.rename(places["models"], places["models"].with_name("away"))

    assert {} == look(places)

    os.rename(places["models"].with_name("away"), places["models"])

    assert before == look(places)
