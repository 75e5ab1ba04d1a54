"""How many clients the file descriptors of this process are enough for."""

from __future__ import annotations

import os

_OTHERS = 64
"""For the catalog, logs, children and whatever else is open."""


def connection_cap(wanted: int) -> int:
    """At most `wanted`, and so few that two descriptors for each fit beside the others."""
    if os.name != "posix":
        return wanted
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, max(8, (soft - _OTHERS) // 2))
