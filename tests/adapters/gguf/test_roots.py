"""Places that do not exist, cannot be read, or are two things at once; and when they are looked at again."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.gguf.roots import Root, has_changed, roots_of
from ggtui.core.stores import STORES, StoreKind, StoreRoot
from tests.adapters.gguf.stores.layouts import hub_repository, model, ollama_model, placed

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65_534


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Root may read everything, so it steps back for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("store", STORES)
def test_a_store_that_does_not_exist_is_no_problem(tmp_path: Path, store: StoreKind) -> None:
    found = Root(str(tmp_path / "absent"), store).walk()

    assert (True, [], []) == (found.is_absent, found.problems, found.files)


@pytest.mark.parametrize("store", STORES)
def test_a_store_that_may_not_be_read_is_one_line_with_the_reason(
    open_folder: Path, store: StoreKind
) -> None:
    root = open_folder / "store"
    root.mkdir()
    root.chmod(0)
    with as_ordinary_user():
        found = Root(str(root), store).walk()

    assert [f"{root}: permission denied"] == found.problems[:1]
    assert not found.is_absent


def test_a_store_behind_a_closed_door_is_told_too(open_folder: Path) -> None:
    """As /usr/share/ollama is for everybody but its owner."""
    root = open_folder / "ollama" / "models"
    root.mkdir(parents=True)
    root.parent.chmod(0)
    with as_ordinary_user():
        found = Root(str(root), StoreKind.OLLAMA).walk()
    root.parent.chmod(0o755)

    assert ([f"{root}: permission denied"], False) == (found.problems, found.is_absent)


def test_a_closed_part_hides_nothing_else(open_folder: Path) -> None:
    hub_repository(open_folder, "acme/open", {"a.gguf": model("a")})
    closed = hub_repository(open_folder, "acme/closed", {"b.gguf": model("b")})
    placed(open_folder / "models--acme--one" / "snapshots" / "r" / "c.gguf").chmod(0)
    os.chmod(closed / "snapshots", 0)
    with as_ordinary_user():
        found = Root(str(open_folder), StoreKind.HUGGING_FACE).walk()

    assert {"a.gguf", "c.gguf"} == {file.name for file in found.files}
    assert [f"{closed}/snapshots: permission denied"] == found.problems


def test_folders_come_first_and_a_folder_that_is_a_store_is_read_as_one(tmp_path: Path) -> None:
    stores = [
        StoreRoot(StoreKind.HUGGING_FACE, tmp_path / "hub"),
        StoreRoot(StoreKind.LLAMA_CPP, tmp_path / "hub"),
        StoreRoot(StoreKind.OLLAMA, tmp_path / "ollama"),
    ]

    assert [
        ("ollama", StoreKind.OLLAMA),
        ("mine", StoreKind.FOLDER),
        ("hub", StoreKind.HUGGING_FACE),
    ] == [
        (os.path.basename(root.path), root.store)
        for root in roots_of([tmp_path / "ollama", tmp_path / "mine"], stores)
    ]


def test_a_walk_that_was_made_long_after_the_last_change_is_still_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed(tmp_path / "a" / "m.gguf")
    monkeypatch.setattr("ggtui.adapters.gguf.found.SETTLED_NS", 0)
    found = Root(str(tmp_path)).walk()

    assert not has_changed(found)
    placed(tmp_path / "a" / "n.gguf")
    assert has_changed(found)


def test_a_walk_right_after_a_change_is_made_again(tmp_path: Path) -> None:
    """Another change within the same tick of the clock would leave no trace."""
    placed(tmp_path / "m.gguf")

    assert has_changed(Root(str(tmp_path)).walk())


@pytest.mark.parametrize("store", [StoreKind.FOLDER, StoreKind.OLLAMA])
def test_a_place_that_appears_is_a_change(
    tmp_path: Path, store: StoreKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ggtui.adapters.gguf.found.SETTLED_NS", 0)
    found = Root(str(tmp_path / "later"), store).walk()

    assert not has_changed(found)
    (tmp_path / "later").mkdir()
    assert has_changed(found)


def test_a_right_that_is_given_is_a_change(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ggtui.adapters.gguf.found.SETTLED_NS", 0)
    (open_folder / "a").mkdir(mode=0)
    with as_ordinary_user():
        found = Root(str(open_folder)).walk()
    (open_folder / "a").chmod(0o755)

    assert [f"{open_folder}/a: permission denied"] == found.problems
    assert has_changed(found)


def test_a_new_tag_of_ollama_is_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ollama_model(tmp_path, "m:1", model())
    monkeypatch.setattr("ggtui.adapters.gguf.found.SETTLED_NS", 0)
    found = Root(str(tmp_path), StoreKind.OLLAMA).walk()

    assert not has_changed(found)
    ollama_model(tmp_path, "m:2", model("2"))
    assert has_changed(found)
