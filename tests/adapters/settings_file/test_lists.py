"""Lists in a person's file, changed item by item."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from ggtui.adapters.settings_file.lists import put, remove

LINES = """\
[m]
list = [
  { name = "a", path = "x" },  # of a
  { name = "b", parts = [1, 2] },  # of b
]
other = 1

# of n
[n]
"""
INLINE = 'm.list = [{ name = "a", path = "x" }, { name = "b", parts = [1, 2] }]\nm.other = 1\n'
TABLES = """\
[m]
other = 1
[[m.list]]  # of a
name = "a"
path = "x"
[[m.list]]
name = "b"  # of b
parts = [1, 2]

# of n
[n]
"""
NONE = "[m]\nother = 1\n"
A: dict[str, Any] = {"name": "a", "path": "x"}
B: dict[str, Any] = {"name": "b", "parts": [1, 2]}
C: dict[str, Any] = {"name": "c", "parts": [{"name": "a", "weight": 0.5}]}


def after(text: str, wanted: object) -> str:
    document = tomlkit.parse(text)
    put(document["m"], "list", wanted)
    return document.as_string()


STAYING: list[list[dict[str, Any]]] = [
    [A, B],
    [A, B, C],
    [C, A, B],
    [A, C, B],
    [A],
    [B],
    [{"name": "a"}, B | {"parts": [2]}],
]
OTHERS: list[list[dict[str, Any]]] = [[C], [], [B, A], [A, A]]


@pytest.mark.parametrize("text", [LINES, INLINE, NONE])
@pytest.mark.parametrize("wanted", [*STAYING, *OTHERS])
def test_any_list_becomes_what_is_wanted(text: str, wanted: list[dict[str, Any]]) -> None:
    assert {"other": 1, "list": wanted} == tomllib.loads(after(text, wanted))["m"]


@pytest.mark.parametrize("wanted", STAYING)
def test_tables_with_headers_stay_what_they_are(wanted: list[dict[str, Any]]) -> None:
    assert {"other": 1, "list": wanted} == tomllib.loads(after(TABLES, wanted))["m"]


@pytest.mark.parametrize("wanted", OTHERS)
def test_no_comment_on_something_else_is_lost(wanted: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match=r"comment behind|another order"):
        after(TABLES, wanted)


def test_a_deleted_list_leaves_the_comment_on_what_follows() -> None:
    for text in (LINES, TABLES):
        document = tomlkit.parse(text)
        remove(document["m"], "list")

        assert "[m]\nother = 1\n\n# of n\n[n]\n" == document.as_string()


@pytest.mark.parametrize("text", [LINES, TABLES])
def test_what_stays_keeps_its_comment(text: str) -> None:
    assert text == after(text, [A, B])
    assert ["# of a", "# of n"] == comments(after(text, [A, C]))
    assert ["# of b", "# of n"] == comments(after(text, [C, B]))
    assert ["# of a", "# of b", "# of n"] == comments(after(text, [A | {"path": "y"}, C, B | {"parts": []}]))


def comments(text: str) -> list[str]:
    return [f"#{line.partition('#')[2]}" for line in text.splitlines() if "#" in line]


def test_words_are_known_by_themselves() -> None:
    text = 'm.list = [\n  "a", # of a\n  "b", # of b\n]\n'

    assert 'm.list = [\n  "b", # of b\n  "c",\n]\n' == after(text, ["b", "c"])
    assert {"list": ["a", "a", "b"]} == tomllib.loads(after(text, ["a", "a", "b"]))["m"]


ITEMS = st.lists(
    st.builds(
        lambda name, weight: {"name": name, **({} if weight is None else {"weight": weight})},
        st.sampled_from("abcde"),
        st.one_of(st.none(), st.floats(0, 1)),
    ),
    max_size=4,
)


@settings(max_examples=60)
@given(st.sampled_from([LINES, INLINE, NONE]), st.lists(ITEMS, min_size=1, max_size=4))
def test_any_run_of_changes_ends_as_wanted(text: str, runs: list[list[dict[str, Any]]]) -> None:
    for wanted in runs:
        text = after(text, wanted)

        assert {"other": 1, "list": wanted} == tomllib.loads(text)["m"]
