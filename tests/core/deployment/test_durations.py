"""How a configuration writes lengths of time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.deployment.durations import LONGEST_S, parse_duration, plain_key


@pytest.mark.parametrize(
    ("value", "key", "expected"),
    [
        (30_000, "", 30.0),
        (250, "request_timeout", 0.25),
        (250, "request_timeout_ms", 0.25),
        ("250ms", "", 0.25),
        ("30s", "", 30.0),
        ("1.5s", "", 1.5),
        ("1m", "", 60.0),
        (" 1h ", "", 3600.0),
        (0, "", 0.0),
        ("0s", "", 0.0),
        (-5, "", -0.005),
        ("-5s", "", -5.0),
        (int(LONGEST_S) * 1000, "", LONGEST_S),
    ],
)
def test_times_that_are_taken(value: object, key: str, expected: float) -> None:
    assert expected == parse_duration(value, key)


WRONG_TYPES: list[object] = [True, None, 1.5, [], {}]
WRONG_TEXTS = ["", "soon", "30", "30 s", "1d", "1m30s", "s", "1e3s", "NaNs", "３s"]


@pytest.mark.parametrize("value", [*WRONG_TYPES, *WRONG_TEXTS])
def test_times_that_are_refused_with_what_may_be_written(value: object) -> None:
    with pytest.raises(ValueError, match=r"^queue_timeout must be an integer of milliseconds or .*30s"):
        parse_duration(value, "queue_timeout")


def test_a_key_in_milliseconds_takes_no_other_unit() -> None:
    with pytest.raises(ValueError, match=r"goes to queue_timeout$"):
        parse_duration("30s", "queue_timeout_ms")
    with pytest.raises(ValueError, match=r"^a length of time must be"):
        parse_duration("30")

    assert ("queue_timeout", "queue_timeout") == (plain_key("queue_timeout_ms"), plain_key("queue_timeout"))


@pytest.mark.parametrize("value", [int(LONGEST_S) * 1000 + 1, 10**400, "9" * 20 + "h"])
def test_times_longer_than_a_year_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="366 days"):
        parse_duration(value)


@given(st.text() | st.integers())
def test_whatever_is_written_is_read_or_refused(value: object) -> None:
    try:
        seconds = parse_duration(value)
    except ValueError:
        return

    assert seconds <= LONGEST_S
