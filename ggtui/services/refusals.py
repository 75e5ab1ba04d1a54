"""Which models are not started, and why: they failed for good, failed too often, or can never fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.core.decisions import Refusal
from ggtui.core.errors import (
    AdmissionTimeout,
    EngineStopping,
    LoadCancelled,
    ModelFileNotFound,
    ModelNotReady,
    ModelRuntimeError,
    NoRoom,
    OutOfMemory,
    QueueFull,
    SpawnReason,
)
from ggtui.services.replicas import Replicas

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ggtui.core.models import ModelLaunchSpec
    from ggtui.services.launches import LaunchLedger

FINAL_REASONS = frozenset(
    {
        SpawnReason.BAD_ARGUMENT,
        SpawnReason.BAD_MODEL_FILE,
        SpawnReason.UNSUPPORTED_ARCH,
        SpawnReason.MISSING_LIBRARY,
    }
)
"""A start that failed for one of these would fail again: it waits for a person, or for another file."""


@dataclass(frozen=True, slots=True)
class _Final:
    """A failure that stands for as long as the files of the launch are what they were."""

    error: ModelRuntimeError
    files: tuple[tuple[int, int] | None, ...]


class Refusals:
    """Remembers how starts failed. Times are monotonic seconds."""

    def __init__(
        self,
        ledger: LaunchLedger,
        forbids: Callable[[int, int], str],
        replicas: Replicas | None = None,
    ) -> None:
        """forbids: why this machine cannot hold a model at a context at all; empty when it may be tried.

        replicas: counts the failures of each server.
        """
        self._ledger = ledger
        self._forbids = forbids
        self._replicas = replicas or Replicas()
        self._final: dict[int, _Final] = {}

    def failed(
        self,
        spec: ModelLaunchSpec,
        error: ModelRuntimeError,
        now: float,
        *,
        replica: int = 0,
        has_worked: bool = False,
    ) -> None:
        """A start failed. has_worked: with another context it did just now, so nothing failed for good."""
        self._replicas.failed(spec.model_id, replica, now)
        if has_worked:
            return
        if isinstance(error, ModelFileNotFound) or getattr(error, "reason", None) in FINAL_REASONS:
            self._final[spec.model_id] = _Final(error, _files_now(spec))

    def crashed(self, model_id: int, now: float, replica: int = 0) -> None:
        """A server that was ready died unasked."""
        self._replicas.failed(model_id, replica, now)

    def forgive(self, model_id: int | None) -> None:
        """Give one model, or all, a fresh start."""
        self._replicas.forgive(model_id)
        if model_id is None:
            self._final.clear()
        else:
            self._final.pop(model_id, None)

    def why_resting(self, spec: ModelLaunchSpec, now: float) -> ModelRuntimeError | None:
        """Why a model whose starts keep failing is left alone for now; None when it may be started.

        Returns the failure that stands, or ModelNotReady.
        """
        final = self._final.get(spec.model_id)
        if final is not None and final.files == _files_now(spec):
            return final.error.with_traceback(None)
        pause_s = self._replicas.pause_s(spec.model_id, now)
        if pause_s > 0:
            failure = self._ledger.failure_of(spec.model_id)
            return ModelNotReady(spec.public_id, failure.detail if failure else "", pause_s)
        return None

    def check_possible(self, model_id: int, n_ctx: int) -> None:
        """A start that the machine can never hold is not tried, nor one that has no device of its own.

        Raises: NoGpuNodes, NotEnoughGpus, OutOfMemory.
        """
        self._replicas.check(model_id)
        cause = self._forbids(model_id, n_ctx)
        if cause:
            raise OutOfMemory(
                cause, reason=SpawnReason.OUT_OF_MEMORY, hint="ask for a smaller context with num_ctx"
            )


def error_of(why: Refusal) -> ModelRuntimeError:
    """What a refused request is told."""
    match why:
        case Refusal.TIMED_OUT:
            return AdmissionTimeout("waited too long for the model's turn")
        case Refusal.QUEUE_FULL:
            return QueueFull("too many requests are waiting")
        case Refusal.NO_ROOM:
            return NoRoom("pinned models hold the memory that this one needs")
        case Refusal.CLOSED:
            return EngineStopping("ggtui is stopping")
        case Refusal.CANCELLED | Refusal.LAUNCH_FAILED:
            return LoadCancelled("the load was cancelled", reason=SpawnReason.CANCELLED)


def _files_now(spec: ModelLaunchSpec) -> tuple[tuple[int, int] | None, ...]:
    """What tells the files of a launch from others in their places: the model's, then its adapters'."""
    return tuple(_stamp(path) for path in (spec.path, *(each.path for each in spec.options.adapters)))


def _stamp(path: Path) -> tuple[int, int] | None:
    """Size and time; None when it is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
