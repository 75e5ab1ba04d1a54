"""ggtui's own key, taken out of what servers answer."""

from __future__ import annotations

import pytest

from ggtui.core.deployment.secret import Secret
from ggtui.proxy.key_mask import LEAST_KEY_BYTES, KeyMask

KEY = "sk-" + "k" * (LEAST_KEY_BYTES - 3)
STARS = b"*" * LEAST_KEY_BYTES
MASK = KeyMask(Secret(KEY))
ANSWER = b"it was " + KEY.encode() + b" there"


def test_the_key_becomes_asterisks_of_the_same_number() -> None:
    assert b"it was " + STARS + b" there" == MASK.answer(ANSWER) == MASK.refusal(ANSWER)
    assert "it was … there" == MASK.words(ANSWER.decode())
    assert [(b"x-echo", b"Bearer " + STARS), (b"a", b"b")] == MASK.fields(
        [(b"x-echo", b"Bearer " + KEY.encode()), (b"a", b"b")]
    )


@pytest.mark.parametrize("cut", range(1, len(ANSWER)))
def test_a_key_that_is_cut_in_two_is_found(cut: int) -> None:
    data, more = MASK.pieces(ANSWER[:cut], ANSWER[cut:])

    assert (cut, MASK.answer(ANSWER)) == (len(data), data + MASK.answer(more))


def test_a_short_word_that_stands_for_no_key_stays_in_answers_and_not_in_refusals() -> None:
    mask = KeyMask(Secret("none"))

    assert b"none of it" == mask.answer(b"none of it")
    assert (b"no", b"ne") == mask.pieces(b"no", b"ne")
    assert [(b"a", b"none")] == mask.fields([(b"a", b"none")])
    assert (b"**** of it", "… of it") == (mask.refusal(b"none of it"), mask.words("none of it"))


def test_an_empty_key_changes_nothing() -> None:
    mask = KeyMask(Secret(""))

    assert (b"abc", "abc", b"abc") == (mask.refusal(b"abc"), mask.words("abc"), mask.answer(b"abc"))


def test_it_is_not_shown() -> None:
    assert KEY not in repr(MASK)
