"""A download as a person follows it: on a terminal one line, elsewhere no more lines than say something."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest

from ggtui.cli.download_progress import DownloadProgress, amount_words, progress_line
from ggtui.cli.output import Output
from ggtui.core.downloads.jobs import Job, JobKind, JobState
from ggtui.core.downloads_json import status_document
from ggtui.core.units import GIB

JOB = Job(
    1,
    JobKind.HUB,
    "o/r:Q4_K_M",
    "local",
    state=JobState.RUNNING,
    status="fetching",
    completed_bytes=GIB,
    total_bytes=4 * GIB,
    rate=12_000_000.0,
    left_s=312.0,
)


def _told(**fields: Any) -> dict[str, Any]:
    return status_document(replace(JOB, **fields))


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "o/r:Q4_K_M  1.0G of 4.0G  25%  12 MB/s  5m12s left  fetching"),
        ({"rate": None, "left_s": None}, "o/r:Q4_K_M  1.0G of 4.0G  25%  fetching"),
        ({"total_bytes": 0, "completed_bytes": 0, "rate": None, "left_s": None}, "o/r:Q4_K_M  fetching"),
        (
            {"completed_bytes": 4 * GIB - 1, "rate": None, "left_s": None},
            "o/r:Q4_K_M  4.0G of 4.0G  99%  fetching",
        ),
        (
            {
                "state": JobState.PENDING,
                "status": "",
                "rate": None,
                "left_s": None,
                "why": "\x1b[31mno answer",
                "hint": "it is tried again in 5 s",
            },
            "o/r:Q4_K_M  1.0G of 4.0G  25%  pending  no answer  it is tried again in 5 s",
        ),
    ],
)
def test_what_is_known_is_on_the_line(fields: dict[str, Any], line: str) -> None:
    assert line == progress_line(_told(**fields))


def test_bytes_of_an_unknown_whole_are_told() -> None:
    assert ("1.0G",) == amount_words(_told(total_bytes=0))


def test_without_a_terminal_a_tenth_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    progress = DownloadProgress(Output())
    for percent in range(101):
        progress.show(_told(completed_bytes=4 * GIB * percent // 100))

    lines = capsys.readouterr().err.splitlines()

    assert 11 == len(lines)
    assert lines[-1].startswith("o/r:Q4_K_M  4.0G of 4.0G  100%")


def test_without_a_terminal_a_new_reason_is_a_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    progress = DownloadProgress(Output())
    for why in ("", "no answer", "no answer", ""):
        progress.show(_told(why=why))

    assert 3 == len(capsys.readouterr().err.splitlines())


def test_on_a_terminal_the_line_is_drawn_again() -> None:
    err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    err.isatty = lambda: True  # type: ignore[method-assign]
    progress = DownloadProgress(Output(stderr=err))

    progress.show(_told())
    progress.show(_told(completed_bytes=2 * GIB))

    text = err.buffer.getvalue().decode()
    assert 2 == text.count("\r")
    assert "\n" not in text
    assert 2 * GIB == progress.last["completed"]
