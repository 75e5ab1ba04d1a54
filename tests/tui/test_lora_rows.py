"""The rows of the screen of adapters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ggtui.core.routing.adapters import AdapterRef
from ggtui.tui.glyphs import ASCII, UNICODE
from ggtui.tui.lora_look import heads, row_parts
from ggtui.tui.lora_rows import Kind, LoraRow, lora_rows
from ggtui.tui.weights import Weights
from tests.tui.fake_engine import full, running, target
from tests.tui.fake_names import adapted

GEMMA = "gemma-3-27b-it"
BOTH = (AdapterRef("code", 0.6), AdapterRef("chat", 0.4))
STATE = adapted(
    running(target(4)), GEMMA, {"code": 0.8, "chat": 1.0, "gone": 1.0}, {"both": BOTH}, {"gone": "no file"}
)


def rows(
    state: object = STATE,
    kept: dict[str, float] | None = None,
    words: str = "",
    weights: Weights | None = None,
) -> tuple[LoraRow, ...]:
    status = next(row for row in state.models if row.summary.public_id == GEMMA)  # type: ignore[attr-defined]
    return lora_rows(state, status, weights or Weights(), kept or {}, words)  # type: ignore[arg-type]


def line(row: LoraRow, width: int = 77, glyphs: object = UNICODE) -> str:
    parts = row_parts(row, width, glyphs)  # type: ignore[arg-type]
    return "".join(part if isinstance(part, str) else part[0] for part in parts).rstrip()


def named(kind: Kind, name: str, **asked: object) -> LoraRow:
    return next(row for row in rows(**asked) if (row.kind, row.name) == (kind, name))  # type: ignore[arg-type]


def test_adapters_keep_the_engine_s_order_then_stacks_then_the_likely_files() -> None:
    assert [
        (Kind.HEADING, f"attached to {GEMMA}"),
        (Kind.ADAPTER, "code"),
        (Kind.ADAPTER, "chat"),
        (Kind.ADAPTER, "gone"),
        (Kind.HEADING, "stacks, as models.toml has them"),
        (Kind.STACK, "both"),
        (Kind.HEADING, "found, the architecture is not told"),
        (Kind.FILE, "plain-lora"),
        (Kind.HEADING, "found, for other architectures"),
        (Kind.FILE, "zebra-lora"),
        (Kind.HEADING, "found, cannot be used"),
        (Kind.FILE, "old-lora"),
        (Kind.TYPED, "another file: type its path"),
    ] == [(row.kind, row.name) for row in rows()]


def test_an_attached_row_says_both_weights_size_and_file() -> None:
    row = named(Kind.ADAPTER, "code", kept={"code": 0.5})

    assert (0.5, 0.8) == (row.weight, row.live)
    assert ["✓", "code", "0.50", "0.80", "48M", "code-lora.gguf"] == line(row).split()


def test_without_a_server_only_what_was_changed_is_live() -> None:
    idle = adapted(full(), GEMMA, {"code": 0.8, "chat": 1.0})
    live = {row.name: row.live for row in rows(idle, {"code": 0.8, "chat": 0.9}) if row.kind is Kind.ADAPTER}

    assert {"code": None, "chat": 1.0} == live


def test_a_wish_is_shown_before_the_engine_has_it() -> None:
    weights = Weights()
    weights.wish(GEMMA, "code", 0.35)

    assert 0.35 == named(Kind.ADAPTER, "code", weights=weights).live


def test_a_problem_stands_where_the_file_would() -> None:
    row = named(Kind.ADAPTER, "gone")

    assert ["!", "gone", "1.00", "–", "–", "no", "file"] == line(row).split()


def test_one_that_is_switched_off_says_how_to_switch_it_on() -> None:
    off = adapted(
        replace(STATE, names=replace(STATE.names, disabled=frozenset({f"{GEMMA}:code"}))),
        GEMMA,
        {"code": 1.0},
    )

    assert "switched off" in named(Kind.ADAPTER, "code", state=off).why


def test_a_stack_says_what_it_applies() -> None:
    assert "✓  both" in line(named(Kind.STACK, "both"))
    assert line(named(Kind.STACK, "both")).endswith("code 0.60 + chat 0.40")


def test_nothing_attached_and_nothing_found_are_said() -> None:
    bare = adapted(full(), GEMMA, {})
    empty = replace(bare, catalog=replace(bare.catalog, adapters=()))

    assert "none: enter on a file below attaches it" in [row.name for row in rows(bare)]
    assert "no LoRA file is in the model folders" in [row.name for row in rows(empty)]
    assert Kind.TYPED is rows(empty)[-1].kind


def test_words_filter_adapters_and_files() -> None:
    shown = [row.name for row in rows(words="ze lora") if not row.is_heading]

    assert ["zebra-lora", "another file: type its path"] == shown


@pytest.mark.parametrize("width", [37, 57, 77, 137])
def test_no_row_is_wider_than_its_room(width: int) -> None:
    assert all(
        len(line(row, width)) <= width for row in rows() if not row.is_heading and row.kind is not Kind.STACK
    )
    assert len(heads(width)[0][0]) <= width


def test_ascii_has_a_twin_of_every_sign() -> None:
    assert all(line(row, 137, ASCII).isascii() for row in rows())


def test_every_row_has_its_own_key() -> None:
    assert len(rows()) == len({row.key for row in rows()})
