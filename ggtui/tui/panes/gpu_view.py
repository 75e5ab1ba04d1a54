"""What the memory pane shows, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ggtui.core.memory.pool import PoolKind
from ggtui.core.ports.gpu import MemoryReading
from ggtui.tui.memory_stack import Stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.core.gpu_absence import Absence
    from ggtui.core.ports.gpu import GpuSample


@dataclass(frozen=True, slots=True)
class GpuView:
    """What the pane shows."""

    memory: MemoryReading = field(default_factory=MemoryReading)
    pool: PoolKind = PoolKind.RAM
    now: tuple[int, int, int] = (0, 0, 0)
    """Bytes of the pool: total, ours, others."""
    after: tuple[int, int] | None = None
    """Bytes of the pool once the model under the cursor answers: that model, everything else."""
    pids: tuple[int, ...] = ()
    """Our servers."""
    history: tuple[int, ...] = ()
    """Used bytes of the pool at 1 Hz, oldest first."""
    gpu_history: tuple[tuple[int, ...], ...] = ()
    """The same by device, in the order of memory.gpus."""
    after_by_gpu: Mapping[int, int] = field(default_factory=dict)
    """Bytes held by all together on a device once the model under the cursor answers, by its index."""
    reserve_bytes: int = 0
    """Kept free of the pool."""
    absence: Absence | None = None
    """Why the devices are not used; None when they are."""

    @property
    def is_on_gpus(self) -> bool:
        """True when the next load goes to devices."""
        return self.pool is PoolKind.GPU and bool(self.memory.gpus)

    def pool_now(self) -> Stack:
        """The pool at this moment."""
        total, ours, others = self.now
        return Stack(total, ours, others, reserve=self.reserve_bytes)

    def pool_after(self) -> Stack | None:
        """The pool after the load: ours are those that stay; None when no load is looked at."""
        if self.after is None:
            return None
        model, rest = self.after
        others = min(rest, self.now[2])
        stays = rest - others
        return Stack(self.now[0], stays, others, after=rest + model, reserve=self.reserve_bytes)

    def pool_change(self) -> Stack:
        """The pool now, with what the load would add on top."""
        total, ours, others = self.now
        return Stack(total, ours, others, self._after_all(), self.reserve_bytes)

    def _after_all(self) -> int | None:
        """Held by the pool after the load, also where another pane draws that bar."""
        if self.after is not None:
            return sum(self.after)
        if not self.after_by_gpu:
            return None
        used = {gpu.index: gpu.used_bytes or 0 for gpu in self.memory.gpus}
        change = sum(after - used.get(index, 0) for index, after in self.after_by_gpu.items())
        return self.now[1] + self.now[2] + change

    def device(self, gpu: GpuSample) -> Stack:
        """One device now, with what the load would add on top."""
        ours = sum(gpu.process_bytes.get(pid, 0) for pid in self.pids)
        used = gpu.used_bytes
        held = ours if used is None else min(ours, used)
        return Stack(
            gpu.total_bytes,
            held,
            None if used is None else used - held,
            self.after_by_gpu.get(gpu.index),
            self.reserve_bytes // max(1, len(self.memory.gpus)) if self.is_on_gpus else 0,
        )
