"""What closes a difference: what a cycle does by itself, and what is left to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.backends.backend import THIS_MACHINE, BackendType
from ggtui.core.backends.rows import RowState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.core.backends.rows import Row

_WORDS: Mapping[RowState, str] = {
    RowState.IN_SYNC: "",
    RowState.DOWNLOADING: "it is being fetched",
    RowState.EXTRA: "left alone",
    RowState.DRIFTED: "left to you",
    RowState.ERROR: "looked at again in every cycle",
    RowState.PAUSED: "left until it is resumed",
}


def remedy(row: Row, types: Mapping[str, BackendType]) -> str:
    """What a cycle would do about this row, half a sentence; empty where nothing is to be done.

    types: of the backends, by name.
    """
    if row.state in (RowState.PAUSED, RowState.ERROR) and row.job is not None:
        return f"ggtui downloads resume {row.job}"
    if row.state is not RowState.MISSING:
        return _WORDS[row.state]
    if row.backend == THIS_MACHINE:
        return "fetch it from the hub"
    type = types.get(row.backend)
    return "have the backend fetch it" if type is not None and type.can_pull else "left to you"
