"""The life of a target, and its legal moves in one table."""

from __future__ import annotations

from enum import StrEnum


class TargetState(StrEnum):
    """Where a model stands, in the words every view uses."""

    IDLE = "idle"
    QUEUED = "queued"
    LOADING = "loading"
    READY = "ready"
    DRAINING = "draining"
    STOPPING = "stopping"
    FAILED = "failed"
    EXTERNAL = "external"


LEGAL_MOVES: dict[TargetState, frozenset[TargetState]] = {
    TargetState.IDLE: frozenset({TargetState.QUEUED, TargetState.LOADING}),
    TargetState.QUEUED: frozenset({TargetState.LOADING, TargetState.IDLE}),
    TargetState.LOADING: frozenset({TargetState.READY, TargetState.FAILED, TargetState.STOPPING}),
    TargetState.READY: frozenset({TargetState.DRAINING, TargetState.STOPPING, TargetState.FAILED}),
    TargetState.DRAINING: frozenset({TargetState.READY, TargetState.STOPPING, TargetState.FAILED}),
    TargetState.STOPPING: frozenset({TargetState.IDLE, TargetState.QUEUED, TargetState.LOADING}),
    TargetState.FAILED: frozenset({TargetState.IDLE, TargetState.QUEUED, TargetState.LOADING}),
    TargetState.EXTERNAL: frozenset({TargetState.IDLE}),
}
"""From each state, the states that may follow. DRAINING goes back to READY when the rival gives up."""
