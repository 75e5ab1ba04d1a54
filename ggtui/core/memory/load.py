"""A model on its way to a pool: the same plan for any context, and whether it fits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ggtui.core.memory.parts import Companions, projector_bytes, together
from ggtui.core.memory.plan import MemoryPlan
from ggtui.core.memory.pool import PoolKind
from ggtui.core.memory.request import LoadRequest, request_of

if TYPE_CHECKING:
    from ggtui.core.memory.compute import MeasuredCompute
    from ggtui.core.memory.parts import DeviceRoom, DeviceShare
    from ggtui.core.memory.pool import MemoryPool
    from ggtui.core.models import LaunchOptions, ModelSummary


@dataclass(frozen=True, slots=True)
class Load:
    """A model, how it would be launched and where: what stays the same while its context moves."""

    model: ModelSummary
    options: LaunchOptions
    pool: MemoryPool
    companions: Companions | None = None
    measured: MeasuredCompute | None = None
    """Given in place of what earlier loads of the file have taught."""
    n_servers: int = 1
    """Servers alike that go to the pool together."""

    @property
    def beside(self) -> Companions | None:
        """What is loaded with the model: as given, else adapters, and the projector where that is wanted."""
        if self.companions is not None:
            return self.companions
        of_adapters = self.options.adapters_bytes
        of_projector = projector_bytes(self.model.projector_bytes) if self.options.projector else 0
        return Companions(of_adapters, of_projector) if of_adapters or of_projector else None

    @property
    def taught(self) -> MeasuredCompute | None:
        """The newest that a load of this kind has taught, else the newest of any; None before the first."""
        shape = self.model.shape
        if self.measured is not None or shape is None:
            return self.measured
        kept = self.model.measured
        return next((each for each in kept if each.suits(shape, self.request)), next(iter(kept), None))

    def plan(self, like: MemoryPlan | None = None, n_gpu_layers: int | None = None) -> MemoryPlan:
        """The plan of this load. like: one of the same load, when only the layers on devices differ."""
        return MemoryPlan(
            self.model,
            self.request if like is None else replace(like.request, n_gpu_layers=n_gpu_layers),
            self._rooms,
            companions=self.beside,
            measured=self.taught,
            ladder=None if like is None else like.ladder,
        )

    @property
    def overhead_bytes(self) -> int | None:
        """What the driver takes on each device: as in a load of this model, else of another one here."""
        taught = self.taught
        own = taught.overhead_bytes if taught is not None else None
        return self.model.overhead_bytes if own is None else own

    @property
    def _rooms(self) -> tuple[DeviceRoom, ...]:
        overhead = self.overhead_bytes
        if overhead is None:
            return self.pool.rooms
        return tuple(replace(each, overhead_bytes=overhead) for each in self.pool.rooms)

    @property
    def request(self) -> LoadRequest:
        """The load as the memory sees it."""
        return request_of(self.options)

    def shares(self, plan: MemoryPlan, n_ctx: int) -> tuple[DeviceShare, ...]:
        """What all servers hold on each device and, last, on the host."""
        shares = plan.shares(n_ctx)
        return shares if self.n_servers == 1 else tuple(together((each,) * self.n_servers) for each in shares)

    def fits(self, plan: MemoryPlan, n_ctx: int) -> bool:
        """True when every device, and the host beside them, has room for its share."""
        *on_devices, host = self.shares(plan, n_ctx)
        if self.pool.kind is PoolKind.RAM:
            return host.total_bytes <= self.pool.room_bytes
        rooms = self.pool.rooms
        if any(share.total_bytes > room.room_bytes for share, room in zip(on_devices, rooms, strict=True)):
            return False
        return host.allocated_bytes <= self.pool.overflow_bytes or not self.pool.overflow_bytes

    def fits_in_part(self, plan: MemoryPlan, n_ctx: int) -> bool:
        """True when main memory also holds the weights that the devices do not."""
        host = self.shares(plan, n_ctx)[-1]
        return host.total_bytes <= self.pool.overflow_bytes and self.fits(plan, n_ctx)
