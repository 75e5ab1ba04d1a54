"""Moments as documents have them."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_text(at: float | None) -> str | None:
    """Unix time as ISO 8601 in UTC, to the millisecond; None stays None."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
