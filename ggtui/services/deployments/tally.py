"""Counts what became of the requests of one deployment."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from ggtui.core import errors
from ggtui.core.deployment.outcomes import outcome_of
from ggtui.core.snapshot import DeploymentCounts

if TYPE_CHECKING:
    from ggtui.core.errors import Failure

_COUNTED_AS: Final[tuple[tuple[type[Failure], str], ...]] = (
    (errors.RateLimitExceeded, "rate_limited"),
    (errors.UpstreamRateLimited, "rate_limited"),
    (errors.CircuitOpen, "circuit_open"),
    (errors.UpstreamTimedOut, "timed_out"),
    (errors.ContentFiltered, "content_filtered"),
    (errors.PolicyRefusal, "refused"),
    (errors.EndpointNotReady, "refused"),
)
"""The first that matches; any other failure that is not the caller's counts as failed."""


class Tally:
    """Since ggtui began; a request counts once, and not at all when its client left or was at fault."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._n_succeeded = 0
        self._n_input = 0
        self._n_output = 0
        self._cost_pusd = 0

    @property
    def counts(self) -> DeploymentCounts:
        """All of them now."""
        return DeploymentCounts(
            succeeded=self._n_succeeded,
            input_tokens=self._n_input,
            output_tokens=self._n_output,
            cost_pusd=self._cost_pusd,
            **self._counts,
        )

    def took(self, n_succeeded: int, n_input: int, n_output: int, cost_pusd: int) -> None:
        """So many were answered, and all that have ended took this."""
        self._n_succeeded += n_succeeded
        self._n_input += n_input
        self._n_output += n_output
        self._cost_pusd += cost_pusd

    def failed(self, failure: Failure) -> None:
        """A request has ended with this."""
        kind = next((name for kind, name in _COUNTED_AS if isinstance(failure, kind)), "")
        if kind or not outcome_of(failure).is_the_callers:
            self._counts[kind or "failed"] += 1
