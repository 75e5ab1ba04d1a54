"""How long an idle model stays, as a request says it."""

from __future__ import annotations

import re

from ggtui.core.errors import InvalidRequest

LONGEST_S = 366 * 86_400.0
_SPAN = re.compile(r"(-?\d+(?:\.\d+)?)(ms|s|m|h|)")
_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


def parse_keep_alive(value: object) -> float | None:
    """The `keep_alive` of a request body in seconds, None when absent or null; negative means for ever.

    Takes a number of seconds, or a text such as "10m", as other servers of local models do.
    Raises: InvalidRequest for anything else.
    """
    if value is None:
        return None
    if isinstance(value, str):
        found = _SPAN.fullmatch(value.strip())
        seconds = float(found[1]) * _UNITS[found[2]] if found else None
    else:
        seconds = value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if seconds is None or seconds > LONGEST_S:
        raise InvalidRequest(
            'keep_alive must be seconds, a time such as "10m", or -1 for ever', param="keep_alive"
        )
    return float(max(seconds, -LONGEST_S))
