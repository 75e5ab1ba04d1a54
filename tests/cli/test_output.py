"""Data on stdout, words on stderr, and nothing hostile in either."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from ggtui.cli.output import FailureWords, Output
from ggtui.core.errors import AdmissionTimeout, ModelNotFound


def _output(encoding: str = "utf-8", **options: bool) -> tuple[Output, io.TextIOWrapper, io.TextIOWrapper]:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
    return Output(stdout=out, stderr=err, **options), out, err


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    output, out, _ = _output()

    output.table(("NAME", "N"), [("a", "1"), ("longer", "22")], frozenset({1}))

    assert "NAME     N\na        1\nlonger  22\n" == _text(out)


def test_columns_are_aligned_beside_wide_signs() -> None:
    output, out, _ = _output()

    output.table(("NAME", "N"), [("日本", "1"), ("abcde", "22")], frozenset({1}))

    assert "NAME    N\n日本    1\nabcde  22\n" == _text(out)


def test_a_path_goes_to_a_program_byte_for_byte() -> None:
    output, out, _ = _output()
    output.line("before")

    output.path("/m/bad\udcff\x1b[31m.gguf")

    out.seek(0)

    assert b"before\n/m/bad\xff\x1b[31m.gguf\n" == out.buffer.read()


def test_a_path_on_a_terminal_cannot_act_on_it() -> None:
    output, out, _ = _output()
    out.isatty = lambda: True  # type: ignore[method-assign]

    output.path("/m/日本 \x1b]0;x\x07\n\u202e\udcff.gguf")

    assert "/m/日本 \\x1b]0;x\\x07\\n\\u202e\\udcff.gguf\n" == _text(out)


def test_a_table_without_rows_is_nothing() -> None:
    output, out, _ = _output()

    output.table(("NAME",), [], frozenset())

    assert "" == _text(out)


def test_a_failure_is_a_line_and_its_hint_on_stderr() -> None:
    output, out, err = _output()

    output.failure(FailureWords("Port is in use", "by pid 1", "Try another"))

    assert ("", "ggtui: Port is in use: by pid 1\n  Try another\n") == (_text(out), _text(err))


def test_a_failure_is_a_document_on_stdout_where_data_was_wanted() -> None:
    output, out, err = _output(is_json=True)

    output.failure(FailureWords.of(AdmissionTimeout("60 s", hint="later")))

    expected = {
        "title": "Waited too long for the model",
        "detail": "60 s",
        "hint": "later",
        "retryable": True,
    }
    assert {"error": expected} == json.loads(_text(out))
    assert "" == _text(err)


def test_a_title_is_not_said_twice() -> None:
    assert "m" == FailureWords.of(ModelNotFound("m")).detail


def test_a_title_that_the_detail_says_whole_is_left_out() -> None:
    output, _, err = _output()
    output.failure(FailureWords("Model not found", "model 'x' not found"))
    output.failure(FailureWords("Model not found", "x"))
    output.failure(FailureWords("Model not found", ""))

    assert [
        "ggtui: model 'x' not found",
        "ggtui: Model not found: x",
        "ggtui: Model not found",
    ] == _text(err).splitlines()


def test_escape_sequences_never_reach_the_terminal() -> None:
    output, _, err = _output()

    output.failure(FailureWords("T", "a\x1b[31mb\nc\x1b]0;title\x07d"))

    assert "ggtui: T: ab cd\n" == _text(err)


def test_a_terminal_without_unicode_gets_ascii() -> None:
    for output, out, _ in (_output("ascii"), _output(is_ascii=True)):
        output.line("ctx 4k → – ≈")

        assert "ctx 4k -> - ~\n" == _text(out)


def test_what_no_table_knows_is_replaced_rather_than_raised() -> None:
    output, out, _ = _output("ascii")

    output.line("Modèle")

    assert "Mod?le\n" == _text(out)


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_streams_that_the_shell_closed_cost_no_traceback(flags: list[str]) -> None:
    command = [sys.executable, "-m", "ggtui", "completion", "bash", *flags]
    no_out = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command], capture_output=True, text=True, check=False
    )
    no_words = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", *command], capture_output=True, text=True, check=False
    )

    told = "" if flags else "ggtui: Output cannot be written: it was closed before ggtui began\n"
    assert (1, told) == (no_out.returncode, no_out.stderr)
    assert (0, "") == (no_words.returncode, no_words.stderr)
    assert "complete -F _ggtui ggtui" in no_words.stdout


def test_words_on_a_terminal_take_the_place_of_those_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "8")
    output, _, err = _output(is_ascii=True)
    err.isatty = lambda: True  # type: ignore[method-assign]

    output.status("25 % → more")
    output.status("50 %")
    output.say("done")

    assert output.shows_status
    assert b"\r25 % -> \x1b[K\r50 %\x1b[K\ndone\n" == err.buffer.getvalue()  # type: ignore[attr-defined]


def test_words_are_taken_back_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    output, _, err = _output()
    before = output.shows_status
    err.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setenv("TERM", "dumb")

    assert (False, False) == (before, output.shows_status)
