"""How often a model may fail before it is left alone: for a while, or until a person acts."""

from __future__ import annotations

import math
from dataclasses import dataclass

FREE_FAILURES = 2
"""Failures in a row after which the next request still starts at once."""

FREE_FAILURES_OF_REPLICAS = 3
"""Failures within FORGET_S after which one of several servers of a model still starts at once."""

FORGET_S = 60.0
"""A failure this long after the last one, or after the end of its pause, counts as the first."""

FIRST_PAUSE_S = 30.0
LONGEST_PAUSE_S = 300.0


@dataclass(frozen=True, slots=True)
class _Record:
    n_failures: int
    last: float

    @property
    def retry_at(self) -> float:
        if self.n_failures <= FREE_FAILURES:
            return self.last
        doublings = self.n_failures - FREE_FAILURES - 1
        return self.last + min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**doublings)


class RestartLimiter:
    """Counts failed starts and crashes by model. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._records: dict[int, _Record] = {}

    def failed(self, model_id: int, now: float) -> None:
        """A start failed, or a server died unasked."""
        before = self._records.get(model_id)
        is_in_a_row = before is not None and now < before.retry_at + FORGET_S
        n_failures = before.n_failures + 1 if before and is_in_a_row else 1
        self._records[model_id] = _Record(n_failures, now)

    def forgive(self, model_id: int | None = None) -> None:
        """A person, or a change of file or configuration, gives one model or all a fresh start."""
        if model_id is None:
            self._records.clear()
        else:
            self._records.pop(model_id, None)

    def pause_s(self, model_id: int, now: float) -> float:
        """Seconds until this model may be started again; 0 when it may."""
        return max(0.0, self.retry_at(model_id) - now)

    def retry_at(self, model_id: int) -> float:
        """When this model may be started again; 0 for one that has not failed."""
        record = self._records.get(model_id)
        return record.retry_at if record is not None else 0.0


class ReplicaLimiter:
    """The same for one of several servers of each model: as long as others serve, nobody needs this one.

    One that fails too often within FORGET_S stays down until somebody forgives it.
    """

    def __init__(self) -> None:
        self._failed_at: dict[int, tuple[float, ...]] = {}
        """Moments of the failures that count, by model."""

    def failed(self, model_id: int, now: float) -> None:
        """A start failed, or a server died unasked."""
        if self.retry_at(model_id) < math.inf:
            before = self._failed_at.get(model_id, ())
            self._failed_at[model_id] = (*(each for each in before if now < each + FORGET_S), now)

    def forgive(self, model_id: int | None = None) -> None:
        """See RestartLimiter."""
        if model_id is None:
            self._failed_at.clear()
        else:
            self._failed_at.pop(model_id, None)

    def pause_s(self, model_id: int, now: float) -> float:
        """Infinite for one that stays down, else 0."""
        return max(0.0, self.retry_at(model_id) - now)

    def retry_at(self, model_id: int) -> float:
        """Infinite for one that stays down, else 0."""
        n_failures = len(self._failed_at.get(model_id, ()))
        return math.inf if n_failures > FREE_FAILURES_OF_REPLICAS else 0.0
