"""What a person may call a model."""

from __future__ import annotations

import pytest

from ggtui.core.errors import InvalidRequest
from ggtui.core.labels import LONGEST_NAME, MOST_TAGS, UNLABELLED, Labels, label_change, tag_of, typed_tags


@pytest.mark.parametrize(
    ("typed", "tag"),
    [
        ("coding", "coding"),
        ("#Coding", "coding"),
        (" ##a-b ", "a-b"),
        ("Größe", "größe"),
        ("\x1b[31mred", "red"),
    ],
)
def test_a_tag_is_one_plain_word_in_lower_case(typed: str, tag: str) -> None:
    assert tag == tag_of(typed)


@pytest.mark.parametrize("typed", ["", "#", "two words", "a,b", "a#b", "x" * 33, "\x07", "a\u2003b"])
def test_what_is_no_tag_is_refused(typed: str) -> None:
    with pytest.raises(InvalidRequest):
        tag_of(typed)


def test_a_name_is_plain_and_bounded() -> None:
    assert "Red Fox" == label_change(name="  \x1b[31mRed\x1b[0m Fox\n").name
    assert "" == label_change(name="   ").name
    for wrong in ("x" * (LONGEST_NAME + 1), "\x1b[31m", "\u202e"):
        with pytest.raises(InvalidRequest):
            label_change(name=wrong)


def test_a_change_leaves_what_it_does_not_name() -> None:
    labels = Labels("Fox", ("a", "b"), is_favourite=True)

    assert labels == label_change().applied_to(labels)
    assert Labels("", ("a", "b"), is_favourite=True) == label_change(name="").applied_to(labels)
    assert Labels("Fox", ("a", "b")) == label_change(is_favourite=False).applied_to(labels)
    assert Labels("Fox", ("c",), is_favourite=True) == label_change(tags=("C",)).applied_to(labels)


def test_tags_are_added_and_taken_away_each_once() -> None:
    change = label_change(added=("b", "C", "c"), removed=("#A", "z"))

    assert ("b", "c") == change.applied_to(Labels(tags=("a", "b"))).tags


def test_too_many_tags_are_refused() -> None:
    full = Labels(tags=tuple(f"t{number}" for number in range(MOST_TAGS)))

    assert full == label_change(added=("t1",)).applied_to(full)
    with pytest.raises(InvalidRequest):
        label_change(added=("more",)).applied_to(full)


def test_no_change_is_known_as_none() -> None:
    assert label_change().is_nothing
    assert not label_change(name="").is_nothing
    assert not label_change(tags=()).is_nothing
    assert UNLABELLED == Labels()


def test_a_typed_line_is_words() -> None:
    assert ("coding", "#vision", "x") == typed_tags(" coding, #vision,,x ")
