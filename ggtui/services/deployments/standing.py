"""Whether a deployment takes requests: what a person, a reload and its own failures say of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.errors import (
    EndpointNotFound,
    EndpointNotReady,
    Failure,
    HealthCheckFailed,
    ModelNotReady,
    SpawnFailed,
)
from ggtui.core.routing.endpoints import EndpointStatus
from ggtui.core.snapshot import DeploymentState

if TYPE_CHECKING:
    from collections.abc import Callable

DRAINED = "a person has drained it"


class Standing:
    """One deployment's. A failure keeps nobody out: the next request may find it cured."""

    def __init__(self, name: str, changed: Callable[[], None]) -> None:
        self.is_shut = False
        """True when no new request is taken."""
        self.is_drained = False
        self.is_removed = False
        self.why_failed = ""
        """Empty while it works, as far as is known."""
        self._name = name
        self._changed = changed

    @property
    def why(self) -> str:
        """Why it does not serve; empty when it does."""
        return DRAINED if self.is_drained else self.why_failed

    def state(self, n_open: int) -> DeploymentState:
        """How it is shown. n_open: requests that it has."""
        if self.is_drained:
            return DeploymentState.DRAINING if n_open else DeploymentState.DISABLED
        return DeploymentState.FAILED if self.why_failed else DeploymentState.SERVING

    def drain(self, *, is_drained: bool) -> None:
        """A person takes it out of service, or puts it in again."""
        self.is_drained = is_drained
        self.is_shut = is_drained or self.is_removed

    def remove(self, *, is_removed: bool) -> None:
        """A reload takes it away, or brings it back."""
        self.is_removed = is_removed
        self.is_shut = is_removed or self.is_drained

    def refusal(self) -> Failure | None:
        """Why no new request is taken; None when one is."""
        if self.is_removed:
            return EndpointNotFound(self._name)
        return (
            EndpointNotReady(self._name, EndpointStatus.DISABLED, hint=DRAINED) if self.is_drained else None
        )

    def works(self) -> None:
        """Its server has answered."""
        self.fails("")

    def works_not(self, failure: Failure) -> None:
        """An attempt failed; a start that failed, now or too often, is the deployment's own failure."""
        if isinstance(failure, (SpawnFailed, HealthCheckFailed, ModelNotReady)):
            self.fails(failure.message)

    def fails(self, why: str) -> None:
        """Show this; empty for a deployment that works."""
        if why != self.why_failed:
            self.why_failed = why
            self._changed()
