"""Copies, links, projectors and adapters, from a tree on disk to what is listed."""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING, NamedTuple

from ggtui.adapters.gguf.catalog import GgufCatalog
from ggtui.core.models import LaunchOptions
from ggtui.core.stores import StoreKind, StoreRoot
from tests.adapters.gguf import raw
from tests.adapters.gguf.stores import layouts
from tests.adapters.gguf.stores.layouts import hub_repository, model, ollama_blob, ollama_manifest, placed

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.core.models import ModelLaunchSpec, ModelSummary
    from ggtui.core.ports.catalog import CatalogReport


class Seen(NamedTuple):
    """What one look has found."""

    models: dict[str, ModelSummary]
    """By display name."""
    report: CatalogReport
    specs: dict[str, ModelLaunchSpec]


def look(folder: Path) -> Seen:
    """A look at folder/{models,hub,lms,ollama,flat}, those that are there; and what the next run knows."""
    stores = [
        StoreRoot(StoreKind.HUGGING_FACE, folder / "hub"),
        StoreRoot(StoreKind.LLAMA_CPP, folder / "flat"),
        StoreRoot(StoreKind.LM_STUDIO, folder / "lms"),
        StoreRoot(StoreKind.OLLAMA, folder / "ollama"),
    ]
    folders = [folder / "models"] if (folder / "models").exists() else []

    async def main(*, is_first: bool) -> Seen:
        catalog = GgufCatalog(folder / "data" / "catalog.sqlite3", folders, LaunchOptions(), stores)
        try:
            if is_first:
                await catalog.refresh()
            models = await catalog.list_models()
            specs = {each.name: await catalog.resolve_for_launch(each.public_id) for each in models}
            known = {name: spec for name, spec in specs.items() if spec is not None}
            return Seen({each.name: each for each in models}, catalog.report(), known)
        finally:
            await catalog.close()

    seen = asyncio.run(main(is_first=True))

    assert seen == asyncio.run(main(is_first=False))
    return seen


def test_a_model_in_every_store_is_listed_with_its_place(tmp_path: Path) -> None:
    placed(tmp_path / "models" / "x" / "a.gguf", model("A"))
    hub_repository(tmp_path / "hub", "acme/b-GGUF", {"b.gguf": model("B")})
    placed(tmp_path / "flat" / "acme_c_c.gguf", model("C"))
    placed(tmp_path / "lms" / "acme" / "d-GGUF" / "d.gguf", model("D"))
    layouts.ollama_model(tmp_path / "ollama", "llama3.2:1b", model("E"))

    seen = look(tmp_path)

    assert {
        "A": ("folder", (f"folder {tmp_path}/models/x",)),
        "B": ("huggingface", ("huggingface acme/b-GGUF",)),
        "C": ("llama.cpp", ("llama.cpp acme_c_c.gguf",)),
        "D": ("lmstudio", ("lmstudio acme/d-GGUF",)),
        "llama3.2:1b": ("ollama", ("ollama llama3.2:1b",)),
    } == {name: (each.store, each.places) for name, each in seen.models.items()}
    assert "llama3.2-1b-f32" == seen.models["llama3.2:1b"].public_id
    assert [None] * 5 == [each.problem for each in seen.models.values()]
    assert [str(tmp_path / each) for each in ("models", "hub", "flat", "lms", "ollama")] == [
        *seen.report.folders
    ]
    assert (5, 0, ()) == (seen.report.n_files, seen.report.waste_bytes, seen.report.problems)


def test_stores_that_do_not_exist_are_not_mentioned(tmp_path: Path) -> None:
    layouts.ollama_model(tmp_path / "ollama", "m:1", model())

    report = look(tmp_path).report

    assert ((str(tmp_path / "ollama"),), ()) == (report.folders, report.problems)
    assert [StoreKind.OLLAMA] == [each.store for each in report.stores]
    assert report.scanned_at is not None


def test_a_copy_in_another_store_is_shown_once_with_what_it_wastes(tmp_path: Path) -> None:
    content = model("A", data=os.urandom(2 << 20))
    hub_repository(tmp_path / "hub", "acme/a", {"a.gguf": content})
    placed(tmp_path / "lms" / "acme" / "a" / "a.gguf", content)

    seen = look(tmp_path)

    assert ["huggingface acme/a", "lmstudio acme/a"] == [*seen.models["A"].places]
    assert [len(content)] == [each.waste_bytes for each in seen.models.values()]
    assert len(content) == seen.report.waste_bytes


