"""Several servers for one deployment, and which of them a request goes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ReplicaState(StrEnum):
    """Where a replica stands: pending, serving, draining, and failed from any of them."""

    PENDING = "pending"
    SERVING = "serving"
    DRAINING = "draining"
    """It ends when its requests have ended; nobody new is sent to it."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Replica:
    """One server of a deployment."""

    index: int
    """From 0."""
    state: ReplicaState = ReplicaState.PENDING
    in_flight: int = 0
    """Requests it serves now."""
    max_concurrent: int | None = None
    """Requests it serves at once; None when it does not say."""

    @property
    def load(self) -> float:
        """Requests in flight as a share of what it serves at once; their number where that is unknown."""
        return self.in_flight / (self.max_concurrent or 1)


def least_loaded(replicas: Iterable[Replica]) -> Replica | None:
    """The serving replica with the lowest load, the first by index among equals; None when none serves."""
    serving = [each for each in replicas if each.state is ReplicaState.SERVING]
    return min(serving, key=lambda each: (each.load, each.index), default=None)
