"""Which part of the memory each server of a model goes to, when a deployment shares the machine out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ggtui.core.deployment.replicas import ONE
from ggtui.core.deployment.shares import Device, Roster, share_of
from ggtui.core.memory.pool import MemoryPool, PoolKind

if TYPE_CHECKING:
    from collections.abc import Collection

    from ggtui.core.deployment.replicas import ReplicaPlan


@dataclass(frozen=True, slots=True)
class SharedPool:
    """A part of the memory, and how many servers of the model go to it together."""

    pool: MemoryPool
    n_servers: int


def pool_of_server(plan: ReplicaPlan, pool: MemoryPool, index: int = 0) -> MemoryPool:
    """What the server of this number goes to, where all of them are to stand. index: from 0."""
    return _each(plan, pool, index + 1)[index]


def shared_pools(plan: ReplicaPlan, pool: MemoryPool, n_servers: int | None = None) -> tuple[SharedPool, ...]:
    """The parts that the first so many servers go to, in their order; None for as many as there shall be.

    What main memory takes of a part is shared by all of them.
    """
    n = plan.n if n_servers is None else n_servers
    groups = Counter(_each(plan, pool, n))
    return tuple(
        SharedPool(replace(each, overflow_bytes=each.overflow_bytes * n_here // n), n_here)
        for each, n_here in groups.items()
    )


def roster_of_pool(pool: MemoryPool) -> Roster:
    """The devices of a pool, by their places in it."""
    return Roster(tuple(Device("", str(place)) for place in range(len(pool.devices))))


def _each(plan: ReplicaPlan, pool: MemoryPool, n: int) -> tuple[MemoryPool, ...]:
    if plan == ONE or pool.kind is PoolKind.RAM or not pool.devices:
        return (pool,) * n
    if plan.gpus == 0:
        return (MemoryPool(PoolKind.RAM, pool.overflow_bytes, 0, 0),) * n
    roster, taken, pools = roster_of_pool(pool), list[Device](), []
    for _ in range(n):
        devices = share_of(plan, roster, taken).devices or ()
        taken.extend(devices)
        pools.append(_part(pool, [int(device.id) for device in devices]))
    return tuple(pools)


def _part(pool: MemoryPool, places: Collection[int]) -> MemoryPool:
    """The pool with these of its devices alone."""
    devices = tuple(pool.devices[place] for place in places)
    return replace(
        pool,
        total_bytes=sum(each.total_bytes for each in devices),
        used_by_others_bytes=sum(each.used_by_others_bytes for each in devices),
        reserve_bytes=pool.reserve_bytes // len(pool.devices) * len(devices),
        n_devices=len(devices),
        devices=devices,
    )
