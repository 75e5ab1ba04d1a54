"""Lengths of time as a configuration writes them."""

from __future__ import annotations

import re
from typing import Final

LONGEST_S: Final = 366 * 86_400.0
_SPAN = re.compile(r"([+-]?\d{1,20}(?:\.\d{1,20})?)(ms|s|m|h)", re.ASCII)
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_IN_MS: Final = "_ms"


def plain_key(key: str) -> str:
    """The name of a setting without the suffix that says it is given in milliseconds."""
    return key.removesuffix(_IN_MS)


def parse_duration(value: object, key: str = "") -> float:
    """Seconds of a length of time: an integer is milliseconds; a text has a unit: "250ms", "30s", "1m", "1h".

    key: the name of the setting; one that ends in `_ms` takes an integer only. Zero and less are read as
    they are: what they would mean depends on the setting.
    Raises: ValueError, with a text that says what may be written.
    """
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(f"{_named(key)}must be {_allowed(key)}")
    if isinstance(value, str):
        found = None if key.endswith(_IN_MS) else _SPAN.fullmatch(value.strip())
        if found is None:
            raise ValueError(f"{_named(key)}must be {_allowed(key)}")
        seconds = float(found[1]) * _UNITS[found[2]]
    else:
        seconds = max(-LONGEST_S, min(value, 10**15)) / 1000
    if seconds > LONGEST_S:
        raise ValueError(f"{_named(key)}must not be longer than 366 days")
    return seconds


def _named(key: str) -> str:
    return f"{key} " if key else "a length of time "


def _allowed(key: str) -> str:
    if key.endswith(_IN_MS):
        return f'an integer of milliseconds; a text such as "30s" goes to {plain_key(key)}'
    return 'an integer of milliseconds or a text such as "250ms", "30s", "1m" or "1h"'
