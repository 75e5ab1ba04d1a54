"""Moments as documents have them."""

from __future__ import annotations

from ggtui.core.moments import utc_text


def test_times_are_utc() -> None:
    assert "1970-01-01T00:00:01.500Z" == utc_text(1.5)
    assert utc_text(None) is None
