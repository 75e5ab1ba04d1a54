"""Models taken off real trees, in every store: what goes is gone, and nothing else is."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.gguf.catalog import GgufCatalog
from ggtui.core.errors import RemovalRefused
from ggtui.core.models import LaunchOptions
from ggtui.core.stores import StoreKind, StoreRoot
from tests.adapters.gguf.stores.layouts import hub_repository, model, ollama_model, placed

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.core.removal import RemovalPlan


class Tree:
    """A home with folders and stores, and the catalog over them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.models, self.hub = home / "models", home / "hub"
        self.ollama, self.lms = home / "ollama", home / "lms"
        for folder in (self.models, self.hub, self.ollama, self.lms, home / "data"):
            folder.mkdir()
        stores = [
            StoreRoot(StoreKind.HUGGING_FACE, self.hub),
            StoreRoot(StoreKind.LM_STUDIO, self.lms),
            StoreRoot(StoreKind.OLLAMA, self.ollama),
        ]
        self._stores = stores

    def catalog(self) -> GgufCatalog:
        return GgufCatalog(
            self.home / "data" / "catalog.sqlite3", [self.models], LaunchOptions(), self._stores
        )

    def names(self) -> set[str]:
        """Every file and link there is, beside the database."""
        data = self.home / "data"
        return {
            str((Path(folder) / file).relative_to(self.home))
            for folder, _, files in os.walk(self.home)
            for file in files
            if Path(folder) != data
        }

    def removed(
        self, name: str = "", between: Callable[[], object] = lambda: None
    ) -> tuple[RemovalPlan, set[str]]:
        """The plan for a model, the only one without a name, and the files that went.

        between: what happens after the plan was shown.
        """
        before = self.names()
        plan = asyncio.run(self._remove(name, between))
        return plan, before - self.names()

    async def _remove(self, name: str, between: Callable[[], object]) -> RemovalPlan:
        catalog = self.catalog()
        try:
            await catalog.refresh()
            models = await catalog.list_models()
            (wanted,) = [each for each in models if name in (each.public_id, "")]
            plan = await catalog.plan_removal(wanted.id)
            assert plan is not None
            between()
            if not plan.refusal:
                await catalog.remove(plan)
            return plan
        finally:
            await catalog.close()


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_a_file_goes_alone(tree: Tree) -> None:
    size = placed(tree.models / "sub" / "a.gguf", model("a")).stat().st_size
    placed(tree.models / "sub" / "b.gguf", model("b"))
    placed(tree.models / "sub" / "a.gguf.txt", b"notes")
    plan, gone = tree.removed("a-f32")

    assert ({"models/sub/a.gguf"}, size) == (gone, plan.freed_bytes)


def test_all_shards_go(tree: Tree) -> None:
    for number in (1, 2, 4):
        placed(tree.models / f"a-0000{number}-of-00004.gguf", model("a", data=bytes(number)))
    placed(tree.models / "b-00001-of-00002.gguf", model("b"))
    plan, gone = tree.removed("a-f32")

    assert {f"models/a-0000{number}-of-00004.gguf" for number in (1, 2, 4)} == gone
    assert 3 == len(plan.files)


def test_a_hub_model_goes_with_its_blob_and_its_neighbour_stays(tree: Tree) -> None:
    folder = hub_repository(
        tree.hub, "o/r", {"a.gguf": model("a"), "b.gguf": model("b"), "README.md": b"text"}
    )
    blob = os.path.realpath(folder / "snapshots" / folder.joinpath("refs/main").read_text() / "a.gguf")
    plan, gone = tree.removed("a-f32")

    assert {os.path.relpath(blob, tree.home), "a.gguf"} == {
        path if "blobs" in path else Path(path).name for path in gone
    }
    assert plan.freed_bytes > 0


def test_a_blob_that_another_revision_links_stays(tree: Tree) -> None:
    content = {"a.gguf": model("a")}
    hub_repository(tree.hub, "o/r", {"weights.bin": model("a")}, "f" * 40, is_main=False)
    hub_repository(tree.hub, "o/r", content)
    plan, gone = tree.removed()

    assert ["a.gguf"] == [Path(path).name for path in gone]
    assert 0 == plan.freed_bytes
    assert "weights.bin" in plan.kept[0]


def test_a_sharded_hub_model_goes_whole(tree: Tree) -> None:
    files = {f"Q4/a-0000{n}-of-00002.gguf": model("a", data=bytes(n)) for n in (1, 2)}
    hub_repository(tree.hub, "o/r", files)
    plan, gone = tree.removed()

    assert 4 == len(gone) == len(plan.files)


