"""Rows of downloads as values: what has room, what is never cut, and what a person can do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from ggtui.core.downloads.jobs import Job, JobKind, JobState
from ggtui.core.snapshot import EngineSnapshot
from ggtui.tui.download_look import about, heads, row_parts, what
from ggtui.tui.download_rows import (
    CHANGES,
    DownloadRow,
    download_rows,
    progress_texts,
    share_text,
    summary,
    why_not,
)
from ggtui.tui.format import Part, fit_line
from ggtui.tui.glyphs import ASCII, JOBS, UNICODE
from ggtui.tui.reasons import READ_ONLY
from tests.tui.fake_fetching import GIB, jobs

STATE = EngineSnapshot(1, downloads=jobs())
LLAMA, PULL, NEXT, WAITS, PAUSED, FAILED, DONE = download_rows(STATE)
EVERY = (LLAMA, PULL, NEXT, WAITS, PAUSED, FAILED, DONE)


def _text(parts: list[Part]) -> str:
    return "".join(part if isinstance(part, str) else part[0] for part in parts)


def _row(row: DownloadRow, width: int = 77) -> str:
    return _text(row_parts(row, width, UNICODE))


def _about(row: DownloadRow) -> list[str]:
    return [_text(each).strip() for each in about(row, 200, UNICODE)]


@pytest.mark.parametrize("width", [37, 57, 58, 77, 97, 109, 110, 137, 200])
@pytest.mark.parametrize("is_ascii", [False, True])
def test_every_row_stands_under_the_heads(width: int, is_ascii: bool) -> None:
    signs = ASCII if is_ascii else UNICODE
    lengths = {cell_len(_text(row_parts(row, width, signs))) for row in EVERY}

    assert {cell_len(_text(heads(width)))} == lengths
    assert max(lengths) <= width


@pytest.mark.parametrize("width", [37, 77, 137])
def test_a_row_says_its_state_by_sign_word_and_colour(width: int) -> None:
    for row in EVERY:
        look = JOBS[row.job.state]
        parts = row_parts(row, width, UNICODE)

        assert (f" {look.glyph} ", look.style) == parts[0]
        assert (look.word, look.style) in [(p[0].strip(), p[1]) for p in parts if isinstance(p, tuple)]


def test_the_quantisation_is_never_cut_off() -> None:
    assert "Meta-Llama-3.1-…:Q4_K_M" in _row(LLAMA)
    assert "bartowski/Meta-Llama-3.1-70B-Instruct-GGUF:Q4_K_M" in _row(LLAMA, 200)
    assert ":Q4_K_M" in _row(LLAMA, 37)
    assert "llama3:8b → ollama-box" in _row(PULL)


def test_a_bar_is_full_only_when_all_is_there() -> None:
    almost = replace(LLAMA, job=replace(LLAMA.job, completed_bytes=40 * GIB))

    assert ("62%", "█████░░░") == (share_text(LLAMA.job), _bar_of(LLAMA))
    assert ("99%", "███████░") == (share_text(almost.job), _bar_of(almost))
    assert ("100%", "████████") == (share_text(DONE.job), _bar_of(DONE))
    assert ("–", "░░░░░░░░") == (share_text(PULL.job), _bar_of(PULL))


def _bar_of(row: DownloadRow) -> str:
    return "".join(sign for sign in _row(row) if sign in "█░")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (LLAMA, "12 MB/s  21m49s"),
        (PULL, "pulling manifest"),
        (NEXT, "next"),
        (WAITS, "huggingface.co does not answer; tried again in 10 s"),
        (replace(WAITS, job=replace(WAITS.job, why="")), "place 2"),
        (PAUSED, "a person paused it"),
        (FAILED, "huggingface.co answers 403: its owner must let you in"),
        (DONE, ""),
        (DownloadRow(Job(1, JobKind.HUB, "a/b", "local", state=JobState.RUNNING)), "begins"),
        (DownloadRow(replace(LLAMA.job, left_s=None)), "12 MB/s"),
    ],
)
def test_a_row_ends_with_its_pace_or_with_the_reason_for_none(row: DownloadRow, words: str) -> None:
    assert words == what(row)


def test_below_stand_where_from_which_file_and_what_to_do() -> None:
    name = "bartowski/Meta-Llama-3.1-70B-Instruct-GGUF:Q4_K_M"
    assert [
        f"◐ running  {name}",
        "from  https://huggingface.co  revision  main (a1b2c3d)  files  2",
        "now  downloading  file 2 of 2: Q4_K_M/Llama-70B-Q4_K_M-00002-of-00002.gguf  12 MB/s  21m49s",
    ] == _about(LLAMA)
    assert "to  ollama-box at http://192.168.1.9:11434, which fetches it by itself" == _about(PULL)[1]
    assert "now  pulling manifest  sha256:abababababab" == _about(PULL)[2]
    assert _about(FAILED)[0].endswith("huggingface.co answers 403: its owner must let you in")
    assert "ask for access on its page, then set HF_TOKEN" == _about(FAILED)[2]
    assert "space goes on where it stopped: what is there already is kept" == _about(PAUSED)[2]
    assert "J and K move it; space pauses it" == _about(NEXT)[2]
    assert "the model stays" in _about(DONE)[2]


def test_a_reason_takes_the_place_of_the_name_where_both_have_no_room() -> None:
    reason = "huggingface.co answers 403: its owner must let you in"

    assert f"! failed  {reason}" == _text(about(FAILED, 78, UNICODE)[0])
    assert f"! failed  {FAILED.job.model}  {reason}" == _text(about(FAILED, 100, UNICODE)[0])


@pytest.mark.parametrize(
    ("words", "numbers"),
    [("llama3", [2]), ("waiting", [3, 4]), ("OLLAMA-BOX", [2]), ("gguf paused", [5]), ("none such", [])],
)
def test_every_word_must_be_somewhere(words: str, numbers: list[int]) -> None:
    assert numbers == [row.job.number for row in download_rows(STATE, words)]


def test_what_is_done_stands_behind_the_queue_the_newest_first() -> None:
    old, new = (replace(DONE.job, number=n, position=n - 9, ended_at=float(n)) for n in (8, 9))
    state = EngineSnapshot(1, downloads=(old, new, NEXT.job, FAILED.job))

    assert [3, 6, 9, 8] == [row.job.number for row in download_rows(state)]


def test_a_filter_does_not_change_the_place_in_the_queue() -> None:
    (row,) = download_rows(STATE, "gemma")

    assert 2 == row.place


def test_the_edge_says_how_many_and_how_fast() -> None:
    assert "7 downloads · 2 running · 1 failed · 12 MB/s" == summary(STATE, 7, "")
    assert "2 of 7 downloads · 2 running · 1 failed · 12 MB/s" == summary(STATE, 2, "llama")
    one = EngineSnapshot(1, downloads=(PAUSED.job,))
    assert ("1 download", "") == (summary(one, 1, ""), summary(EngineSnapshot(1), 0, ""))


def test_progress_is_told_whole_and_in_short() -> None:
    known = replace(LLAMA.job, completed_bytes=10 * GIB)
    other = replace(known, number=9, total_bytes=10 * GIB, completed_bytes=9 * GIB, rate=None)

    assert ["1  25% 12 MB/s", "25%"] == progress_texts([known, PAUSED.job])
    assert ["2  38% 12 MB/s", "38%"] == progress_texts([known, other])
    assert ["2 12 MB/s", "2"] == progress_texts([known, PULL.job])
    assert ["1", "1"] == progress_texts([PULL.job])
    assert [] == progress_texts([PAUSED.job, DONE.job, FAILED.job, NEXT.job])


def test_keys_that_can_do_nothing_say_why() -> None:
    read_only = replace(STATE, is_read_only=True)

    assert {READ_ONLY} == {why_not(LLAMA, each, read_only) for each in CHANGES}
    assert {"no download under the cursor"} == {why_not(None, each, STATE) for each in CHANGES}
    assert ["", "", "", ""] == [why_not(PAUSED, each, STATE) for each in CHANGES]
    assert "it is the first already" == why_not(LLAMA, "download-sooner", STATE)
    assert "" == why_not(LLAMA, "download-later", STATE)
    assert "it is the last already" == why_not(FAILED, "download-later", STATE)
    assert "" == why_not(FAILED, "download-sooner", STATE)
    assert "it is done" == why_not(DONE, "download-hold", STATE)
    assert "it is done: its place does not matter" == why_not(DONE, "download-later", STATE)
    assert "" == why_not(DONE, "download-remove", STATE)
    assert None is why_not(LLAMA, "stop", STATE)


def test_ascii_has_a_twin_of_every_sign() -> None:
    for row in EVERY:
        told = [row_parts(row, 137, ASCII), *about(row, 137, ASCII)]

        assert all(fit_line(parts, 137, ASCII).plain.isascii() for parts in told)
