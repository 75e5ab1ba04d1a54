"""The Hugging Face cache and llama.cpp's: revisions, links, flat files, downloads that have not ended."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.found import merged, models_of
from ggtui.adapters.gguf.roots import Root
from ggtui.core.stores import StoreKind
from tests.adapters.gguf.stores.layouts import hub_repository, model, placed

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.adapters.gguf.found import FoundModel, Walk

OLDER = "f" * 40


def look(root: Path, store: StoreKind = StoreKind.HUGGING_FACE) -> Walk:
    return Root(str(root), store).walk()


def models(found: Walk) -> list[FoundModel]:
    return merged(models_of(found.files))


def test_files_of_a_repository_are_found_under_its_name(tmp_path: Path) -> None:
    folder = hub_repository(tmp_path, "acme/tiny-GGUF", {"a.gguf": model("a"), "Q8/b.gguf": model("b")})
    hub_repository(tmp_path, "gpt2", {"c.gguf": model("c")})

    found = look(tmp_path)

    assert [] == found.problems
    assert [
        ("a.gguf", "huggingface acme/tiny-GGUF"),
        ("b.gguf", "huggingface acme/tiny-GGUF"),
        ("c.gguf", "huggingface gpt2"),
    ] == sorted((each.first.name, each.places[0].words) for each in models(found))
    assert {str(folder / "blobs")} == {each.first.canonical.rpartition("/")[0] for each in models(found)[:2]}


def test_one_blob_under_two_revisions_is_one_model_of_the_current_one(tmp_path: Path) -> None:
    files = {"a.gguf": model()}
    hub_repository(tmp_path, "acme/tiny", files, OLDER.replace("f", "0"), is_main=False)
    hub_repository(tmp_path, "acme/tiny", files, OLDER)

    (found,) = models(look(tmp_path))

    assert f"/snapshots/{OLDER}/" in found.first.path
    assert 1 == len(found.places)


def test_shards_of_a_revision_that_shares_only_some_are_whole(tmp_path: Path) -> None:
    first, old, new = model("1"), model("2"), model("3")
    names = ("m-00001-of-00002.gguf", "m-00002-of-00002.gguf")
    hub_repository(tmp_path, "acme/big", dict(zip(names, (first, old), strict=True)), OLDER)
    hub_repository(tmp_path, "acme/big", dict(zip(names, (first, new), strict=True)), "a" * 40, is_main=False)

    (found,) = models(look(tmp_path))

    assert ((), 2) == (found.missing, len(found.files))
    assert all(OLDER in file.path for file in found.files)


def test_of_two_revisions_the_one_with_all_shards_is_launched(tmp_path: Path) -> None:
    names = ("m-00001-of-00002.gguf", "m-00002-of-00002.gguf")
    hub_repository(tmp_path, "acme/big", {names[0]: model("1")}, OLDER)
    hub_repository(
        tmp_path, "acme/big", {names[0]: model("1"), names[1]: model("2")}, "a" * 40, is_main=False
    )

    (found,) = models(look(tmp_path))

    assert () == found.missing


def test_downloads_that_have_not_ended_are_named(tmp_path: Path) -> None:
    folder = hub_repository(tmp_path, "acme/tiny", {"a.gguf": model()})
    placed(folder / "blobs" / f"{'a' * 64}.incomplete", bytes(3 * 1024 * 1024))

    assert ["huggingface acme/tiny: a download has not ended, 3.0M so far"] == look(tmp_path).unfinished


def test_what_is_no_model_repository_is_left_alone(tmp_path: Path) -> None:
    placed(tmp_path / "datasets--acme--x" / "snapshots" / OLDER / "a.gguf")
    placed(tmp_path / "models--acme--x" / ".no_exist" / OLDER / "a.gguf")
    placed(tmp_path / ".locks" / "models--acme--x" / "a.gguf")
    (tmp_path / "models--acme--empty").mkdir()

    found = look(tmp_path)

    assert ([], []) == (found.files, found.problems)


def test_links_out_of_the_store_are_not_followed(tmp_path: Path) -> None:
    secret = placed(tmp_path / "secret.gguf")
    folder = hub_repository(tmp_path / "hub", "acme/tiny", {"a.gguf": model()})
    (folder / "snapshots" / OLDER).mkdir()
    (folder / "snapshots" / OLDER / "out.gguf").symlink_to(secret)

    problems = {file.name: file.problem for file in look(tmp_path / "hub").files}

    assert {"a.gguf": None, "out.gguf": "its link leads out of the store"} == problems


def test_a_repository_that_lies_elsewhere_is_read_by_its_link(tmp_path: Path) -> None:
    folder = hub_repository(tmp_path / "disk", "acme/tiny", {"a.gguf": model()})
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / folder.name).symlink_to(folder)

    assert [None] == [file.problem for file in look(tmp_path / "hub").files]


def test_a_lost_blob_is_a_model_with_a_problem(tmp_path: Path) -> None:
    folder = hub_repository(tmp_path, "acme/tiny", {"a.gguf": model()})
    for blob in (folder / "blobs").iterdir():
        blob.unlink()

    assert ["no such file or directory"] == [file.problem for file in look(tmp_path).files]


def test_flat_files_of_older_builds_are_grouped_by_their_notes(tmp_path: Path) -> None:
    placed(tmp_path / "acme_tiny_GGUF_tiny-Q8_0.gguf")
    placed(tmp_path / "acme_tiny_GGUF_mmproj-F16.gguf")
    placed(tmp_path / "other_x_y.gguf")
    placed(tmp_path / "manifest=acme=tiny_GGUF=latest.json", b"{}")
    placed(tmp_path / "acme_tiny_GGUF_b.gguf.downloadInProgress", bytes(2 * 1024 * 1024))

    found = look(tmp_path, StoreKind.LLAMA_CPP)
    named = {file.name: file.place for file in found.files}

    assert {"tiny-Q8_0.gguf", "mmproj-F16.gguf", "other_x_y.gguf"} == set(named)
    assert "llama.cpp acme/tiny_GGUF" == named["tiny-Q8_0.gguf"].words
    assert named["tiny-Q8_0.gguf"].group == named["mmproj-F16.gguf"].group
    assert named["other_x_y.gguf"].group != named["tiny-Q8_0.gguf"].group
    assert [
        "llama.cpp acme_tiny_GGUF_b.gguf.downloadInProgress: a download has not ended, 2.0M so far"
    ] == found.unfinished


def test_flat_files_and_repositories_may_lie_in_one_folder(tmp_path: Path) -> None:
    hub_repository(tmp_path, "acme/tiny", {"a.gguf": model("a")})
    placed(tmp_path / "acme_tiny_b.gguf", model("b"))

    assert 2 == len(models(look(tmp_path, StoreKind.LLAMA_CPP)))


def test_a_reference_that_blocks_or_is_a_folder_does_not_matter(tmp_path: Path) -> None:
    folder = hub_repository(tmp_path, "acme/tiny", {"a.gguf": model()}, is_main=False)
    (folder / "refs").mkdir()
    os.mkfifo(folder / "refs" / "main")

    assert 1 == len(look(tmp_path).files)
    (folder / "refs" / "main").unlink()
    (folder / "refs" / "main").mkdir()
    assert 1 == len(look(tmp_path).files)
