"""Lines, capture and the rotated file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.adapters.llama_server.logs import (
    HEAD_LIMIT,
    Capture,
    LineSplitter,
    RotatedLog,
    log_path,
    readable,
)

if TYPE_CHECKING:
    from pathlib import Path


@given(st.lists(st.binary(max_size=30)), st.integers(1, 12))
def test_lines_do_not_depend_on_how_the_bytes_arrive(chunks: list[bytes], limit: int) -> None:
    splitter, whole = LineSplitter(limit), LineSplitter(limit)
    lines = [line for chunk in chunks for line in splitter.feed(chunk)]

    assert whole.feed(b"".join(chunks)) + whole.rest() == lines + splitter.rest()
    assert all(len(line) <= limit for line in lines)


def test_an_overlong_line_is_cut_and_the_next_one_is_whole() -> None:
    splitter = LineSplitter(4)

    assert [b"abcd", b"xy"] == splitter.feed(b"abcdefghij\nxy\nz")
    assert [b"z"] == splitter.rest()
    assert [] == splitter.rest()


def test_control_sequences_do_not_get_through() -> None:
    assert "red title plain" == readable(b"\x1b[31mred\x1b[0m \x1b]0;x\x07title\x00plain\xff"[:-1])


def test_the_head_is_kept_whatever_follows() -> None:
    capture = Capture()
    for number in range(100_000):
        capture.add(f"line {number}")

    assert "line 0" == capture.head[0]
    assert HEAD_LIMIT <= sum(len(line) + 1 for line in capture.head) < HEAD_LIMIT + 20
    assert [f"line {number}" for number in range(99_980, 100_000)] == list(capture.tail)


def test_the_file_is_private_and_has_one_predecessor(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "m.log"
    log = RotatedLog(path, limit_bytes=30)
    for number in range(10):
        log.write([f"line number {number}"])
    log.close()

    assert ["m.log", "m.log.1"] == sorted(entry.name for entry in path.parent.iterdir())
    assert 0o600 == path.stat().st_mode & 0o777
    assert ["line number 8", "line number 9"] == path.read_text().splitlines()[-2:]
    assert path.stat().st_size <= 30


def test_a_second_run_appends(tmp_path: Path) -> None:
    for text in ("first", "second"):
        log = RotatedLog(tmp_path / "m.log")
        log.write([text])
        log.close()

    assert "first\nsecond\n" == (tmp_path / "m.log").read_text()


def test_a_disk_that_takes_nothing_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log = RotatedLog(tmp_path / "file" / "m.log")
    log.write(["lost"])

    assert ["file"] == [entry.name for entry in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("public_id", "name"),
    [("qwen-7b:Q4", "qwen-7b_Q4.log"), ("../../etc/x", "_.._etc_x.log"), ("..", "model.log")],
)
def test_a_name_cannot_leave_the_folder(public_id: str, name: str, tmp_path: Path) -> None:
    assert tmp_path / name == log_path(tmp_path, public_id)
