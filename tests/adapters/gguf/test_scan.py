"""Walks through folders: depth, links, hostile names, shards."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.gguf import found as found_module
from ggtui.adapters.gguf.found import merged, models_of
from ggtui.adapters.gguf.roots import Root
from ggtui.adapters.gguf.scan import read_facts
from tests.adapters.gguf import raw
from tests.models import tiny_model

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.adapters.gguf.found import FoundModel, Walk

SOUND = raw.header(raw.LLAMA_KEYS)


def place(path: Path, content: bytes = SOUND) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def walk(folder: Path) -> Walk:
    return Root(str(folder)).walk()


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in walk(folder).files)


def models(folder: Path) -> list[FoundModel]:
    return merged(models_of(walk(folder).files))


def test_files_at_any_depth_are_found_and_hidden_ones_are_not(tmp_path: Path) -> None:
    for name in ("a.gguf", "x/y/z/b.GGUF", ".hidden.gguf", ".no_exist/c.gguf", "notes.txt"):
        place(tmp_path / name)

    assert ["a.gguf", "b.GGUF"] == names(tmp_path)


def test_a_cycle_of_links_ends(tmp_path: Path) -> None:
    place(tmp_path / "a" / "m.gguf")
    (tmp_path / "a" / "back").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")

    assert ["m.gguf"] == names(tmp_path)


def test_a_file_reached_twice_is_found_once_under_its_first_name(tmp_path: Path) -> None:
    blob = place(tmp_path / "blobs" / "sha256")
    for revision in ("r1", "r2"):
        (tmp_path / revision).mkdir()
        (tmp_path / revision / "m.gguf").symlink_to(blob)

    found = walk(tmp_path)
    (model,) = merged(models_of(found.files))

    assert (1, 2) == (found.n_files, len(found.files))
    assert (str(tmp_path / "r1" / "m.gguf"), str(blob)) == (model.first.path, model.first.canonical)
    assert [f"folder {tmp_path}/r1", f"folder {tmp_path}/r2"] == [place.words for place in model.places]


def test_a_link_that_leads_nowhere_is_a_model_with_a_problem(tmp_path: Path) -> None:
    (tmp_path / "lost.gguf").symlink_to(tmp_path / "absent")

    (model,) = models(tmp_path)

    assert "no such file or directory" == read_facts(model).problem


def test_a_folder_that_cannot_be_read_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    place(tmp_path / "good" / "m.gguf")
    (tmp_path / "file").write_text("")

    assert [f"{tmp_path}/absent: no such file or directory"] == walk(tmp_path / "absent").problems
    assert [f"{tmp_path}/file: not a directory"] == walk(tmp_path / "file").problems
    assert ["m.gguf"] == names(tmp_path / "good")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_told(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)

    assert [f"{locked}: permission denied"] == walk(tmp_path).problems


def test_depth_and_count_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place(tmp_path / "/".join("d" * 30) / "deep.gguf")
    monkeypatch.setattr(found_module, "MOST_FILES", 3)
    for index in range(5):
        place(tmp_path / f"f{index}" / "m.gguf")

    found = walk(tmp_path)

    assert 3 == len(found.files)
    assert [f"{tmp_path}/f2: too many files or folders, the rest is left out"] == found.problems
    assert "deep.gguf" not in {file.name for file in found.files}


def test_a_walk_can_be_stopped(tmp_path: Path) -> None:
    place(tmp_path / "m.gguf")

    assert [] == Root(str(tmp_path)).walk(lambda: True).files


def test_names_that_are_no_text_are_read_and_shown_plain(tmp_path: Path) -> None:
    hostile = [b"esc\x1b]0;x\x07.gguf", b"line\nfeed.gguf", b"bad\xff.gguf", "rtl\u202e.gguf".encode()]
    for name in hostile:
        place(tmp_path / os.fsdecode(name))

    shown = sorted(read_facts(model).name for model in models(tmp_path))

    assert ["bad", "esc", "line feed", "rtl"] == shown


def test_a_device_or_a_pipe_is_a_model_with_a_problem(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")

    (model,) = models(tmp_path)

    assert "not a regular file" == read_facts(model).problem


def shards(folder: Path, *numbers: int, count: int = 3) -> list[Path]:
    first = raw.header(raw.LLAMA_KEYS, [raw.tensor()], data=bytes(128))
    later = raw.header([raw.u32("split.no", 1)], [raw.tensor()], data=bytes(128))
    return [
        place(folder / f"big-Q4_0-{number:05}-of-{count:05}.gguf", first if number == 1 else later)
        for number in numbers
    ]


def test_shards_are_one_model_in_their_order(tmp_path: Path) -> None:
    paths = shards(tmp_path, 3, 1, 2)

    (model,) = models(tmp_path)
    facts = read_facts(model)

    assert sorted(map(str, paths)) == [file.path for file in model.files]
    assert sum(path.stat().st_size for path in paths) == model.size_bytes
    assert (None, 96, "Q4_0", "big-Q4_0") == (facts.problem, facts.n_params, facts.quantisation, facts.name)


def test_missing_shards_are_named(tmp_path: Path) -> None:
    shards(tmp_path, 1, 4, count=5)

    (model,) = models(tmp_path)

    assert "shard 2, 3, 5 of 5 is missing" == read_facts(model).problem


def test_a_missing_first_shard_is_named(tmp_path: Path) -> None:
    shards(tmp_path, 2, 3)

    (model,) = models(tmp_path)

    assert "shard 1 of 3 is missing" == read_facts(model).problem


def test_a_broken_or_cut_shard_is_named(tmp_path: Path) -> None:
    _, second, third = shards(tmp_path, 1, 2, 3)
    (model,) = models(tmp_path)
    second.write_bytes(b"<html>" * 10)
    broken = read_facts(model).problem
    shards(tmp_path, 2)
    os.truncate(third, third.stat().st_size - 64)

    assert "shard 2 of 3: not a GGUF file" == broken
    assert "shard 3 of 3 is an incomplete download" == read_facts(model).problem


def test_shards_of_two_models_are_kept_apart(tmp_path: Path) -> None:
    shards(tmp_path / "a", 1, 2, count=2)
    shards(tmp_path / "b", 1, 2, count=2)
    shards(tmp_path / "b", 1, 2, 3, count=3)

    assert [2, 2, 3] == sorted(len(model.files) for model in models(tmp_path))


def test_a_tiny_model_has_no_problem(tmp_path: Path) -> None:
    tiny_model(tmp_path / "tiny.gguf")

    (model,) = models(tmp_path)

    assert read_facts(model).problem is None
