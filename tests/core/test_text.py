"""Hostile text becomes one plain line."""

from __future__ import annotations

import pytest

from ggtui.core.text import clipped, listed, plain, width


@pytest.mark.parametrize(
    ("hostile", "expected"),
    [
        ("plain words", "plain words"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07name", "name"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("a\x00b\x9bc", "a b c"),
        ("line one\nline two\r", "line one line two"),
        ("tab\there", "tab here"),
        ("right\u202eleft", "right left"),
        ("zero\u200bwidth", "zero width"),
        ("bad \udcff byte", "bad   byte"),
        ("arabic\u061cmark", "arabic mark"),
        ("hidden\U000e0041tag", "hidden tag"),
        ("日本語 ok", "日本語 ok"),
        ("\x1b", ""),
    ],
)
def test_control_characters_are_gone(hostile: str, expected: str) -> None:
    assert expected == plain(hostile)


def test_long_text_is_cut_with_a_mark() -> None:
    assert "aaaaaaa…" == plain("a" * 9, limit=8)
    assert 8 == len(plain("a" * 100_000, limit=8))
    assert "a" * 8 == plain("a" * 8, limit=8)


def test_markup_is_kept_as_text() -> None:
    assert "[red]x[/red]" == plain("[red]x[/red]")


def test_wide_signs_take_two_columns_and_marks_none() -> None:
    assert [4, 4, 1, 0] == [width(text) for text in ("abcd", "日本", "e\u0301", "")]


def test_a_long_list_names_the_first_and_counts_the_rest() -> None:
    assert ["", "a, b", "a, b and 2 more"] == [listed(names, 2) for names in ("", "ab", "abcd")]


def test_a_line_is_cut_by_columns_and_no_sign_in_half() -> None:
    assert ["abc", "ab", "", "日", "日本"] == [
        clipped(text, columns)
        for text, columns in (("abc", 3), ("abc", 2), ("abc", 0), ("日本", 3), ("日本", 4))
    ]
