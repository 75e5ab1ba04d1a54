"""Every end of a command line is words and a code."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ggtui.cli.commands import ps
from ggtui.cli.exits import ExitCode
from ggtui.cli.main import INTERRUPTED, main

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.cli.call import Call
    from tests.cli.conftest import CommandLine


def test_a_wrong_setting_ends_with_two_and_its_place(cli: CommandLine) -> None:
    answer = cli("ps", "--port", "x")

    expected = "ggtui: Configuration is not valid: --port must be a whole number from 0 to 65535, not 'x'\n"
    assert (2, "", expected) == (answer.code, answer.out, answer.err)


def test_ctrl_c_before_the_command_runs_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_argv: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ggtui.cli.arguments.parse", interrupted)

    assert INTERRUPTED == int(ExitCode.INTERRUPTED)
    assert INTERRUPTED == main([])


def test_a_failure_is_json_where_json_was_asked_for(cli: CommandLine) -> None:
    answer = cli("stop", "--json")

    assert 3 == answer.code
    assert "No running ggtui" == answer.document["error"]["title"]


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, ""),
        (ZeroDivisionError("secret detail"), 1, "ggtui: Internal error: ZeroDivisionError\n"),
    ],
)
def test_no_traceback_ever(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, words: str
) -> None:
    def fail(_: Call) -> int:
        raise error

    monkeypatch.setattr(ps, "run", fail)

    answer = cli("ps")

    assert (code, "", words) == (answer.code, answer.out, answer.err)


def test_without_a_terminal_the_state_is_printed_instead(cli: CommandLine) -> None:
    answer = cli()

    assert (2, "") == (answer.code, answer.out)
    assert [
        "no ggtui is running",
        "ggtui: no terminal here for the screen; ggtui --proxy-only serves without one",
    ] == answer.err.splitlines()


def test_a_dumb_terminal_is_none(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")

    assert 2 == cli().code


def test_a_reader_that_goes_away_is_no_failure(tmp_path: Path) -> None:
    command = (
        f"'{sys.executable}' -m ggtui completion bash --data-dir '{tmp_path}' | true; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)

    assert ("0\n", "") == (done.stdout, done.stderr)


def test_a_full_disk_is_one_line() -> None:
    command = f"'{sys.executable}' -m ggtui completion bash > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)

    assert (1, "ggtui: Output cannot be written: No space left on device\n") == (done.returncode, done.stderr)
