"""The keys that let clients in."""

from __future__ import annotations

import pytest

from ggtui.core.client_keys import LARGEST_KEY, ClientKey, parse_keys

K1, K2 = "k1-0123456789abcdef", "k2-0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("k\n", (ClientKey("k"),)),
        (f"ann {K1}", (ClientKey(K1, "ann"),)),
        (
            f"# keys: \u2028 a b c\nann\t{K1}  \r\n\n   \r  bob@home {K2}",
            (ClientKey(K1, "ann"), ClientKey(K2, "bob@home")),
        ),
    ],
)
def test_one_key_or_one_a_line_behind_a_name(text: str, expected: tuple[ClientKey, ...]) -> None:
    assert expected == parse_keys(text)
    assert K1 not in repr(parse_keys(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it holds no key"),
        ("#secret\n", "it holds no key; a line that begins with # is a comment"),
        ("ann se cret", "line 1 must hold one key, or a name and a key, and nothing behind it"),
        ("a-long-secret-key #ann", "line 1 must hold one key, or a name and a key, and nothing behind it"),
        ("a-long-secret-key ann", "the key in line 1, behind the name, must have 16 characters"),
        ("correct secret", "the key in line 1, behind the name, must have 16"),
        ("ann secret-0123456789\nschlüssel", "line 2 must hold a key without spaces, in ASCII"),
        ("se\u00a0cret", "line 1 must hold a key without spaces, in ASCII"),
        ("s" * (LARGEST_KEY + 1), "line 1 must hold a key"),
        ("a" * 65 + " secret-0123456789", "the name in line 1 must be one word of letters"),
        ("a\x07 secret-0123456789", "the name in line 1 must be one word"),
        ("secret\n\nbob other-0123456789ab", "line 3: where there are several keys, each needs a name"),
        ("bob other-0123456789ab\nsecret", "line 2: where there are several keys, each needs a name"),
        ("ann secret-0123456789\nann other-0123456789ab", "line 2 has a name that another line has"),
        ("ann secret-0123456789\nbob secret-0123456789", "line 2 has a key that another line has"),
    ],
)
def test_what_is_wrong_is_said_without_a_key(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        parse_keys(text)

    assert "secret" not in str(caught.value)
