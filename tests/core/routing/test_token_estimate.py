"""The estimate of tokens: near the truth for common texts, and cheap for long ones."""

from __future__ import annotations

import base64
import json
import random

import pytest

from ggtui.core.routing.token_estimate import MEDIA_TOKENS, WINDOW_BYTES, estimate_tokens

ENGLISH = (
    "The quick brown fox jumps over the lazy dog, and then it goes home to sleep. "
    "Nobody has asked it why it does that every day; perhaps it likes the dog.\n"
)
CODE = "def add(self, name: str) -> int:\n    if name in self._names:\n        return self._names[name]\n"
CHINESE = "今天天气很好，我们一起去公园散步吧。你觉得怎么样？"


@pytest.mark.parametrize(
    ("text", "n_tokens"),
    [(ENGLISH, 35), (CODE, 26), (CHINESE, 22)],
    ids=["english", "code", "chinese"],
)
def test_common_texts_are_estimated_near_what_vocabularies_make_of_them(text: str, n_tokens: int) -> None:
    # Of Chinese, Qwen's makes 13 and cl100k's 31; of the others all four that were asked make the same.
    estimated = estimate_tokens((text * 100).encode(), 1 << 20) / 100

    assert pytest.approx(n_tokens, rel=0.1) == estimated


@pytest.mark.parametrize("text", [ENGLISH, CODE, CHINESE], ids=["english", "code", "chinese"])
def test_escapes_of_json_are_no_text_of_their_own(text: str) -> None:
    plain = json.dumps(text * 100, ensure_ascii=False).encode()
    escaped = json.dumps(text * 100).encode()

    assert estimate_tokens(plain, 1 << 20) == pytest.approx(estimate_tokens(escaped, 1 << 20), rel=0.02)
    assert estimate_tokens(plain, 1 << 20) == pytest.approx(
        estimate_tokens((text * 100).encode(), 1 << 20), rel=0.05
    )


def test_of_a_long_text_a_part_stands_for_all() -> None:
    chance = random.Random(7)
    text = "".join(chance.choice((ENGLISH, CODE, CHINESE)) for _ in range(20_000)).encode()

    assert estimate_tokens(text, 64 * WINDOW_BYTES) == pytest.approx(
        estimate_tokens(text, len(text)), rel=0.05
    )


def test_a_picture_counts_a_flat_number() -> None:
    picture = base64.b64encode(random.Random(7).randbytes(300_000)).decode()
    body = json.dumps({"text": ENGLISH, "url": f"data:image/png;base64,{picture}"}).encode()

    assert MEDIA_TOKENS < estimate_tokens(body, 1 << 20) < MEDIA_TOKENS + 1500


def test_letters_without_a_space_are_text() -> None:
    assert 3240 == estimate_tokens(b"abcdefghij" * 1200, 1 << 20)


def test_nothing_is_no_token() -> None:
    assert 0 == estimate_tokens(b"", 1 << 20)
    assert 0 == estimate_tokens(b"", 0)
