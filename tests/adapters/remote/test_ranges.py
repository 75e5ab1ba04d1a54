"""Bytes of a file on another machine: what is asked for, and everything a server can do wrong."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.remote import ranges as ranges_module
from ggtui.adapters.remote.budget import Budget
from ggtui.adapters.remote.ranges import PIECE, opened_remotely
from ggtui.core.errors import Failure, HeaderUnreadable, RemoteRefused, RemoteUnreachable
from ggtui.core.units import MIB
from tests.web import Asked, Reply, part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.adapters.remote.conftest import Look

    Start = Callable[[Callable[[Asked], Reply]], Look]

SEED = 77
CONTENT = random.Random(SEED).randbytes(9 * MIB)


def test_the_bytes_are_those_of_the_file_and_the_ranges_grow(look: Start) -> None:
    one = look(lambda asked: part(asked, CONTENT))

    assert CONTENT == one.read(len(CONTENT), step=100_000)
    spans = [asked.span for asked in one.web.asked]
    assert [(0, MIB - 1), (MIB, 3 * MIB - 1), (3 * MIB, 7 * MIB - 1), (7 * MIB, 9 * MIB - 1)] == spans
    assert [None, '"one"', '"one"', '"one"'] == [asked.headers.get("if-range") for asked in one.web.asked]
    assert {"identity"} == {asked.headers["accept-encoding"] for asked in one.web.asked}


def test_a_reader_that_comes_back_a_little_gets_the_same_bytes(look: Start) -> None:
    one = look(lambda asked: part(asked, CONTENT))

    with opened_remotely(one.at(), one.access, one.budget) as file:
        assert len(CONTENT) == file.size_bytes
        first = file.read(0, 10)
        again = file.read(len(first) - 4, 2 * MIB)

    assert CONTENT[len(first) - 4 :][: 2 * MIB] == again[: 2 * MIB]


def test_a_leap_is_not_fetched(look: Start) -> None:
    one = look(lambda asked: part(asked, CONTENT))

    with opened_remotely(one.at(), one.access, one.budget) as file:
        file.read(0, 100)
        piece = file.read(8 * MIB, 100)

    assert CONTENT[8 * MIB : 8 * MIB + 100] == piece[:100]
    assert [0, 8 * MIB] == [asked.span[0] for asked in one.web.asked]
    assert one.budget.spent_bytes < 4 * PIECE


def test_what_is_not_wanted_is_not_taken(look: Start) -> None:
    one = look(lambda asked: part(asked, CONTENT))

    one.read(1000)

    assert one.budget.spent_bytes <= PIECE + 64 * 1024


def test_a_server_may_send_less_than_it_is_asked_for(look: Start) -> None:
    def serve(asked: Asked) -> Reply:
        first, last = asked.span
        short = Asked(asked.path, {"range": f"bytes={first}-{min(last, first + MIB // 2)}"})
        return part(short, CONTENT)

    assert CONTENT[: 3 * MIB] == look(serve).read(3 * MIB)[: 3 * MIB]


def test_a_server_that_sends_next_to_nothing_is_given_up(look: Start) -> None:
    def serve(asked: Asked) -> Reply:
        first, _ = asked.span
        return part(Asked(asked.path, {"range": f"bytes={first}-{first}"}), CONTENT)

    one = look(serve)

    assert "sends too little at a time" in one.failure(1000).message
    assert ranges_module.MOST_RANGES == len(one.web.asked)


def test_a_whole_file_is_not_taken(look: Start) -> None:
    one = look(lambda _: Reply(200, {}, CONTENT))

    failure = one.failure()

    assert isinstance(failure, RemoteRefused)
    assert "no ranges" in failure.message
    assert one.budget.spent_bytes < MIB


def test_a_web_page_in_place_of_the_file_is_told(look: Start) -> None:
    one = look(lambda _: Reply(200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>"))

    assert "answers with a web page" in one.failure().message


@pytest.mark.parametrize(
    "where",
    [
        "", "bytes", "bytes */100", "bytes 1-99/100", "bytes 0-99/*", "bytes 0-99/50", "bytes 5-2/100",
        "bytes 0-9999999/99999999", "items 0-99/100", "bytes 0-99/100, bytes 0-1/100", "bytes -1-5/100",
        "bytes 0-" + "9" * 40 + "/" + "9" * 40, "bytes \u0660-99/100",
    ],
)  # fmt: skip
def test_an_answer_that_is_another_part_is_refused(look: Start, where: str) -> None:
    one = look(lambda _: Reply(206, {"Content-Range": where.encode().decode("latin-1")}, bytes(100)))

    assert "another part of the file" in one.failure().message


def test_a_length_that_belies_the_range_is_refused(look: Start) -> None:
    one = look(lambda _: Reply(206, {"Content-Range": "bytes 0-99/100"}, bytes(50)))

    assert "another part of the file" in one.failure().message


@pytest.mark.parametrize("etags", [('"one"', '"two"'), ('W/"one"', 'W/"two"'), ('"one"', "")])
def test_a_file_that_changes_is_told(look: Start, etags: tuple[str, str]) -> None:
    one = look(lambda asked: part(asked, CONTENT, etags[asked.span[0] > 0]))

    failure = one.failure(2 * MIB)

    assert isinstance(failure, RemoteUnreachable)
    assert "the file was changed while its header was read" == failure.message
    sent = one.web.asked[1].headers.get("if-range")
    assert (None if etags[0].startswith("W/") else etags[0]) == sent


def test_a_file_that_changes_its_length_is_told(look: Start) -> None:
    one = look(lambda asked: part(asked, CONTENT[: len(CONTENT) - asked.span[0] // MIB]))

    assert "the file was changed while its header was read" == one.failure(2 * MIB).message


def test_the_whole_of_a_new_file_is_told_as_a_change(look: Start) -> None:
    def serve(asked: Asked) -> Reply:
        return part(asked, CONTENT) if asked.span[0] == 0 else Reply(200, {"ETag": '"two"'}, CONTENT)

    assert "the file was changed while its header was read" == look(serve).failure(2 * MIB).message


@pytest.mark.parametrize("length", [MIB, None])
def test_a_body_that_breaks_off_is_told(look: Start, length: int | None) -> None:
    where = {"Content-Range": f"bytes 0-{MIB - 1}/{len(CONTENT)}"}
    one = look(lambda _: Reply(206, where, iter([CONTENT[:1000]]), length))

    failure = one.failure(2000)

    assert isinstance(failure, RemoteUnreachable)
    assert "broke off" in failure.message


def test_a_stall_ends_with_the_budget(look: Start) -> None:
    def stalled() -> Iterator[bytes]:
        yield CONTENT[:10]
        one.web.ended.wait()

    one = look(lambda _: Reply(206, {"Content-Range": f"bytes 0-{MIB - 1}/{MIB}"}, stalled(), MIB))
    one.budget = Budget(0.3, MIB)

    failure = one.failure(100)

    assert isinstance(failure, RemoteUnreachable)
    assert failure.is_retryable


def test_a_drip_of_bytes_ends_with_the_budget(look: Start) -> None:
    def drip() -> Iterator[bytes]:
        while not one.web.ended.wait(0.01):
            yield b"x"

    one = look(lambda _: Reply(206, {"Content-Range": f"bytes 0-{MIB - 1}/{MIB}"}, drip(), MIB))
    one.budget = Budget(0.3, MIB)

    assert isinstance(one.failure(MIB), RemoteUnreachable)


def test_the_bytes_have_a_budget(look: Start) -> None:
    one = look(lambda asked: part(asked, CONTENT))
    one.budget = Budget(30.0, 2 * MIB)

    assert "more than 2 MiB would have to be read" == one.failure(len(CONTENT), step=1000).message
    assert one.budget.spent_bytes < 2 * MIB + 2 * PIECE


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (404, RemoteRefused, "there is no m.gguf at 127.0.0.1"),
        (410, RemoteRefused, "there is no m.gguf"),
        (416, RemoteRefused, "shorter than it was"),
        (429, RemoteUnreachable, "asked too often"),
        (500, RemoteUnreachable, "fails: status 500"),
        (503, RemoteUnreachable, "fails: status 503"),
        (204, RemoteRefused, "answers with status 204"),
        (418, RemoteRefused, "answers with status 418"),
        (403, RemoteRefused, "does not give it to everyone"),
    ],
)
def test_a_refusal_is_told(look: Start, status: int, kind: type[Failure], words: str) -> None:
    failure = look(lambda _: Reply(status)).failure()

    assert isinstance(failure, kind)
    assert words in failure.message


def test_an_empty_file_is_told_as_on_the_disk(look: Start) -> None:
    failure = look(lambda _: Reply(416, {"Content-Range": "bytes */0"})).failure()

    assert isinstance(failure, HeaderUnreadable)
    assert "file is empty" == failure.message


@pytest.mark.parametrize("status", [401, 403])
def test_a_gated_file_says_what_to_do(look: Start, status: int) -> None:
    one = look(lambda _: Reply(status, {"X-Error-Code": "GatedRepo"}))
    one.with_token("")

    assert "accept the licence on the model's page and set HF_TOKEN" in one.failure().hint
    one.with_token()
    assert "the present one may not read it" in one.failure().hint
    assert "hf_secret" not in repr(vars(one.failure()))


def test_the_hubs_own_word_for_what_is_missing_is_told(look: Start) -> None:
    one = look(lambda _: Reply(401, {"X-Error-Code": "RepoNotFound"}))
    one.with_token("")

    assert "there is no such repository, or it is not for everyone" in one.failure().message
