"""Which key is set twice, and where."""

from __future__ import annotations

import tomllib

import pytest

from ggtui.config.toml_mistakes import what_is_broken


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1\n\na = 2\n", (3, "a is set for the second time")),
        ("a = 1\na = [ # these\n  1,\n  2,\n]\nb = 1\n", (2, "a is set for the second time")),
        ('a = 1\na = """\nb = 1\n"""\n', (2, "a is set for the second time")),
        ("'a.b' = 1\n\"a.b\" = 2\n", (2, '"a.b" is set for the second time')),
        ("a = 1\na.b = 2\n", (2, "a.b or a part of it is set for the second time")),
        ("[a]\nx = 1\n[b]\n[a]\ny = 2\n", (4, "the table [a] stands here for the second time")),
        ('["a".b]\n["a".b]\n', (2, "the table [a.b] stands here for the second time")),
        ("a = { x = 1, x = 2 }\n", (1, "x is set twice")),
        ("a = 1\nb = \n", (2, "Invalid value")),
        ("a = [", (0, "Invalid value")),
    ],
)
def test_the_line_and_the_key_are_named(text: str, expected: tuple[int, str]) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)

    assert expected == what_is_broken(text, str(caught.value))


def test_a_very_long_value_is_named_by_its_last_line() -> None:
    text = "a = 1\na = [\n" + "  1,\n" * 300 + "]\n"
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)

    assert (303, "Cannot overwrite a value") == what_is_broken(text, str(caught.value))


def test_a_message_without_a_place_is_given_as_it_is() -> None:
    assert (None, "odd") == what_is_broken("", "odd")
