"""The words for how declared and observed differ: one row for each model of each backend."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RowState(StrEnum):
    """How one model of one backend stands."""

    IN_SYNC = "in_sync"
    MISSING = "missing"
    """Declared, and not there."""
    DOWNLOADING = "downloading"
    EXTRA = "extra"
    """There, and not declared: shown, and never deleted by itself."""
    DRIFTED = "drifted"
    """There, and other than declared."""
    ERROR = "error"
    PAUSED = "paused"
    """Missing, and a person does not want it fetched now."""

    @property
    def is_drift(self) -> bool:
        """True for what keeps declared and observed from being the same; an extra model does not."""
        return self not in (RowState.IN_SYNC, RowState.EXTRA)


@dataclass(frozen=True, slots=True)
class Row:
    """One model of one backend; or the backend alone, with an empty model, when it cannot be asked."""

    backend: str
    model: str
    state: RowState
    why: str = ""
    """One sentence; empty where the state says all."""
    job: int | None = None
    """Number of the download that brings it."""
    completed_bytes: int = 0
    total_bytes: int = 0
    """Of that download; 0 where it is not known."""
    repository: str = ""
    """What a missing model of this disk is fetched from; empty for one that a backend fetches by its name."""
