"""How long an idle model stays."""

from __future__ import annotations

import pytest

from ggtui.core.errors import InvalidRequest
from ggtui.core.keep_alive import LONGEST_S, parse_keep_alive


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (0, 0.0),
        (90, 90.0),
        (-1, -1.0),
        ("10m", 600.0),
        ("1.5h", 5400.0),
        ("-1", -1.0),
        ("0", 0.0),
        (-(10**400), -LONGEST_S),
    ],
)
def test_times_that_are_taken(value: object, expected: float | None) -> None:
    assert expected == parse_keep_alive(value)


@pytest.mark.parametrize("value", [True, "soon", "", [], {}, 1e12, 10**400, "9" * 400, "5 m"])
def test_times_that_are_refused(value: object) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_keep_alive(value)

    assert "keep_alive" == caught.value.param