def test_models_of_ollama_and_lm_studio_stay(tree: Tree) -> None:
    ollama_model(tree.ollama, "tiny:1b", model("o"))
    placed(tree.lms / "p" / "r" / "l.gguf", model("l"))
    one, gone = tree.removed("tiny-1b-f32")
    other, gone_too = tree.removed("l-f32")

    assert (set(), set()) == (gone, gone_too)
    assert ["ollama rm tiny:1b", True] == [one.hint, "LM Studio" in other.hint]


def test_a_link_into_another_store_goes_alone(tree: Tree) -> None:
    blob = placed(tree.lms / "p" / "r" / "l.gguf", model("l"))
    (tree.models / "mine.gguf").symlink_to(blob)
    plan, gone = tree.removed()

    assert {"models/mine.gguf"} == gone
    assert (0, True) == (plan.freed_bytes, "l.gguf" in plan.kept[0])


def test_a_file_that_another_store_links_stays(tree: Tree) -> None:
    own = placed(tree.models / "a.gguf", model("a"))
    (tree.lms / "p" / "r").mkdir(parents=True)
    (tree.lms / "p" / "r" / "a.gguf").symlink_to(own)
    plan, gone = tree.removed()

    assert (set(), True) == (gone, "lms/p/r/a.gguf" in plan.refusal)


def test_a_hard_link_stays(tree: Tree) -> None:
    own = placed(tree.models / "a.gguf", model("a"))
    os.link(own, tree.home / "elsewhere.bin")
    plan, gone = tree.removed()

    assert (set(), True) == (gone, "2 names" in plan.refusal)


def test_a_link_out_of_the_folder_goes_alone(tree: Tree) -> None:
    outside = placed(tree.home / "outside" / "a.gguf", model("a"))
    (tree.models / "a.gguf").symlink_to(outside)
    (tree.models / "folder").symlink_to(outside.parent)
    plan, gone = tree.removed()

    assert gone <= {"models/a.gguf"}
    assert outside.exists()
    assert plan.kept or plan.refusal


def test_a_file_in_a_folder_behind_a_link_stays(tree: Tree) -> None:
    placed(tree.home / "outside" / "a.gguf", model("a"))
    (tree.models / "folder").symlink_to(tree.home / "outside")
    plan, gone = tree.removed()

    assert (set(), True) == (gone, "lies outside" in plan.refusal)


def test_a_copy_elsewhere_is_named_and_stays(tree: Tree) -> None:
    placed(tree.models / "a.gguf", model("a"))
    ollama_model(tree.ollama, "tiny:1b", model("a"))
    plan, gone = tree.removed()

    assert {"models/a.gguf"} == gone
    assert ("a copy stays: ollama tiny:1b",) == plan.kept


def test_an_unreadable_file_may_go(tree: Tree) -> None:
    placed(tree.models / "a.gguf", b"<html>not found</html>")
    _, gone = tree.removed()

    assert {"models/a.gguf"} == gone


def _replaced(path: Path) -> None:
    path.unlink()
    placed(path, model("another", data=b"more"))


@pytest.mark.parametrize(
    "happens",
    [
        pytest.param(lambda tree: _replaced(tree.models / "a.gguf"), id="another file"),
        pytest.param(
            lambda tree: (tree.models / "a.gguf").write_bytes(model("a", data=b"x")), id="written anew"
        ),
        pytest.param(lambda tree: (tree.models / "a.gguf").unlink(), id="gone"),
        pytest.param(lambda tree: os.link(tree.models / "a.gguf", tree.home / "b"), id="a hard link more"),
        pytest.param(
            lambda tree: (tree.models / "b.gguf").symlink_to(tree.models / "a.gguf"), id="a link more"
        ),
        pytest.param(lambda tree: tree.models.rename(tree.home / "moved"), id="its folder moved"),
    ],
)
def test_what_changed_since_it_was_shown_stays(tree: Tree, happens: Callable[[Tree], object]) -> None:
    placed(tree.models / "a.gguf", model("a"))
    seen: list[set[str]] = []

    def between() -> None:
        happens(tree)
        seen.append(tree.names())

    with pytest.raises(RemovalRefused):
        tree.removed(between=between)

    assert seen == [tree.names()]


def test_an_unknown_model_has_no_plan(tree: Tree) -> None:
    async def look() -> None:
        catalog = tree.catalog()
        assert await catalog.plan_removal(99) is None
        await catalog.close()

    asyncio.run(look())
