"""Names on the hub, and the files of a repository."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.remote import hub as hub_module
from ggtui.adapters.remote.access import Access
from ggtui.adapters.remote.address import Address
from ggtui.adapters.remote.hub import HubFile, HubName, file_address, gguf_files
from ggtui.core.errors import Failure, RemoteRefused, RemoteUnreachable
from tests.web import Asked, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.adapters.remote.conftest import Look

    Start = Callable[[Callable[[Asked], Reply]], Look]

HUB = Access(Address.parse("https://huggingface.co"))
NAME = HubName("o", "r")


@pytest.mark.parametrize(
    ("text", "name", "url"),
    [
        ("hf:o/r/m.gguf", HubName("o", "r", "m.gguf"), "/o/r/resolve/main/m.gguf"),
        ("HF:o/r/m.GGUF", HubName("o", "r", "m.GGUF"), "/o/r/resolve/main/m.GGUF"),
        ("hf:o/r/m.gguf@v1", HubName("o", "r", "m.gguf", "v1"), "/o/r/resolve/v1/m.gguf"),
        ("hf:o/r/d/a b.gguf@refs/pr/1", HubName("o", "r", "d/a b.gguf", "refs/pr/1"),
         "/o/r/resolve/refs%2Fpr%2F1/d/a%20b.gguf"),
        ("hf:o/r/a@b.gguf", HubName("o", "r", "a@b.gguf"), "/o/r/resolve/main/a%40b.gguf"),
        ("hf:o/r/a.gguf-x.gguf@y", HubName("o", "r", "a.gguf-x.gguf", "y"), "/o/r/resolve/y/a.gguf-x.gguf"),
    ],
)  # fmt: skip
def test_a_name_of_a_file_becomes_its_address(text: str, name: HubName, url: str) -> None:
    assert name == HubName.parse(text)
    assert f"https://huggingface.co:443{url}" == file_address(text, HUB).url


def test_a_repository_has_no_path() -> None:
    assert HubName("o", "r") == HubName.parse("hf:o/r")
    assert HubName("o", "r.gguf", None, "dev") == HubName.parse("hf:o/r.gguf@dev")
    assert "hf:o/r/m.gguf@dev" == str(HubName("o", "r", "m.gguf", "dev"))


@pytest.mark.parametrize(
    "text",
    ["hf:", "hf:o", "hf:o/", "hf:/r", "hf:o/r/", "hf:o/r/m.bin", "hf:o/../m.gguf", "hf:o/r/../m.gguf",
     "hf:.o/r", "hf:o/r@", "hf:o/r/\x1b.gguf", "hf:o/r/m.gguf@\n", "hf:o r/x", "hf:" + "o" * 97 + "/r"],
)  # fmt: skip
def test_anything_else_is_no_name(text: str) -> None:
    with pytest.raises(RemoteRefused):
        HubName.parse(text)


def test_the_page_of_a_file_means_the_file() -> None:
    page = "https://huggingface.co/o/r/blob/main/d/m.gguf?x=1"

    assert "/o/r/resolve/main/d/m.gguf?x=1" == file_address(page, HUB).target
    assert "/o/r/blob/m.gguf" == file_address("https://other.example/o/r/blob/m.gguf", HUB).target


def test_an_address_of_another_kind_of_file_is_refused() -> None:
    with pytest.raises(RemoteRefused, match=r"no address of a \.gguf file"):
        file_address("https://huggingface.co/o/r", HUB)


def row(path: str, size: int = 10, **more: Any) -> dict[str, Any]:
    return {"type": "file", "path": path, "size": size, **more}


def listed(look: Start, *pages: object) -> Look:
    """The hub, with a listing of these pages."""

    def serve(asked: Asked) -> Reply:
        number = int(asked.path.partition("cursor=")[2] or 0)
        page = pages[number]
        following = f"/api/models/o/r/tree/main?cursor={number + 1}"
        link = {"Link": f'<{one.web.url}{following}>; rel="next"'} if number + 1 < len(pages) else {}
        return Reply(200, link, page if isinstance(page, bytes) else json.dumps(page).encode())

    one = look(serve)
    one.with_token()
    return one


def read(look: Look) -> list[HubFile]:
    return gguf_files(NAME, look.access, look.budget)


def refused(look: Look) -> Failure:
    with pytest.raises(Failure) as caught:
        read(look)
    return caught.value


def test_a_listing_gives_the_gguf_files_of_all_its_pages(look: Start) -> None:
    first = [row("z.gguf", 5), {"type": "directory", "path": "d.gguf"}, row("README.md")]
    second = [row("d/a.GGUF", 1, lfs={"size": 1 << 40, "oid": "x"})]
    one = listed(look, first, second)

    assert [HubFile("d/a.GGUF", 1 << 40), HubFile("z.gguf", 5)] == read(one)
    assert "/api/models/o/r/tree/main?recursive=1" == one.web.asked[0].path
    assert ["Bearer hf_secret"] * 2 == [asked.headers.get("authorization") for asked in one.web.asked]


@pytest.mark.parametrize(
    "bad",
    [
        None, 7, [], {}, row("/m.gguf"), row("../m.gguf"), row("a/../../m.gguf"), row("a\\m.gguf"),
        row("m.gguf", -1), row("m.gguf", 1 << 63), row("m.gguf", True), row("m.gguf", lfs={"size": "1"}),
        row("\x1b[31m.gguf"), row("x" * 600 + ".gguf"), {"type": "file", "path": "m.gguf"},
        {"type": "file", "size": 1, "path": ["m.gguf"]},
    ],
)  # fmt: skip
def test_a_row_of_nonsense_is_left_out(look: Start, bad: object) -> None:
    assert [HubFile("m2.gguf", 10)] == read(listed(look, [bad, row("m2.gguf")]))


@pytest.mark.parametrize("page", [b"", b"<html>", b"{}", b"null", b"[" * 100_000, b"\xff\xfe"])
def test_a_page_of_nonsense_is_refused(look: Start, page: bytes) -> None:
    assert "does not answer as the hub does" in refused(listed(look, page)).message


def test_a_page_that_is_too_long_is_refused(look: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "LARGEST_PAGE", 1000)

    assert "answers with too much" in refused(listed(look, [row("m.gguf")] * 100)).message


def test_a_listing_without_end_is_given_up(look: Start) -> None:
    one = listed(look, *[[row(f"{number}.gguf")] for number in range(100)])

    assert "too many files" in refused(one).message
    assert hub_module.MOST_PAGES == len(one.web.asked)


def test_too_many_files_are_not_listed(look: Start) -> None:
    assert "too many files" in refused(listed(look, [row(f"{n}.gguf") for n in range(2001)])).message


def test_a_listing_does_not_go_on_elsewhere(look: Start) -> None:
    other = look(lambda _: Reply(body=b"[]"))
    one = look(lambda _: Reply(200, {"Link": f'<{other.web.url}/x>; rel="next"'}, b"[]"))
    one.with_token()

    assert "has its listing go on elsewhere" in refused(one).message
    assert [] == other.web.asked


@pytest.mark.parametrize(
    ("status", "word", "text"),
    [
        (401, "RepoNotFound", "no such repository, or it is not for everyone"),
        (404, "RepoNotFound", "no such repository"),
        (404, "RevisionNotFound", "no such revision"),
        (403, "GatedRepo", "only to those who may"),
    ],
)
def test_a_repository_that_is_not_told_is_refused(look: Start, status: int, word: str, text: str) -> None:
    one = look(lambda _: Reply(status, {"X-Error-Code": word}))
    one.with_token("")

    failure = refused(one)

    assert text in failure.message
    assert not isinstance(failure, RemoteUnreachable)
