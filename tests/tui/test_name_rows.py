"""The rows of the list of names: endpoints, and every name that leads nowhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ggtui.tui.glyphs import ASCII, UNICODE
from ggtui.tui.name_look import NOWHERE, about, heads, row_parts
from ggtui.tui.name_rows import Kind, key_of, name_rows, summary, why_not
from ggtui.tui.reasons import READ_ONLY
from tests.tui.fake_engine import full
from tests.tui.fake_names import adapted, named

PHI = "phi-4-mini"
STATE = named(
    full(),
    default=PHI,
    aliases={"gpt-4": PHI, "b": PHI, "old": "gone-7b", "bge-m3": PHI},
    disabled=frozenset({"smollm3-3b", "gone-3b"}),
)
WIDTHS = (37, 57, 77, 137)


def shown(width: int = 77) -> dict[str, str]:
    """The lines by name."""
    return {
        row.name if row.endpoint else f"{row.kind} {row.name}": line(row, width) for row in name_rows(STATE)
    }


def line(row: object, width: int, glyphs: object = UNICODE) -> str:
    parts = row_parts(row, width, glyphs)  # type: ignore[arg-type]
    return "".join(part if isinstance(part, str) else part[0] for part in parts).rstrip()


def text_of(rows: list[list[object]]) -> str:
    return "\n".join("".join(p if isinstance(p, str) else p[0] for p in row) for row in rows)  # type: ignore[index]


def test_what_leads_nowhere_comes_first_then_every_id_in_order() -> None:
    rows = name_rows(STATE)

    assert [(Kind.ALIAS, "bge-m3"), (Kind.ALIAS, "old"), (Kind.SWITCHED_OFF, "gone-3b")] == [
        (row.kind, row.name) for row in rows[:3]
    ]
    assert [str(each.id) for each in STATE.endpoints] == [row.name for row in rows[3:]]
    assert len(rows) == len({row.key for row in rows})


def test_a_row_says_status_default_and_all_names() -> None:
    lines = shown()

    assert " ✓ » phi-4-mini" == lines[PHI][:15]
    assert lines[PHI].endswith("ready    128k   (no name), b, gpt-4")
    assert lines["smollm3-3b"].startswith(" ○   smollm3-3b")
    assert " off " in lines["smollm3-3b"]
    assert "error" in lines["broken-7b"]
    assert lines["broken-7b"].endswith("shard 2 of 3 is missing")


def test_an_alias_without_an_id_says_so_and_where_it_meant_to_lead() -> None:
    assert " !   old → gone-7b" in shown()["alias old"]
    assert shown()["alias old"].endswith(NOWHERE)
    assert shown(137)["alias old"].endswith("gone-7b does not exist: who asks for old is refused")
    assert "an endpoint has this very id" in shown(137)["alias bge-m3"]


def test_a_default_that_does_not_exist_is_a_row_of_its_own() -> None:
    row = name_rows(named(full(), default="gone-7b"))[0]

    assert (Kind.DEFAULT, "gone-7b", True) == (row.kind, row.name, row.is_default)
    assert "requests that name no model are refused" in row.why
    assert "" == why_not(row, "make-default", is_read_only=False)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("gpt", [PHI]),
        ("PHI ready", [PHI]),
        ("off", ["gone-3b", "smollm3-3b"]),
        ("(no", [PHI]),
        ("gone-7", ["old"]),
        ("error", ["broken-7b"]),
        ("nothing-such", []),
    ],
)
def test_every_word_must_be_in_a_name_an_alias_or_the_status(words: str, expected: list[str]) -> None:
    assert expected == [row.name for row in name_rows(STATE, words)]


def test_adapters_and_stacks_are_endpoints_too() -> None:
    state = adapted(full(), PHI, {"code": 0.8}, problems={"code": "its file does not exist"})
    row = next(row for row in name_rows(state) if row.name == f"{PHI}:code")

    assert row.key == key_of(f"{PHI}:code")
    assert "adapter code: its file does not exist" == row.why
    assert f"is  {PHI} with code 0.80" in text_of(about(row, UNICODE))  # type: ignore[arg-type]


@pytest.mark.parametrize("width", WIDTHS)
def test_no_row_is_wider_than_its_room(width: int) -> None:
    assert all(len(line(row, width)) <= width for row in name_rows(STATE))
    assert len(heads(width)[0][0]) <= width


def test_ascii_has_a_twin_of_every_sign() -> None:
    rows = name_rows(STATE)

    assert all(line(row, 137, ASCII).isascii() for row in rows)
    assert all(text_of(about(row, ASCII)).isascii() for row in rows)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        (PHI, {"alias", "unalias", "make-default", "switch", "show-model"}),
        ("deepseek-r1-671b", {"alias", "make-default", "switch", "show-model"}),
        ("old", {"unalias"}),
        ("gone-3b", {"switch"}),
    ],
)
def test_a_key_that_does_nothing_says_why(name: str, allowed: set[str]) -> None:
    row = next(row for row in name_rows(STATE) if row.name == name)
    reasons = {
        key: why_not(row, key, is_read_only=False)
        for key in ("alias", "unalias", "make-default", "switch", "show-model")
    }

    assert allowed == {key for key, reason in reasons.items() if not reason}
    assert None is why_not(row, "stop", is_read_only=False)


def test_a_read_only_ggtui_changes_no_name_and_still_shows_the_model() -> None:
    row = next(row for row in name_rows(STATE) if row.name == PHI)

    assert {READ_ONLY} == {
        why_not(row, key, is_read_only=True) for key in ("alias", "unalias", "make-default", "switch")
    }
    assert "" == why_not(row, "show-model", is_read_only=True)
    assert "no name under the cursor" == why_not(None, "alias", is_read_only=False)


def test_the_lower_edge_counts() -> None:
    assert "10 endpoints · 4 aliases" == summary(STATE, 13, "")
    assert "2 of 10 endpoints · 4 aliases" == summary(STATE, 2, "x")
    assert "1 endpoint · 1 alias" == summary(
        replace(named(full(), aliases={"a": "b"}), endpoints=STATE.endpoints[:1]), 1, ""
    )
