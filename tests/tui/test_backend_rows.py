"""Rows of backends as values: states in words, reasons, and which keys can do something."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from ggtui.core.backends.rows import Row, RowState
from ggtui.core.snapshot import EngineSnapshot
from ggtui.tui.backend_look import about, heads, row_parts
from ggtui.tui.backend_rows import BackendRow, Kind, backend_rows, summary, why_not
from ggtui.tui.format import Part, fit_line
from ggtui.tui.glyphs import ASCII, ROWS, UNICODE
from ggtui.tui.reasons import READ_ONLY
from tests.tui.fake_fetching import backends, jobs, rows

NOW = 1_700_000_000.0
STATE = EngineSnapshot(1, backends=backends(NOW), rows=rows(), downloads=jobs())
EVERY = backend_rows(STATE, NOW)


def _text(parts: list[Part]) -> str:
    return "".join(part if isinstance(part, str) else part[0] for part in parts)


def _of(name: str) -> BackendRow:
    return next(row for row in EVERY if row.name == name)


def _about(row: BackendRow) -> list[str]:
    return [_text(each).strip() for each in about(row, 200, UNICODE)]


def test_each_backend_stands_over_its_models_the_disk_first() -> None:
    assert [
        ("this machine", ["tiny", "qwen3", "secret"]),
        ("ollama-box", ["qwen3:8b", "llama3:8b", "phi4", "mistral", "old-model:latest", "nomic:latest"]),
        ("gpu-box", ["qwen3-32b", "embedder"]),
        ("cloud", []),
        ("new-box", []),
    ] == [
        (
            head.name,
            [row.name for row in EVERY if row.backend == head.backend and row.kind is Kind.MODEL],
        )
        for head in EVERY
        if head.kind is Kind.BACKEND
    ]


def test_without_anything_declared_there_is_no_row() -> None:
    assert () == backend_rows(EngineSnapshot(1), NOW)
    only = EngineSnapshot(1, backends=backends(NOW)[:1])
    assert ["ollama-box"] == [row.name for row in backend_rows(only, NOW)]


@pytest.mark.parametrize("width", [37, 57, 58, 77, 97, 109, 110, 137])
@pytest.mark.parametrize("is_ascii", [False, True])
def test_rows_keep_their_columns(width: int, is_ascii: bool) -> None:
    signs = ASCII if is_ascii else UNICODE
    line = _text(heads(width))
    at = line.index("State")

    assert cell_len(line) <= width
    for row in EVERY:
        shown = fit_line(row_parts(row, width, signs), width, signs).plain
        assert shown[at:].startswith(row.look.word or " ")


def test_every_state_is_said_by_sign_word_and_colour() -> None:
    assert set(RowState) == {row.row.state for row in EVERY if row.row is not None}
    for row in EVERY:
        parts = row_parts(row, 77, UNICODE)
        assert (f" {row.look.glyph} ", row.look.style) == parts[0]
        assert isinstance(parts[2], tuple)
        assert (row.look.word, row.look.style) == (parts[2][0].strip(), parts[2][1])
    assert len(RowState) == len({look.word for look in ROWS.values()})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ollama-box", "ollama  http://192.168.1.9:11434  12 ms  seen 3s ago"),
        ("gpu-box", "vllm  http://192.168.1.10:8000  3 ms  seen just now"),
        ("cloud", "openai  API key not configured"),
        ("qwen3:8b", "4.7G    8k     chat prompt stream loaded"),
        ("qwen3", "0%  waits for its turn"),
        ("llama3:8b", "–  pulling manifest"),
        ("mistral", "a person paused it"),
        ("secret", "huggingface.co answers 403: its owner must let you in"),
        ("old-model:latest", "2.1G    8k     chat prompt stream"),
        ("qwen3-32b", "16k    its context is 16384 tokens, and 32768 are declared"),
    ],
)
def test_a_row_tells_what_there_is_to_know(name: str, words: str) -> None:
    assert _text(row_parts(_of(name), 137, UNICODE)).rstrip().endswith(words)


def test_a_download_that_runs_is_told_with_its_pace() -> None:
    running = replace(STATE, rows=(Row("local", "big", RowState.DOWNLOADING, "", 1, 25, 40),))

    assert (
        _text(row_parts(backend_rows(running, NOW)[1], 137, UNICODE))
        .rstrip()
        .endswith("62%  12 MB/s  21m49s left")
    )


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "ollama-box",
            [
                "● READY  ollama-box  ollama at http://192.168.1.9:11434",
                "last well  3s ago  answered in  12 ms",
                "models  1 in sync  1 missing  1 downloading  2 extra  1 paused",
            ],
        ),
        (
            "cloud",
            [
                "! ERROR  cloud  API key not configured",
                "last well  1h06m ago  answered in  –  at  the home of openai",
                "wanted there  gpt-4o-mini",
            ],
        ),
        (
            "new-box",
            [
                "◌ NOT ASKED  new-box  ggtui at http://127.0.0.1:9999",
                "last well  never  answered in  –",
                "wanted there  m",
            ],
        ),
        (
            "old-model:latest",
            [
                (
                    "· extra  old-model:latest  backend has model old-model:latest, "
                    "yet it's not declared in the configuration"
                ),
                "on  ollama-box  is  llama  8.0B  Q4_K_M  ctx 8k  2.1G  chat prompt stream",
                "it gets no request, and is never deleted by itself; D deletes it there",
            ],
        ),
        (
            "embedder",
            ["○ missing  embedder", "on  gpu-box", "no request for it goes to gpu-box until it is there"],
        ),
    ],
)
def test_below_stand_errors_ages_and_cures(name: str, lines: list[str]) -> None:
    assert lines == _about(_of(name))


def test_a_reason_takes_the_place_of_the_name_where_both_have_no_room() -> None:
    assert "≠ drifted  its context is 16384 tokens, and 32768 are declared" == _text(
        about(_of("qwen3-32b"), 70, UNICODE)[0]
    )


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("paused", ["ollama-box", "mistral"]),
        ("vllm missing", ["gpu-box", "embedder"]),
        ("ERROR", ["this machine", "secret", "cloud"]),
        ("none such", []),
    ],
)
def test_a_filter_keeps_the_backend_of_what_it_keeps(words: str, names: list[str]) -> None:
    assert names == [row.name for row in backend_rows(STATE, NOW, words)]


def test_the_edge_says_what_keeps_it_from_being_in_sync() -> None:
    told = "4 backends · 1 in error · 2 missing · 2 downloading · 1 drifted · 1 paused · 2 extra"
    assert told == summary(STATE, len(EVERY), "")
    assert f"asking now · 3 shown · {told}" == summary(replace(STATE, is_reconciling=True), 3, "x")
    well = EngineSnapshot(1, backends=backends(NOW)[:1], rows=(Row("ollama-box", "a", RowState.IN_SYNC),))
    assert ("1 backend · all in sync", "") == (summary(well, 2, ""), summary(EngineSnapshot(1), 0, ""))


@pytest.mark.parametrize(
    ("name", "key", "reason"),
    [
        ("old-model:latest", "prune", ""),
        ("qwen3:8b", "prune", "qwen3:8b is declared: what is declared is not deleted from here"),
        ("ollama-box", "prune", "no model under the cursor"),
        ("llama3:8b", "hold", ""),
        ("mistral", "hold", ""),
        ("secret", "hold", ""),
        ("phi4", "hold", ""),
        ("embedder", "hold", "gpu-box fetches no model by itself: start it with embedder"),
        ("qwen3-32b", "hold", "nothing is to be fetched: qwen3-32b is drifted"),
        ("cloud", "reconcile", ""),
    ],
)
def test_a_key_that_can_do_nothing_says_why(name: str, key: str, reason: str) -> None:
    assert reason == why_not(_of(name), key, STATE)


def test_only_ollama_deletes_and_read_only_orders_nothing() -> None:
    missing = Row("local", "y", RowState.MISSING, repository="me/y")
    state = replace(STATE, rows=(Row("gpu-box", "x", RowState.EXTRA), missing))
    disk, extra = backend_rows(state, NOW)[1], next(r for r in backend_rows(state, NOW) if r.model == "x")

    assert "gpu-box deletes no model when it is asked to: only Ollama does" == why_not(extra, "prune", state)
    assert "" == why_not(disk, "hold", state)
    locked = replace(STATE, is_read_only=True)
    assert {READ_ONLY} == {why_not(_of("phi4"), key, locked) for key in ("reconcile", "hold", "prune")}
    assert "the configuration has no [[backend]] and no [[model]]" == why_not(
        None, "reconcile", EngineSnapshot(1)
    )
    assert None is why_not(disk, "stop", STATE)


def test_ascii_has_a_twin_of_every_sign() -> None:
    for row in EVERY:
        told = [row_parts(row, 137, ASCII), *about(row, 137, ASCII)]

        assert all(fit_line(parts, 137, ASCII).plain.isascii() for parts in told)
