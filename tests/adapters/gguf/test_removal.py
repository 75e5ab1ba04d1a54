"""What may go and what stays, as arithmetic; and on trees of every store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.gguf.removal import Seen, SeenFile, SeenName, SeenRoot, removal_plan
from ggtui.core.stores import StoreKind

if TYPE_CHECKING:
    from ggtui.core.removal import RemovalPlan

HUB_FOLDER = "/hub/models--o--r/snapshots/abc"
BLOB = "/hub/models--o--r/blobs/1234"
ROOTS = (
    SeenRoot("/models", "/models"),
    SeenRoot("/hub", "/hub", StoreKind.HUGGING_FACE),
    SeenRoot("/ollama", "/ollama", StoreKind.OLLAMA),
    SeenRoot("/lms", "/lms", StoreKind.LM_STUDIO),
)


def file(path: str = "/models/a.gguf", inode: int = 1, size: int = 1000) -> SeenFile:
    return SeenFile(path, (1, inode, size, 5))


def plain_name(target: SeenFile, path: str = "") -> SeenName:
    path = path or target.path
    return SeenName(path, path.rpartition("/")[0], target.stamp, target)


def link(path: str, target: SeenFile | None, inode: int = 90) -> SeenName:
    return SeenName(path, path.rpartition("/")[0], (1, inode, 20, 6), target, is_link=True)


def plan(*own: SeenName, also: tuple[SeenName, ...] = (), roots: tuple[SeenRoot, ...] = ROOTS) -> RemovalPlan:
    return removal_plan(1, "a", Seen(own, (*own, *also), roots))


def gone(found: RemovalPlan) -> list[str]:
    return [each.path for each in found.files]


A = file()
BLOB_FILE = file(BLOB, 7)
HUB_LINK = link(f"{HUB_FOLDER}/a.gguf", BLOB_FILE)


def test_a_plain_file_goes_whole() -> None:
    found = plan(plain_name(A))

    assert (["/models/a.gguf"], 1000, (), "") == (gone(found), found.freed_bytes, found.kept, found.refusal)


def test_all_shards_go_or_none() -> None:
    shards = [file(f"/models/a-0000{n}-of-00003.gguf", n) for n in (1, 2, 3)]
    names = [plain_name(each) for each in shards]
    found = plan(*names)
    broken = plan(names[0], replace(names[1], target=replace(shards[1], n_names=2)), names[2])

    assert ([each.path for each in shards], 3000) == (gone(found), found.freed_bytes)
    assert ([], True) == (gone(broken), bool(broken.refusal))


def test_a_hub_link_goes_with_its_blob() -> None:
    found = plan(HUB_LINK)

    assert ([HUB_LINK.path, BLOB], 1000) == (gone(found), found.freed_bytes)
    assert [True, False] == [each.is_link for each in found.files]


def test_a_blob_of_another_revision_stays() -> None:
    other = link("/hub/models--o--r/snapshots/def/other-name.bin", BLOB_FILE, 91)
    found = plan(HUB_LINK, also=(other,))

    assert ([HUB_LINK.path], 0) == (gone(found), found.freed_bytes)
    assert 1 == len(found.kept)
    assert BLOB in found.kept[0]
    assert "snapshots/def/other-name.bin" in found.kept[0]


@pytest.mark.parametrize(
    "target",
    [
        "/hub/models--o--other/blobs/1234",
        "/hub/models--o--r/refs/1234",
        "/hub/blobs/1234",
        "/elsewhere/1234",
        "/models/a.gguf",
    ],
)
def test_a_target_outside_of_the_repositorys_blobs_stays(target: str) -> None:
    found = plan(replace(HUB_LINK, target=file(target, 7)))

    assert [HUB_LINK.path] == gone(found)
    assert "lies outside" in found.kept[0]


def test_a_hub_file_without_links_goes() -> None:
    found = plan(plain_name(file(f"{HUB_FOLDER}/a.gguf")))

    assert [f"{HUB_FOLDER}/a.gguf"] == gone(found)


def test_a_link_to_a_file_outside_goes_alone() -> None:
    found = plan(link("/models/a.gguf", file("/elsewhere/a.gguf")))

    assert (["/models/a.gguf"], 0) == (gone(found), found.freed_bytes)
    assert ("/elsewhere/a.gguf stays: it lies outside of the place that the link is in",) == found.kept


def test_a_link_within_its_place_takes_its_target_along() -> None:
    found = plan(link("/models/a.gguf", file("/models/data/a.bin")))

    assert (["/models/a.gguf", "/models/data/a.bin"], 1000) == (gone(found), found.freed_bytes)


def test_a_target_that_is_listed_itself_stays() -> None:
    found = plan(link("/models/a.gguf", A), also=(plain_name(A, "/models/b.gguf"),))

    assert ["/models/a.gguf"] == gone(found)


def test_a_target_of_another_store_stays() -> None:
    nested = (*ROOTS, SeenRoot("/models/hub", "/models/hub", StoreKind.HUGGING_FACE))
    blob = file("/models/hub/models--o--r/blobs/1")

    assert ["/models/a.gguf"] == gone(plan(link("/models/a.gguf", blob), roots=nested))


@pytest.mark.parametrize(
    "change",
    [{"n_names": 2}, {"is_regular": False}, {"is_writable": False}],
    ids=lambda change: next(iter(change)),
)
def test_a_target_that_cannot_go_stays(change: dict[str, int]) -> None:
    target = replace(file("/models/data/a.bin"), **change)  # type: ignore[arg-type]
    found = plan(link("/models/a.gguf", target))

    assert (["/models/a.gguf"], 1) == (gone(found), len(found.kept))


def test_a_target_behind_two_links_stays() -> None:
    name = replace(link("/models/a.gguf", file("/models/data/a.bin")), is_direct=False)

    assert ["/models/a.gguf"] == gone(plan(name))


def test_a_link_that_leads_nowhere_goes() -> None:
    assert ["/models/a.gguf"] == gone(plan(link("/models/a.gguf", None)))


def test_a_file_that_others_lead_to_is_refused() -> None:
    others = tuple(link(f"/lms/p/r/{n}.gguf", A, 90 + n) for n in range(5))
    found = plan(plain_name(A), also=others)

    assert [] == gone(found)
    assert "/lms/p/r/0.gguf" in found.refusal
    assert "and 2 more" in found.refusal


def test_the_same_name_by_two_paths_is_no_other_place() -> None:
    roots = (*ROOTS, SeenRoot("/alias", "/models"))
    alias = replace(plain_name(A), path="/alias/a.gguf")

    assert ["/models/a.gguf"] == gone(plan(plain_name(A), also=(alias,), roots=roots))


def test_a_hard_link_is_refused() -> None:
    found = plan(plain_name(replace(A, n_names=2)))

    assert ([], True) == (gone(found), "2 names" in found.refusal)


def test_a_blob_of_ollama_is_for_ollama() -> None:
    blob = file("/ollama/blobs/sha256-1")
    named = [
        replace(plain_name(blob), store=StoreKind.OLLAMA, title=title)
        for title in ("llama3.2:1b", "llama3.2:latest")
    ]
    found = removal_plan(1, "a", Seen((plain_name(blob),), tuple(named), ROOTS))

    assert ([], "its file belongs to Ollama") == (gone(found), found.refusal)
    assert "ollama rm llama3.2:1b; ollama rm llama3.2:latest" == found.hint


def test_a_file_that_ollama_leads_to_stays() -> None:
    blob = replace(link("/ollama/blobs/sha256-1", A), store=StoreKind.OLLAMA)
    found = plan(plain_name(A), also=(blob,))

    assert ([], True) == (gone(found), "/ollama/blobs/sha256-1" in found.refusal)


def test_a_file_of_lm_studio_is_for_lm_studio() -> None:
    found = plan(plain_name(file("/lms/p/r/a.gguf")))
    behind_a_link = plan(
        replace(plain_name(A), folder="/lms/p/r", target=file("/lms/p/r/a.gguf")),
    )

    assert ([], "its file belongs to LM Studio") == (gone(found), found.refusal)
    assert "LM Studio" in found.hint
    assert ([], found.refusal) == (gone(behind_a_link), behind_a_link.refusal)


def test_what_lies_outside_is_refused() -> None:
    behind_a_link = replace(plain_name(A), folder="/elsewhere")
    for name in (
        plain_name(file("/elsewhere/a.gguf")),
        behind_a_link,
        plain_name(file("/models-too/a.gguf")),
    ):
        found = plan(name)

        assert ([], True) == (gone(found), "lies outside" in found.refusal)


def test_a_folder_without_permission_is_refused() -> None:
    found = plan(replace(plain_name(A), is_writable=False))

    assert ([], True) == (gone(found), "no permission" in found.refusal)


def test_a_file_that_is_none_is_refused() -> None:
    assert [] == gone(plan(plain_name(replace(A, is_regular=False))))


def test_nothing_is_removed_where_not_all_could_be_seen() -> None:
    found = removal_plan(1, "a", Seen((plain_name(A),), (), ROOTS, is_whole=False))

    assert ([], True) == (gone(found), bool(found.refusal))
    assert removal_plan(1, "a", Seen((), (), ROOTS)).refusal


def test_copies_are_named() -> None:
    found = removal_plan(1, "a", Seen((plain_name(A),), (), ROOTS, copies=("ollama x:1b",)))

    assert ("a copy stays: ollama x:1b",) == found.kept