def test_a_link_from_another_store_is_shown_once_and_wastes_nothing(tmp_path: Path) -> None:
    digest = ollama_blob(tmp_path / "ollama", model("A")).replace(":", "-")
    ollama_manifest(tmp_path / "ollama", "registry.ollama.ai/library/a/1", [("model", digest)])
    blob = tmp_path / "ollama" / "blobs" / digest
    (tmp_path / "lms" / "acme").mkdir(parents=True)
    (tmp_path / "lms" / "acme" / "linked.gguf").symlink_to(blob)
    os.link(blob, tmp_path / "lms" / "acme" / "hard.gguf")

    seen = look(tmp_path)

    (found,) = seen.models.values()
    assert {"lmstudio acme", "ollama a:1"} == set(found.places)
    assert (0, 0) == (found.waste_bytes, seen.report.waste_bytes)


def test_models_of_the_same_size_and_header_are_not_the_same_model(tmp_path: Path) -> None:
    for store, byte in (("lms", b"\1"), ("models", b"\2")):
        placed(tmp_path / store / "a" / "a.gguf", model("A", data=bytes(3 << 20) + byte * 8192))

    public_ids = [each.public_id for each in look_all(tmp_path)]

    assert 2 == len(public_ids)


def look_all(folder: Path) -> list[ModelSummary]:
    """All models, also such as have one display name."""

    async def main() -> list[ModelSummary]:
        stores = [StoreRoot(StoreKind.LM_STUDIO, folder / "lms")]
        catalog = GgufCatalog(folder / "data" / "c.sqlite3", [folder / "models"], LaunchOptions(), stores)
        try:
            await catalog.refresh()
            return list(await catalog.list_models())
        finally:
            await catalog.close()

    return asyncio.run(main())


def test_two_names_in_one_folder_stay_two_models_though_one_wastes_space(tmp_path: Path) -> None:
    for name in ("a", "b"):
        placed(tmp_path / "models" / f"{name}.gguf", model("A"))

    found = look_all(tmp_path)

    assert [("a-f32", len(model("A")), ("b-f32",)), ("b-f32", 0, ())] == [
        (each.public_id, each.waste_bytes, each.copies) for each in found
    ]


def test_the_copy_that_is_left_keeps_being_found(tmp_path: Path) -> None:
    placed(tmp_path / "models" / "a.gguf", model("A"))
    placed(tmp_path / "lms" / "acme" / "other" / "b.gguf", model("A"))
    both = look(tmp_path)
    (tmp_path / "models" / "a.gguf").unlink()

    left = look(tmp_path)

    assert [2, 1] == [len(seen.models["A"].places) for seen in (both, left)]
    assert ["lmstudio acme/other"] == [*left.models["A"].places]
    assert left.specs["A"].path.is_file()


def test_a_projector_of_the_same_repository_belongs_to_the_model(tmp_path: Path) -> None:
    files = {"q/a.gguf": model("A"), "mmproj-F16.gguf": layouts.projector()}
    hub_repository(tmp_path / "hub", "acme/a", files)
    placed(tmp_path / "lms" / "acme" / "b" / "b.gguf", model("B"))

    seen = look(tmp_path)

    assert {"A": "mmproj-F16.gguf", "B": ""} == {name: each.projector for name, each in seen.models.items()}
    projector = seen.specs["A"].projector
    assert projector is not None
    assert layouts.projector() == projector.read_bytes()


