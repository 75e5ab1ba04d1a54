"""Rows of deployments as values: what has room, what is warned of, and the reasons below."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.deployment.limits import Limit
from ggtui.core.deployment.policies import Budget
from ggtui.core.deployment.pricing import PUSD_PER_USD
from ggtui.core.snapshot import DeploymentStatus, EngineSnapshot, LimitUse
from ggtui.tui.deployment_rows import (
    CHANGES,
    DeploymentRow,
    about,
    deployment_rows,
    heads,
    row_parts,
    summary,
    why_not,
)
from ggtui.tui.format import Part, fit_line
from ggtui.tui.glyphs import ASCII, DEPLOYMENTS, UNICODE
from ggtui.tui.reasons import READ_ONLY
from tests.tui.fake_deployments import deployments

NOW = 1_700_000_000.0
STATE = EngineSnapshot(1, deployments=deployments(NOW))
QWEN, CLOUD, CLAUDE, BOX, OLD, BROKEN = deployment_rows(STATE, NOW)


def _row(status: DeploymentStatus, now: float = NOW) -> DeploymentRow:
    return deployment_rows(EngineSnapshot(1, deployments=(status,)), now)[0]


def _text(parts: list[Part]) -> str:
    return "".join(part if isinstance(part, str) else part[0] for part in parts)


def _style(parts: list[Part], text: str) -> str:
    return next(style for each, style in (p for p in parts if isinstance(p, tuple)) if each.strip() == text)


def _about(row: DeploymentRow, width: int = 200) -> list[str]:
    return [_text(each) for each in about(row, width, UNICODE)]


@pytest.mark.parametrize("width", [37, 57, 73, 74, 77, 97, 133, 134, 137, 200])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_every_row_stands_under_the_heads(width: int, glyphs: object) -> None:
    signs = ASCII if glyphs is ASCII else UNICODE
    lengths = {cell_len(_text(row_parts(row, width, signs))) for row in deployment_rows(STATE, NOW)}

    assert {cell_len(_text(heads(width)))} == lengths
    if width >= 57:
        assert max(lengths) <= width


def test_a_row_says_its_state_by_sign_word_and_colour() -> None:
    for row in deployment_rows(STATE, NOW):
        look = DEPLOYMENTS[row.status.state]
        parts = row_parts(row, 77, UNICODE)

        assert (f" {look.glyph} ", look.style) == parts[0]
        assert look.style == _style(parts, look.word)


def test_what_has_no_room_is_told_as_a_share() -> None:
    narrow, wide = (_text(row_parts(QWEN, width, UNICODE)) for width in (77, 137))

    assert ("tok 96%" in narrow, "96.5k/100k tok/min" in narrow) == (True, False)
    assert "12/60 req/min  96.5k/100k tok/min" in wide
    assert ("5.4M" in narrow, "4.6M/812k" in wide) == (True, True)
    assert "93%" in _text(row_parts(CLOUD, 77, UNICODE))
    assert "$0.93/$1.00 h  $4.12/$10.00 d" in _text(row_parts(CLOUD, 137, UNICODE))


def test_what_is_nearly_used_up_is_a_warning() -> None:
    free = replace(CLAUDE.status, limits=(LimitUse(Limit.REQUESTS, 1, 60),))

    assert "$warning" == _style(row_parts(QWEN, 77, UNICODE), "tok 96%")
    assert "" == _style(row_parts(_row(free), 77, UNICODE), "req 2%")
    assert "$warning" == _style(row_parts(CLOUD, 77, UNICODE), "93%")
    assert "$warning" == _style(row_parts(QWEN, 77, UNICODE), "4/4 +3")


def test_a_limit_of_requests_at_once_has_a_share_too() -> None:
    status = replace(CLAUDE.status, limits=(LimitUse(Limit.CONCURRENT, 2, 4),))

    assert "at 50%" in _text(row_parts(_row(status), 77, UNICODE))


@pytest.mark.parametrize(
    ("cents", "words"),
    [
        (0, "–"),
        (0.5, "<$.01"),
        (7, "$0.07"),
        (412, "$4.12"),
        (1260, "$13"),
        (250_000, "$2k"),
        (1_239_900, "$12k"),
    ],
)
def test_money_without_a_budget_has_five_cells(cents: float, words: str) -> None:
    status = replace(CLAUDE.status, spent_day_pusd=int(cents * PUSD_PER_USD / 100))

    last = _text(row_parts(_row(status), 77, UNICODE)).split()[-1]

    assert (words, True) == (last, cell_len(words) <= 5)


@pytest.mark.parametrize(
    ("after_s", "words", "style"),
    [
        (0.0, "open 22s", "$error bold"),
        (20.0, "open 2s", "$error bold"),
        (21.4, "open 1s", "$error bold"),
        (21.5, "half open", "$warning"),
        (500.0, "half open", "$warning"),
    ],
)
def test_an_open_breaker_counts_down_to_the_next_try(after_s: float, words: str, style: str) -> None:
    row = _row(CLOUD.status, NOW + after_s)

    assert style == _style(row_parts(row, 77, UNICODE), words)


def test_a_breaker_that_is_held_says_so() -> None:
    assert "$warning" == _style(row_parts(OLD, 77, UNICODE), "held closed")
    assert "$error bold" == _style(row_parts(BROKEN, 77, UNICODE), "held open")
    assert "$quiet" == _style(row_parts(QWEN, 77, UNICODE), "closed")


def test_below_stand_the_reasons_of_state_and_runtime() -> None:
    lines = _about(CLOUD)

    assert "● SERVING  gpt-4o-mini  its server keeps failing: tried again in 22 s" == lines[0]
    assert "runtime  open_ai: the name of the model is like those of open_ai" == lines[1]
    assert "model  gpt-4o-mini  tokens  900k in 120k out" == lines[2]
    assert "limits  none  spent  $0.93/$1.00 h  $4.12/$10.00 d  then  reject" == lines[3].strip()
    assert lines[4].startswith("requests  311 succeeded  10 failed  7 refused  6 content filtered")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (QWEN, ""),
        (CLAUDE, "the next request tries whether its server is well again"),
        (BOX, "a person has drained it; space lets requests in again"),
        (OLD, "a person has drained it; space lets requests in again"),
        (BROKEN, "llama-server ended at once: shard 2 of 3 is missing"),
        (_row(replace(QWEN.status, is_breaker_forced=True)), "BkSp lets it judge by itself"),
        (
            _row(replace(QWEN.status, why="more was spent than its budget of the last hour")),
            "more was spent than its budget of the last hour",
        ),
    ],
)
def test_the_reason_that_matters_most_is_told(row: DeploymentRow, words: str) -> None:
    assert _about(row)[0].rstrip().endswith(words or row.status.name)


def test_a_long_reason_takes_the_place_of_the_name() -> None:
    assert "! FAILED  llama-server ended at once: shard 2 of 3 is missing" == _about(BROKEN, 78)[0]


def test_of_one_that_did_nothing_nothing_is_counted() -> None:
    assert ["limits  none  spent  nothing", "requests  none yet"] == [
        each.strip() for each in _about(BOX)[3:]
    ]


def test_money_without_a_budget_is_told_too() -> None:
    cost = replace(BOX.status, counts=replace(BOX.status.counts, cost_pusd=3 * PUSD_PER_USD))
    budget = replace(cost, budget=Budget(max_spend_per_day_pusd=PUSD_PER_USD))

    assert "spent  $3.00" in _about(_row(cost))[3]
    assert "spent  $0/$1.00 d  then  reject" in _about(_row(budget))[3]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("gpt", ["gpt-4o-mini"]),
        ("LLAMA_server", ["qwen", "broken-with-a-long-name-of-its-own"]),
        ("draining", ["box"]),
        ("breaker held", ["old-box", "broken-with-a-long-name-of-its-own"]),
        ("box vllm", ["box"]),
        ("nothing like it", []),
    ],
)
def test_every_word_must_be_somewhere(words: str, names: list[str]) -> None:
    assert names == [row.key for row in deployment_rows(STATE, NOW, words)]


def test_the_edge_says_how_many() -> None:
    assert "6 deployments · 7 in flight · 3 queued" == summary(STATE, 6, "")
    assert "2 of 6 deployments · 7 in flight · 3 queued" == summary(STATE, 2, "box")
    one = EngineSnapshot(1, deployments=(OLD.status,))
    assert ("1 deployment · 0 in flight", "") == (summary(one, 1, ""), summary(EngineSnapshot(1), 0, ""))


def test_keys_that_can_do_nothing_say_why() -> None:
    held_open = BROKEN

    assert ["", "", "", ""] == [why_not(QWEN, each, is_read_only=False) for each in CHANGES]
    assert {READ_ONLY} == {why_not(QWEN, each, is_read_only=True) for each in CHANGES}
    assert {"no deployment under the cursor"} == {why_not(None, each, is_read_only=False) for each in CHANGES}
    assert "held open already" in (why_not(held_open, "breaker-open", is_read_only=False) or "")
    assert "" == why_not(held_open, "breaker-close", is_read_only=False)
    assert "held closed already" in (why_not(OLD, "breaker-close", is_read_only=False) or "")
    assert None is why_not(QWEN, "stop", is_read_only=False)


def test_ascii_has_a_twin_of_every_sign() -> None:
    for row in deployment_rows(STATE, NOW):
        told = [row_parts(row, 137, ASCII), *about(row, 78, ASCII)]

        assert all(fit_line(parts, 137, ASCII).plain.isascii() for parts in told)


def test_the_state_of_a_breaker_is_told_as_it_is_now() -> None:
    assert [BreakerState.OPEN, BreakerState.HALF_OPEN] == [
        _row(CLOUD.status, NOW + after_s).breaker for after_s in (0, 30)
    ]
