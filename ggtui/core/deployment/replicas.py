"""Several servers for one deployment, and which of them a request goes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

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


@dataclass(frozen=True, slots=True)
class ReplicaPlan:
    """What deployments say of the servers of one model."""

    n: int = 1
    """How many there shall be."""
    gpus: int | None = None
    """For each of them; None leaves it to what there is."""

    def with_also(self, other: ReplicaPlan) -> ReplicaPlan:
        """What serves two deployments of the same model: the larger number of each."""
        known = [each for each in (self.gpus, other.gpus) if each is not None]
        return ReplicaPlan(max(self.n, other.n), max(known, default=None))


ONE = ReplicaPlan()
"""What counts where no deployment says anything."""


class ReplicaRules(Protocol):
    """What the scheduler asks before it brings up another server of a model that has one."""

    @property
    def are_any(self) -> bool:
        """False while no model is to have more than one server."""

    def n_wanted(self, model_id: int) -> int:
        """How many servers a model shall have once it has one."""

    def rests_until(self, model_id: int, replica: int) -> float:
        """Before when this one is not started again, in monotonic seconds; 0 when it may be at once.

        Infinite for one that stays down until somebody acts.
        """


class OneEach:
    """Every model has one server."""

    are_any = False

    def n_wanted(self, model_id: int) -> int:
        """One."""
        return 1

    def rests_until(self, model_id: int, replica: int) -> float:
        """It may be started at any time."""
        return 0.0


def least_loaded(replicas: Iterable[Replica]) -> Replica | None:
    """The serving replica with the lowest load, the first by index among equals; None when none serves."""
    serving = [each for each in replicas if each.state is ReplicaState.SERVING]
    return min(serving, key=lambda each: (each.load, each.index), default=None)
