"""What may have been meant: names close to one that does not exist. For hints only, never for routing."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def near_names(name: str, known: Sequence[str], limit: int = 3) -> tuple[str, ...]:
    """At most `limit` known names, nearest first; a part of a name counts as near."""
    wanted = name.lower()
    holding = [other for other in known if wanted and wanted in other.lower()]
    close = get_close_matches(wanted, [other.lower() for other in known], n=limit, cutoff=0.6)
    by_lower = {other.lower(): other for other in known}
    return tuple(dict.fromkeys([*holding, *(by_lower[other] for other in close)]))[:limit]
