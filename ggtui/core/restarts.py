"""How often a model may fail before it is left alone for a while."""

from __future__ import annotations

from dataclasses import dataclass

FREE_FAILURES = 2
"""Failures in a row after which the next request still starts at once."""

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
        self._records[model_id] = _Record(before.n_failures + 1 if before and is_in_a_row else 1, now)

    def forgive(self, model_id: int | None = None) -> None:
        """A person, or a change of file or configuration, gives one model or all a fresh start."""
        if model_id is None:
            self._records.clear()
        else:
            self._records.pop(model_id, None)

    def pause_s(self, model_id: int, now: float) -> float:
        """Seconds until this model may be started again; 0 when it may."""
        record = self._records.get(model_id)
        return max(0.0, record.retry_at - now) if record is not None else 0.0
