"""Where a model stands, in the words every view uses."""

from __future__ import annotations

from enum import StrEnum


class TargetState(StrEnum):
    """One word for each moment of a target's life."""

    IDLE = "idle"
    QUEUED = "queued"
    LOADING = "loading"
    READY = "ready"
    DRAINING = "draining"
    STOPPING = "stopping"
    FAILED = "failed"
    EXTERNAL = "external"
