"""The keys that let clients in."""

from __future__ import annotations

import pytest

from ggtui.core.client_keys import LARGEST_KEY, ClientKey, parse_keys


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("k\n", (ClientKey("k"),)),
        ("ann k", (ClientKey("k", "ann"),)),
        ("# keys\nann\tk1\r\n\n   \nbob k2", (ClientKey("k1", "ann"), ClientKey("k2", "bob"))),
    ],
)
def test_one_key_or_one_a_line_behind_a_name(text: str, expected: tuple[ClientKey, ...]) -> None:
    assert expected == parse_keys(text)
    assert "k1" not in repr(parse_keys(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it must hold a key"),
        ("# nothing\n", "it must hold a key"),
        ("ann se cret", "line 1 must hold one key, or a name and a key"),
        ("ann secret\nschlüssel", "line 2 must hold a key without spaces, in ASCII"),
        ("s" * (LARGEST_KEY + 1), "line 1 must hold a key"),
        ("a" * 65 + " secret", "the name in line 1 must have at most 64 characters"),
        ("a\x07 secret", "the name in line 1 must"),
        ("secret\nbob other", "each needs a name before it"),
        ("bob other\nsecret", "each needs a name before it"),
        ("ann secret\nann other", "line 2 has a name that another line has"),
        ("ann secret\nbob secret", "line 2 has a key that another line has"),
    ],
)
def test_what_is_wrong_is_said_without_a_key(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        parse_keys(text)

    assert "secret" not in str(caught.value)
