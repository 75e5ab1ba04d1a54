"""The memory that a load is measured against: the working GPUs together, or main memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ggtui.core.memory.parts import DeviceRoom
from ggtui.core.units import GIB, MIB

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ggtui.core.ports.gpu import GpuSample, MemoryReading

GPU_RESERVE_BYTES = GIB
"""Memory kept free on each device: library pools, the desktop."""

GPU_OVERHEAD_BYTES = 400 * MIB
"""What the driver takes for a process on each device it uses: a usual figure, told by no log line."""

RAM_RESERVE_BYTES = GIB // 2
"""Main memory kept free, or an eighth of it where that is less."""


class PoolKind(StrEnum):
    """The memory that a load is measured against."""

    GPU = "GPU"
    RAM = "RAM"


@dataclass(frozen=True, slots=True)
class PoolDevice:
    """One device of a pool."""

    name: str
    total_bytes: int
    used_by_others_bytes: int
    pads_tensors: bool = True


@dataclass(frozen=True, slots=True)
class MemoryPool:
    """The memory a model goes to. `used_by_others_bytes` leaves out what a swap gives back."""

    kind: PoolKind
    total_bytes: int
    """0 when it cannot be read."""
    used_by_others_bytes: int
    reserve_bytes: int
    overflow_bytes: int = 0
    """Main memory that may take what the devices do not hold; 0 when the pool is main memory itself."""
    n_devices: int = 0
    """GPUs that make up the pool; 0 for main memory."""
    devices: tuple[PoolDevice, ...] = ()
    """They, one by one; empty counts as one device."""
    is_use_known: bool = True
    """False when a device does not tell what is used of it; then it counts as empty."""

    @property
    def room_bytes(self) -> int:
        """What a model may take; negative when others already use the reserve."""
        return self.total_bytes - self.reserve_bytes - self.used_by_others_bytes

    @property
    def rooms(self) -> tuple[DeviceRoom, ...]:
        """What a model may take on each device; empty for main memory."""
        if self.kind is PoolKind.RAM:
            return ()
        whole = PoolDevice("GPU", self.total_bytes, self.used_by_others_bytes)
        devices = self.devices or (whole,)
        reserve = self.reserve_bytes // len(devices)
        return tuple(
            DeviceRoom(
                name=each.name,
                room_bytes=each.total_bytes - each.used_by_others_bytes - reserve,
                free_bytes=max(0, each.total_bytes - each.used_by_others_bytes),
                overhead_bytes=GPU_OVERHEAD_BYTES,
                pads_tensors=each.pads_tensors,
            )
            for each in devices
        )

    def beside(self, n_bytes: int) -> MemoryPool:
        """The pool when n_bytes of it are held by what stays, spread as the engine spreads layers."""
        if not n_bytes:
            return self
        free = [max(0, each.total_bytes - each.used_by_others_bytes) for each in self.devices]
        whole = sum(free) or 1
        devices = tuple(
            replace(each, used_by_others_bytes=each.used_by_others_bytes + n_bytes * part // whole)
            for each, part in zip(self.devices, free, strict=True)
        )
        return replace(self, used_by_others_bytes=self.used_by_others_bytes + n_bytes, devices=devices)


def own_bytes(reading: MemoryReading, servers: Mapping[int, int], *, engine_has_gpu: bool) -> int:
    """What our own servers hold of the pool that `pool_of` would choose, in bytes.

    servers: bytes on devices by the server's own log, by pid; they count where no driver tells, 0 for
    unknown. In main memory only what is private to them counts: mapped weights are page cache.
    """
    gpus = _devices(reading, engine_has_gpu)
    if gpus:
        return sum(_held(gpus, servers))
    return sum(reading.process_private_bytes.get(pid, 0) for pid in servers)


def _held(gpus: Sequence[GpuSample], servers: Mapping[int, int]) -> list[int]:
    """What our servers hold on each device: the driver's count, else the log's, spread by use."""
    held = [sum(gpu.process_bytes.get(pid, 0) for pid in servers) for gpu in gpus]
    untold = sum(
        n_bytes
        for pid, n_bytes in servers.items()
        if n_bytes and not any(pid in gpu.process_bytes for gpu in gpus)
    )
    used = [max(0, (gpu.used_bytes or 0) - own) for gpu, own in zip(gpus, held, strict=True)]
    whole = sum(used) or 1
    return [own + min(untold, whole) * part // whole for own, part in zip(held, used, strict=True)]


def pool_of(
    reading: MemoryReading,
    servers: Mapping[int, int] | None = None,
    *,
    engine_has_gpu: bool = False,
    reserve_bytes: int | None = None,
) -> MemoryPool:
    """The pool of the next load: all working GPUs when the engine can use them, else main memory.

    servers: those whose memory counts as given back, see `own_bytes`.
    reserve_bytes: memory kept free; None for the default of the pool.
    """
    ram_total, ram_available = reading.ram_total_bytes, reading.ram_available_bytes
    ram_reserve = min(RAM_RESERVE_BYTES, ram_total // 8)
    gpus = _devices(reading, engine_has_gpu)
    if not gpus:
        reserve = ram_reserve if reserve_bytes is None else reserve_bytes
        ours = own_bytes(reading, servers or {}, engine_has_gpu=engine_has_gpu)
        return MemoryPool(PoolKind.RAM, ram_total, max(0, ram_total - ram_available - ours), reserve)
    held = _held(gpus, servers or {})
    devices = tuple(_pool_device(gpu, own) for gpu, own in zip(gpus, held, strict=True))
    is_unified = any(gpu.is_unified for gpu in gpus)
    return MemoryPool(
        kind=PoolKind.GPU,
        total_bytes=sum(each.total_bytes for each in devices),
        used_by_others_bytes=sum(each.used_by_others_bytes for each in devices),
        reserve_bytes=GPU_RESERVE_BYTES * len(devices) if reserve_bytes is None else reserve_bytes,
        overflow_bytes=0 if is_unified else max(0, ram_available - ram_reserve),
        n_devices=len(devices),
        devices=devices,
        is_use_known=all(gpu.used_bytes is not None for gpu in gpus),
    )


def _pool_device(gpu: GpuSample, own: int) -> PoolDevice:
    used = max(0, (gpu.used_bytes or 0) - own)
    return PoolDevice(f"GPU{gpu.index}", gpu.total_bytes or 0, used)


def _devices(reading: MemoryReading, engine_has_gpu: bool) -> tuple[GpuSample, ...]:
    """The devices that the engine would use and whose size is known."""
    if not engine_has_gpu:
        return ()
    usable = (gpu for gpu in reading.gpus if not gpu.is_hidden and not gpu.is_lost)
    return tuple(gpu for gpu in usable if gpu.total_bytes)
