"""Ollama's manifests and blobs: names, kinds, and digests that are none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.gguf.found import merged, models_of
from ggtui.adapters.gguf.roots import Root
from ggtui.adapters.gguf.scan import read_facts
from ggtui.core.stores import StoreKind
from tests.adapters.gguf.stores import layouts
from tests.adapters.gguf.stores.layouts import model, ollama_blob, ollama_manifest, ollama_model, placed

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.adapters.gguf.found import Walk


def look(root: Path) -> Walk:
    return Root(str(root), StoreKind.OLLAMA).walk()


def test_names_are_as_ollama_shows_them(tmp_path: Path) -> None:
    digest = ollama_blob(tmp_path, model())
    for name in (
        "registry.ollama.ai/library/llama3.2/1b",
        "registry.ollama.ai/someone/tiny/latest",
        "hf.co/acme/tiny-GGUF/Q8_0",
    ):
        ollama_manifest(tmp_path, name, [("model", digest)])

    found = look(tmp_path)

    assert ["hf.co/acme/tiny-GGUF:Q8_0", "llama3.2:1b", "someone/tiny:latest"] == [
        file.name for file in found.files
    ]
    assert [] == found.problems


def test_the_display_name_is_that_of_the_manifest(tmp_path: Path) -> None:
    ollama_model(tmp_path, "llama3.2:1b", model("Llama 3.2 1B Instruct"))

    (found,) = merged(models_of(look(tmp_path).files))

    assert ("llama3.2:1b", None) == (read_facts(found).name, read_facts(found).problem)
    assert found.first.path.startswith(str(tmp_path / "blobs" / "sha256-"))


def test_a_blob_of_two_tags_is_one_model_and_latest_is_its_second_name(tmp_path: Path) -> None:
    for tag in ("latest", "q8"):
        ollama_model(tmp_path, f"tiny:{tag}", model())

    (found,) = merged(models_of(look(tmp_path).files))

    assert ["ollama tiny:q8", "ollama tiny:latest"] == [place.words for place in found.places]


def test_layers_are_what_their_type_says(tmp_path: Path) -> None:
    layers = [
        (layouts.MODEL, ollama_blob(tmp_path, model())),
        (layouts.PROJECTOR, ollama_blob(tmp_path, layouts.projector())),
        (layouts.ADAPTER, ollama_blob(tmp_path, layouts.adapter())),
        (layouts.ADAPTER, ollama_blob(tmp_path, b"an older format, long enough to be read")),
    ]
    ollama_manifest(tmp_path, "registry.ollama.ai/library/seeing/latest", layers)

    facts = [read_facts(found) for found in merged(models_of(look(tmp_path).files))]

    assert [("model", None), ("mmproj", None), ("adapter", None), ("adapter", "not a GGUF file")] == [
        (each.kind, each.problem) for each in facts
    ]


@pytest.mark.parametrize(
    "digest",
    [
        "",
        "../../secret.gguf",
        "sha256:../../../secret.gguf",
        "sha256:" + "a" * 63,
        "sha256:" + "A" * 64,
        "sha256:" + "a" * 64 + "/../x",
        "sha256:" + "a" * 64 + "\n",
        "sha512:" + "a" * 64,
        "sha256:" + "\u0661" * 64,
        "sha256:" + "a" * 63 + "\0",
    ],
)
def test_a_digest_that_is_none_never_becomes_a_path(tmp_path: Path, digest: str) -> None:
    placed(tmp_path / "secret.gguf")
    ollama_manifest(tmp_path / "store", "registry.ollama.ai/library/evil/1", [("model", digest)])

    (file,) = look(tmp_path / "store").files

    assert ("its manifest names no sound digest", 0) == (file.problem, file.size_bytes)
    assert os.path.dirname(file.path) == str(tmp_path / "store" / "blobs")
    assert ".." not in file.path


def test_a_digest_may_be_written_with_a_dash(tmp_path: Path) -> None:
    digest = ollama_blob(tmp_path, model()).replace(":", "-")
    ollama_manifest(tmp_path, "registry.ollama.ai/library/m/1", [("model", digest)])

    assert [None] == [file.problem for file in look(tmp_path).files]


def test_a_blob_that_leads_out_of_the_store_is_not_followed(tmp_path: Path) -> None:
    secret = placed(tmp_path / "secret.gguf")
    blobs = tmp_path / "store" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"sha256-{'a' * 64}").symlink_to(secret)
    ollama_manifest(tmp_path / "store", "registry.ollama.ai/library/m/1", [("model", "sha256:" + "a" * 64)])

    assert ["its link leads out of the store"] == [file.problem for file in look(tmp_path / "store").files]


def test_blobs_on_another_disk_are_read(tmp_path: Path) -> None:
    ollama_model(tmp_path / "store", "m:1", model())
    (tmp_path / "store" / "blobs").rename(tmp_path / "disk")
    (tmp_path / "store" / "blobs").symlink_to(tmp_path / "disk")

    assert [None] == [file.problem for file in look(tmp_path / "store").files]


def test_a_missing_blob_is_a_model_with_a_problem(tmp_path: Path) -> None:
    ollama_manifest(tmp_path, "registry.ollama.ai/library/m/1", [("model", "sha256:" + "a" * 64)])

    assert [("m:1", "no such file or directory")] == [
        (file.name, file.problem) for file in look(tmp_path).files
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"layers": 5}',
        b'{"layers": [{"mediaType": 5}]}',
        b'{"layers": [{"digest": "\xff"}]}',
        b'{"layers":' + b"[" * 20_000,
        b" " * (1 << 20) + b"{}",
    ],
    ids=range(8),
)
def test_a_manifest_that_is_none_is_told_and_hides_nothing(tmp_path: Path, content: bytes) -> None:
    ollama_model(tmp_path, "good:1", model())
    bad = tmp_path / "manifests/registry.ollama.ai/library/bad/1"
    bad.parent.mkdir(parents=True)
    bad.write_bytes(content)

    found = look(tmp_path)

    assert ["good:1"] == [file.name for file in found.files]
    assert [f"{bad}: no manifest"] == found.problems


def test_a_pipe_in_the_place_of_a_manifest_does_not_block(tmp_path: Path) -> None:
    folder = tmp_path / "manifests/registry.ollama.ai/library/bad"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "1")

    assert [f"{folder}/1: no manifest"] == look(tmp_path).problems


def test_downloads_that_have_not_ended_are_named(tmp_path: Path) -> None:
    ollama_model(tmp_path, "good:1", model())
    placed(tmp_path / "blobs" / f"sha256-{'b' * 64}-partial", bytes(2 * 1024 * 1024))
    placed(tmp_path / "blobs" / f"sha256-{'b' * 64}-partial-0", b"notes")

    assert ["ollama: a download has not ended, 2.0M so far"] == look(tmp_path).unfinished


def test_names_of_manifests_are_made_plain(tmp_path: Path) -> None:
    digest = ollama_blob(tmp_path, model())
    hostile = os.fsdecode(b"registry.ollama.ai/library/\x1b]0;x\x07evil\xff/1")
    ollama_manifest(tmp_path, hostile, [("model", digest)])

    (file,) = look(tmp_path).files

    assert "evil :1" == file.alias
    assert file.alias.isprintable()
