"""Values in the documents of strangers."""

from __future__ import annotations

from typing import Any

import pytest

from ggtui.adapters.remote.backends import reading


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (1_750_000_000, 1_750_000_000.0),
        ("2025-06-01T12:00:00Z", 1_748_779_200.0),
        ("2025-06-01T12:00:00.123456789+02:00", 1_748_772_000.123456),
        ("2025-06-01T12:00:00", None),
        ("0001-01-01T00:00:00Z", None),
        ("yesterday", None),
        ("9" * 100, None),
        (True, None),
        (1 << 80, None),
        (-5, None),
        (1.5, None),
        ([], None),
    ],
)
def test_a_moment(told: Any, seconds: float | None) -> None:
    assert seconds == reading.moment({"at": told}, "at")


@pytest.mark.parametrize(
    ("told", "digest"),
    [
        ("A" * 64, "sha256:" + "a" * 64),
        ("sha256:" + "0" * 64, "sha256:" + "0" * 64),
        ("sha256-" + "0" * 64, "sha256:" + "0" * 64),
        ("0" * 63, ""),
        ("../" + "0" * 64, ""),
        ("0" * 64 + "\n", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_a_digest(told: Any, digest: str) -> None:
    assert digest == reading.digest({"digest": told})


@pytest.mark.parametrize(
    ("told", "number"), [(5, 5), (True, 0), (-5, 0), (0, 0), (1 << 63, 0), (5.0, 0), ("5", 0), (None, 0)]
)
def test_a_natural_number(told: Any, number: int) -> None:
    assert number == reading.natural({"n": told}, "n")


def test_the_first_member_that_holds_counts() -> None:
    assert 7 == reading.natural({"a": "x", "b": 7, "c": 9}, "a", "b", "c")
    assert "b" == reading.name_of({"name": "", "model": "b"}, "name", "model")


def test_a_document_without_measure_is_not_parsed() -> None:
    with pytest.raises(ValueError, match="it has too many parts"):
        reading.parsed(b"[" + b"{}," * reading.MOST_PARTS + b"{}]")
    with pytest.raises(ValueError, match="it has too many parts"):
        reading.parsed(b"[" + b"1," * (5 * reading.MOST_PARTS + 1) + b"1]")