def test_a_projector_of_another_width_does_not_belong(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    placed(folder / "a.gguf", model("A", n_embd=64))
    placed(folder / "b.gguf", model("B", n_embd=128))
    placed(folder / "mmproj-b.gguf", layouts.projector(128))
    placed(folder / "sub" / "mmproj-a.gguf", layouts.projector(64))

    seen = look(tmp_path)

    assert {"A": "", "B": "mmproj-b.gguf"} == {name: each.projector for name, each in seen.models.items()}


def test_of_several_projectors_none_is_chosen_and_all_are_named(tmp_path: Path) -> None:
    files = {name: layouts.projector() + name.encode() for name in ("mmproj-BF16.gguf", "mmproj-F32.gguf")}
    hub_repository(tmp_path / "hub", "acme/a", {"a.gguf": model("A"), **files})

    seen = look(tmp_path)

    assert ("", ("mmproj-BF16.gguf", "mmproj-F32.gguf")) == (
        seen.models["A"].projector,
        tuple(sorted(seen.models["A"].projector_candidates)),
    )
    assert seen.specs["A"].projector is None


def test_a_manifest_of_ollama_pairs_its_layers(tmp_path: Path) -> None:
    root = tmp_path / "ollama"
    layers = [("model", ollama_blob(root, model())), ("projector", ollama_blob(root, layouts.projector()))]
    ollama_manifest(root, "registry.ollama.ai/library/seeing/1", layers)
    layouts.ollama_model(root, "blind:1", model("other"))

    seen = look(tmp_path)

    assert {"seeing:1": "seeing:1", "blind:1": ""} == {
        name: each.projector for name, each in seen.models.items()
    }


def test_adapters_are_listed_apart_with_what_they_are_for(tmp_path: Path) -> None:
    placed(tmp_path / "models" / "style.gguf", layouts.adapter("Llama 3.2 1B", "\x1b[31mred"))
    root = tmp_path / "ollama"
    layers = [("model", ollama_blob(root, model())), ("adapter", ollama_blob(root, layouts.adapter()))]
    ollama_manifest(root, "registry.ollama.ai/library/tuned/1", layers)

    seen = look(tmp_path)

    assert {"tuned:1"} == set(seen.models)
    assert {
        "style": ("llama", ("Llama 3.2 1B", "red"), None),
        "tuned:1": ("llama", ("tuned:1",), None),
    } == {each.name: (each.architecture, each.base_hints, each.problem) for each in seen.report.adapters}
    assert str(tmp_path / "models" / "style.gguf") in {str(each.path) for each in seen.report.adapters}


def test_what_is_no_model_by_itself_is_not_listed(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    placed(folder / "imatrix.gguf", layouts.imatrix())
    placed(folder / "head.gguf", raw.header([raw.string("general.architecture", "eagle3")]))
    placed(folder / "vector.gguf", raw.header([raw.string("general.architecture", "controlvector")]))
    placed(folder / "mmproj-broken.gguf", b"<html>" * 10)
    placed(folder / "mmproj-F16.gguf", layouts.projector())

    assert {} == look(tmp_path).models


def test_ollamas_own_variants_are_flagged_unless_another_store_has_them_too(tmp_path: Path) -> None:
    keys = [key for key in raw.LLAMA_KEYS if b"general.architecture" not in key]
    content = raw.header([raw.string("general.architecture", "gptoss"), *keys])
    layouts.ollama_model(tmp_path / "ollama", "gpt-oss:20b", content)
    layouts.ollama_model(tmp_path / "ollama", "plain:1", model())

    alone = look(tmp_path).models
    shutil.copytree(tmp_path / "ollama" / "blobs", tmp_path / "models")
    for blob in (tmp_path / "models").iterdir():
        blob.rename(blob.with_suffix(".gguf"))
    both = look(tmp_path).models

    assert {
        "gpt-oss:20b": "llama.cpp may not load it: Ollama has a variant of gptoss of its own",
        "plain:1": None,
    } == {name: each.warning for name, each in alone.items()}
    assert {None} == {each.warning for each in both.values()}


def test_a_missing_shard_of_the_hub_is_named(tmp_path: Path) -> None:
    hub_repository(tmp_path / "hub", "acme/big", {"big-00001-of-00003.gguf": model("Big")})

    (found,) = look(tmp_path).models.values()

    assert "shard 2, 3 of 3 is missing" == found.problem


def test_a_shard_that_goes_makes_the_whole_model_missing(tmp_path: Path) -> None:
    names = ("m-00001-of-00002.gguf", "m-00002-of-00002.gguf")
    for name in names:
        placed(tmp_path / "models" / name, model(name))

    async def main() -> list[bool]:
        catalog = GgufCatalog(tmp_path / "c.sqlite3", [tmp_path / "models"], LaunchOptions())
        try:
            await catalog.refresh()
            before = await catalog.resolve_for_launch("1")
            (tmp_path / "models" / names[1]).unlink()
            after = await catalog.resolve_for_launch("1")
            return [each.is_missing for each in (before, after) if each is not None]
        finally:
            await catalog.close()

    assert [False, True] == asyncio.run(main())


def test_a_projector_in_a_folder_of_many_models_belongs_to_its_own_only(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    placed(folder / "gemma-3-4b-it-Q4_K_M.gguf", model("Gemma 3 4b It"))
    placed(folder / "llama-3.2-3b-Q4_K_M.gguf", model("Llama 3.2 3B"))
    placed(folder / "mmproj-gemma-3-4b-it-f16.gguf", layouts.projector(64))

    seen = look(tmp_path)

    assert {"Gemma 3 4b It": "mmproj-gemma-3-4b-it-f16.gguf", "Llama 3.2 3B": ""} == {
        name: each.projector for name, each in seen.models.items()
    }
