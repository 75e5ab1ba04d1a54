"""What would happen to the model under the cursor: arithmetic on values in memory, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.core.forecast import Forecast, Verdict
from ggtui.core.memory.pool import MemoryPool, own_bytes, pool_of
from ggtui.core.state import TargetState
from ggtui.core.units import GIB

if TYPE_CHECKING:
    from ggtui.core.models import ModelSummary
    from ggtui.core.snapshot import EngineSnapshot, TargetStatus

POOL_STEP_BYTES = GIB // 10
"""Memory that moved by less than this redraws no forecast."""

HOLDING = frozenset({TargetState.LOADING, TargetState.READY, TargetState.DRAINING, TargetState.STOPPING})
"""States in which a target holds memory that a swap gives back."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """One look ahead for one model at one context."""

    summary: ModelSummary
    state: TargetState
    n_ctx: int
    forecast: Forecast | None
    """None for a model that cannot be loaded."""
    target: TargetStatus | None = None
    """The model's own server, when it has one."""
    in_flight: int = 0
    """Requests on the servers that the load would stop."""
    has_other_options: bool = False
    """True when the model's own server was started with other options."""

    @property
    def is_loaded_as_chosen(self) -> bool:
        """True when a load would change nothing."""
        target = self.target
        if target is None or self.has_other_options:
            return False
        return target.state is TargetState.READY and target.n_ctx == self.n_ctx

    @property
    def fits_clearly(self) -> bool:
        """True when nobody needs to be asked: it fits, or a guess leaves ample room."""
        if self.forecast is None:
            return False
        if self.forecast.verdict is not Verdict.GUESS:
            return self.forecast.verdict is Verdict.FITS
        largest = self.forecast.largest_ctx
        if self.summary.shape is not None:
            # Full attention in all layers is assumed then, so what fits by it fits.
            return largest is not None and self.n_ctx <= largest
        return self.forecast.spare_bytes > self.forecast.model_bytes


def current_pool(snapshot: EngineSnapshot) -> MemoryPool:
    """The memory of the next load, our own servers' share given back."""
    has_gpu = snapshot.engine is not None and snapshot.engine.has_accelerator
    return pool_of(snapshot.memory, _servers(snapshot), engine_has_gpu=has_gpu)


def held_now(snapshot: EngineSnapshot) -> tuple[int, int, int]:
    """Bytes of the pool at this moment: total, held by our servers, held by other programs."""
    has_gpu = snapshot.engine is not None and snapshot.engine.has_accelerator
    pool = pool_of(snapshot.memory, engine_has_gpu=has_gpu)
    held = own_bytes(snapshot.memory, _servers(snapshot), engine_has_gpu=has_gpu)
    ours = min(pool.used_by_others_bytes, held)
    return pool.total_bytes, ours, pool.used_by_others_bytes - ours


def _servers(snapshot: EngineSnapshot) -> dict[int, int]:
    """The running servers by pid, with the bytes on devices that their logs tell."""
    return {
        target.pid: target.load.device_bytes if target.load is not None else 0
        for target in snapshot.targets
        if target.pid is not None
    }


def is_same_pool(one: MemoryPool | None, other: MemoryPool) -> bool:
    """True when nothing moved that a forecast would show."""
    return (
        one is not None
        and (one.kind, one.total_bytes, one.n_devices) == (other.kind, other.total_bytes, other.n_devices)
        and abs(one.used_by_others_bytes - other.used_by_others_bytes) < POOL_STEP_BYTES
        and abs(one.overflow_bytes - other.overflow_bytes) < POOL_STEP_BYTES
    )
