"""What befalls a file on its way: breaks, other files than the one meant, and servers that refuse."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.remote.downloads import part as part_module
from ggtui.core.errors import CatalogFailure, FileCorrupt, RemoteRefused, RemoteUnreachable
from tests.adapters.remote.downloads.conftest import MODEL, NAME, gguf, sha256

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.remote.downloads.conftest import Desk

HALF = 1_500_000
PAGE = "<!DOCTYPE html><title>Sign in</title>" + " " * 200
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 3000000\n"


def test_a_break_is_gone_on_with_at_once(desk: Desk) -> None:
    content = gguf()
    desk.hub.repository(NAME, {MODEL: content})
    desk.hub.script("content", MODEL, {"cut_after": HALF}, {"cut_after": 100})

    desk.fetch()

    assert content == desk.found()
    assert [None, f"bytes={HALF}-", f"bytes={HALF + 100}-"] == desk.ranges()
    assert len(content) == desk.hub.n_sent(MODEL) == desk.told.n_allowed


def test_a_download_that_was_ended_goes_on_where_it_was(desk: Desk) -> None:
    content = gguf()
    desk.broken_off(HALF, content)

    desk.fetch()

    asked = desk.hub.requests("content")[-1]["headers"]
    assert f"bytes={HALF}-" == asked["range"]
    assert asked["if-range"].strip('"') not in ("", sha256(content))
    assert content == desk.found()
    assert {sha256(content): len(content)} == desk.blobs()


@pytest.mark.parametrize(
    "answer",
    [
        {"ignore_range": True},
        {"status": 416},
        {"etag": '"another"'},
        {"content_range": f"bytes 5-2999999/{3_000_000}"},
        {"content_range": f"bytes {HALF}-2999999/4000000"},
        {"content_range": "nonsense"},
        {"content_range": ""},
    ],
)
def test_a_server_that_goes_on_with_something_else_is_asked_for_all_of_it(
    desk: Desk, answer: dict[str, Any]
) -> None:
    content = gguf()
    desk.broken_off(HALF, content)
    desk.hub.script("content", MODEL, answer)

    desk.fetch()

    assert content == desk.found()
    assert f"bytes={HALF}-" == desk.ranges()[1]
    assert len(content) == desk.told.n_allowed


def test_a_changed_file_is_told_by_if_range(desk: Desk) -> None:
    """The server itself answers with the whole, because what is here is of another ETag."""
    content = gguf()
    desk.broken_off(HALF, content)
    (side,) = (desk.repository / "blobs").glob("*.json")
    side.write_text(side.read_text().replace('"etag": "', '"etag": "0'))

    desk.fetch()

    assert content == desk.found()
    assert [200, 200] == [each["status"] for each in desk.hub.requests("content")]


@pytest.mark.parametrize("wrong_from", [0, 4, 2_999_999])
def test_wrong_bytes_are_never_kept(desk: Desk, wrong_from: int) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    desk.hub.script("content", MODEL, {"wrong_from": wrong_from})

    assert isinstance(desk.failure(), FileCorrupt)
    assert {} == desk.blobs()
    assert desk.found() is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"body": PAGE, "headers": {"Content-Type": "text/html"}}, "a web page comes in place of"),
        ({"body": PAGE}, "a web page comes in place of"),
        ({"body": POINTER}, "git's pointer"),
        ({"body": POINTER, "headers": {"Content-Length": ""}}, "git's pointer"),
        ({"body": "GGUF but too short"}, "another size"),
        ({"body": ""}, "another size"),
        ({"status": 206, "headers": {"Content-Range": "bytes 1-2/3"}}, "another part"),
    ],
)
def test_something_else_is_never_kept_as_a_model(desk: Desk, answer: dict[str, Any], words: str) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    desk.hub.script("content", MODEL, answer)

    failure = desk.failure()

    assert isinstance(failure, FileCorrupt)
    assert words in failure.message
    assert {} == desk.blobs()
    assert desk.found() is None


def test_a_page_of_the_right_size_is_no_model(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: PAGE.encode()})

    assert "a web page" in desk.failure().message
    assert {} == desk.blobs()


def test_a_page_does_not_cost_what_is_here_already(desk: Desk) -> None:
    content = gguf()
    desk.broken_off(HALF, content)
    desk.hub.script("content", MODEL, {"body": PAGE})

    assert isinstance(desk.failure(), FileCorrupt)
    desk.fetch()

    assert content == desk.found()
    assert f"bytes={HALF}-" == desk.ranges()[-1]


def test_a_hub_that_contradicts_its_listing_is_not_believed(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    desk.hub.script("resolve", MODEL, {"linked_etag": f'"{"0" * 64}"'})

    assert isinstance(desk.failure(), RemoteRefused)
    assert {} == desk.blobs()


def test_a_hub_that_tells_no_checksum_on_the_way_has_told_it_before(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    desk.hub.script("resolve", MODEL, {"linked_etag": ""})

    desk.fetch()

    assert desk.found() is not None


def test_what_the_content_server_tells_of_checksums_counts_for_nothing(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    desk.hub.script("resolve", MODEL, {"linked_etag": ""})
    desk.hub.script("content", MODEL, {"headers": {"X-Linked-Etag": f'"{"0" * 64}"'}})

    desk.fetch()

    assert desk.found() is not None


def test_an_etag_of_the_hub_itself_is_no_sha256(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    desk.hub.script("resolve", MODEL, {"linked_etag": "", "headers": {"ETag": f'"{"0" * 64}"'}})

    desk.fetch()

    assert desk.found() is not None


def test_a_small_file_is_checked_by_gits_own_hash(desk: Desk) -> None:
    content = gguf(3000)
    desk.hub.repository(NAME, {MODEL: content}, lfs_from=1_000_000)

    desk.fetch()

    assert content == desk.found()
    (name,) = desk.blobs()
    assert 40 == len(name)


def test_a_small_file_with_wrong_bytes_is_not_kept(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf(3000)}, lfs_from=1_000_000)
    # The first request asks for the checksum alone.
    desk.hub.script("content", MODEL, {}, {"wrong_from": 1000})

    assert isinstance(desk.failure(), FileCorrupt)
    assert {} == desk.blobs()


def test_a_small_file_without_a_checksum_is_not_fetched(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf(3000)}, lfs_from=1_000_000)
    desk.hub.script("resolve", MODEL, {"headers": {"ETag": ""}})
    desk.hub.script("content", MODEL, {"etag": '"weak"'})

    assert "tells no checksum" in desk.failure().message


@pytest.mark.parametrize("answer", [{"hold": True}, {"hold_after": HALF}])
def test_a_stall_is_gone_on_with(desk: Desk, answer: dict[str, Any]) -> None:
    content = gguf()
    desk.hub.repository(NAME, {MODEL: content})
    desk.hub.script("content", MODEL, answer)

    desk.fetch(stall_s=0.3)

    assert content == desk.found()
    assert 2 == len(desk.hub.requests("content"))


@pytest.mark.parametrize("answer", [{"hold": True}, {"hold_after": 100_000}, {"drip_s": 0.02}])
def test_a_stall_without_end_is_given_up(desk: Desk, answer: dict[str, Any]) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    desk.hub.script("content", MODEL, answer, repeat=True)

    assert isinstance(desk.failure(stall_s=0.2), RemoteUnreachable)
    assert 3 == len(desk.hub.requests("content"))


@pytest.mark.parametrize(
    ("place", "answer", "kind", "words"),
    [
        ("resolve", {"status": 401}, RemoteRefused, "only to those who may"),
        ("resolve", {"status": 403}, RemoteRefused, "only to those who may"),
        ("resolve", {"status": 404}, RemoteRefused, "there is no"),
        ("content", {"status": 404}, RemoteRefused, "there is no"),
        ("content", {"status": 403}, RemoteRefused, "does not give it to everyone"),
        ("content", {"status": 500}, RemoteUnreachable, "fails: status 500"),
        ("resolve", {"status": 429}, RemoteUnreachable, "asked too often"),
        ("content", {"status": 204}, RemoteRefused, "status 204"),
    ],
)
def test_a_refusal_is_one_sentence(
    desk: Desk, place: str, answer: dict[str, Any], kind: type[Exception], words: str
) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    desk.hub.script(place, MODEL, answer, repeat=True)

    failure = desk.failure()

    assert kind is type(failure) or isinstance(failure, kind)
    assert words in failure.message
    assert {} == desk.blobs()


def test_a_gated_model_says_what_to_do(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()}, token="hf_right", is_gated=True)

    assert "HF_TOKEN" in desk.failure().hint
    desk.environ["HF_TOKEN"] = "hf_wrong"
    assert "the present one may not" in desk.failure().hint
    assert "hf_wrong" not in str(vars(desk.failure()))


def test_a_server_that_asks_for_patience_gets_it(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    desk.hub.script("resolve", MODEL, {"status": 429, "headers": {"Retry-After": "0"}}, {"status": 503})

    desk.fetch()

    assert desk.found() is not None


def test_a_server_that_asks_for_too_much_patience_is_left_to_the_queue(desk: Desk) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    desk.hub.script("resolve", MODEL, {"status": 429, "headers": {"Retry-After": "3600"}}, repeat=True)

    assert isinstance(desk.failure(), RemoteUnreachable)
    assert 1 == len(desk.hub.requests("resolve"))


def test_after_a_power_cut_only_what_was_flushed_is_trusted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    content = gguf()
    monkeypatch.setattr(part_module, "FLUSH_BYTES", 1_000_000)
    desk.broken_off(HALF, content)
    (coming,) = (desk.repository / "blobs").glob("*.incomplete")
    n_flushed = part_module.Note.read(coming.with_suffix(".incomplete.json"), sha256(content), len(content))
    assert n_flushed is not None
    # What was not on the disk yet has come back as zeros.
    with coming.open("r+b") as stream:
        stream.truncate(n_flushed.flushed_bytes)
        stream.truncate(HALF)
    monkeypatch.setattr(part_module, "BOOT_ID", tmp_path / "another")
    (tmp_path / "another").write_text("another start of the machine")

    desk.fetch()

    assert 1_000_000 <= n_flushed.flushed_bytes < HALF
    assert f"bytes={n_flushed.flushed_bytes}-" == desk.ranges()[-1]
    assert content == desk.found()


def test_what_is_damaged_here_is_fetched_once_more(desk: Desk) -> None:
    content = gguf()
    desk.broken_off(HALF, content)
    (coming,) = (desk.repository / "blobs").glob("*.incomplete")
    with coming.open("r+b") as stream:
        stream.seek(1000)
        stream.write(b"damage")

    desk.fetch()

    assert content == desk.found()
    assert [None, f"bytes={HALF}-", None] == desk.ranges()


@pytest.mark.parametrize("n_bytes", [3_000_000, 3_000_001])
def test_a_part_that_is_long_enough_is_verified_and_not_fetched(desk: Desk, n_bytes: int) -> None:
    content = gguf()
    desk.broken_off(HALF, content)
    (coming,) = (desk.repository / "blobs").glob("*.incomplete")
    coming.write_bytes((content + b"!")[:n_bytes])
    n_asked = len(desk.ranges())

    desk.fetch()

    assert content == desk.found()
    assert (0 if n_bytes == len(content) else 1) == len(desk.ranges()) - n_asked


def test_a_part_of_another_program_is_gone_on_with(desk: Desk) -> None:
    content = gguf()
    desk.hub.repository(NAME, {MODEL: content})
    _left_by_another(desk, content, content[:HALF])

    desk.fetch()

    assert content == desk.found()
    assert {sha256(content): len(content)} == desk.blobs()
    assert [f"bytes={HALF}-"] == desk.ranges()


def test_a_part_of_another_program_outlives_a_hub_that_cannot_be_reached(desk: Desk) -> None:
    content = gguf()
    desk.hub.repository(NAME, {MODEL: content})
    part = _left_by_another(desk, content, content[:HALF])
    desk.hub.script("content", MODEL, {"status": 503}, repeat=True)

    failure = desk.failure()

    assert isinstance(failure, RemoteUnreachable)
    assert content[:HALF] == part.read_bytes()


@pytest.mark.parametrize("kind", ["no model", "with a hole", "too long", "wrong"])
def test_a_part_of_another_program_that_is_no_beginning_is_fetched_anew(desk: Desk, kind: str) -> None:
    content = gguf()
    desk.hub.repository(NAME, {MODEL: content})
    part = _left_by_another(desk, content, b"GGUF" + bytes(HALF) if kind == "wrong" else b"<html>")
    if kind == "with a hole":
        part.write_bytes(content[:1000])
        os.truncate(part, HALF)
    if kind == "too long":
        part.write_bytes(content + b"!")

    desk.fetch()

    assert content == desk.found()
    assert {sha256(content): len(content)} == desk.blobs()
    assert None is desk.ranges()[-1]


def test_a_note_that_cannot_be_read_costs_nothing(desk: Desk) -> None:
    content = gguf()
    desk.broken_off(HALF, content)
    (side,) = (desk.repository / "blobs").glob("*.json")
    side.write_text("[[[")

    desk.fetch()

    assert content == desk.found()
    assert [None, f"bytes={HALF}-"] == desk.ranges()


def test_an_end_right_after_the_rename_leaves_nothing_beside_the_content(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = gguf()
    desk.hub.repository(NAME, {MODEL: content})

    def end(_: Path) -> None:
        raise RemoteUnreachable("the end")

    with monkeypatch.context() as patched:
        patched.setattr(part_module, "_sync_folder", end)
        desk.failure()
    desk.fetch()

    assert content == desk.found()
    assert {sha256(content): len(content)} == desk.blobs()


def test_a_part_that_another_program_cuts_meanwhile_is_no_content(desk: Desk) -> None:
    content = gguf()
    desk.hub.repository(NAME, {MODEL: content})
    desk.told.on_bytes = lambda n: _cut(desk) if n == len(content) else None

    failure = desk.failure()
    desk.told.on_bytes = lambda _: None
    desk.fetch()

    assert isinstance(failure, FileCorrupt)
    assert content == desk.found()


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EIO])
def test_a_disk_that_cannot_flush_a_folder_is_good_enough(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    desk.hub.repository(NAME, {MODEL: gguf()})
    flush = os.fsync

    def refusing(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", refusing)

    if number == errno.EIO:
        assert isinstance(desk.failure(), CatalogFailure)
    else:
        desk.fetch()
        assert gguf() == desk.found()


@pytest.mark.parametrize("n_bytes", [0, 3])
def test_a_file_without_content_is_no_model(desk: Desk, n_bytes: int) -> None:
    desk.hub.repository(NAME, {MODEL: b"GGUF"[:n_bytes]})

    failure = desk.failure()

    assert isinstance(failure, FileCorrupt)
    assert failure.detail.endswith(f"is no GGUF file: it has {n_bytes} bytes")
    assert {} == desk.blobs()


def _cut(desk: Desk) -> None:
    (part,) = (desk.repository / "blobs").glob("*.incomplete")
    os.truncate(part, 1000)


def _left_by_another(desk: Desk, content: bytes, beginning: bytes) -> Path:
    """A part under the name that the hub's own library gives it, without a note."""
    folder = desk.repository / "blobs"
    folder.mkdir(parents=True)
    part = folder / f"{sha256(content)}.incomplete"
    part.write_bytes(beginning)
    return part
