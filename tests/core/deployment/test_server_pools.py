"""The part of the memory that each server of a model gets: no byte is in two of them."""

from __future__ import annotations

import pytest

from ggtui.core.deployment.replicas import ONE, ReplicaPlan
from ggtui.core.deployment.server_pools import SharedPool, pool_of_server, shared_pools
from ggtui.core.memory.pool import MemoryPool, PoolDevice, PoolKind
from ggtui.core.units import GIB

CARDS = (PoolDevice("GPU0", 24 * GIB, GIB), PoolDevice("GPU1", 12 * GIB, 0), PoolDevice("GPU2", 8 * GIB, 0))
MAIN = MemoryPool(PoolKind.RAM, 64 * GIB, 4 * GIB, GIB)


def gpus(*devices: PoolDevice) -> MemoryPool:
    """A pool of these, with 30 GiB of main memory beside them."""
    return MemoryPool(
        PoolKind.GPU,
        sum(each.total_bytes for each in devices),
        sum(each.used_by_others_bytes for each in devices),
        len(devices) * GIB,
        overflow_bytes=30 * GIB,
        n_devices=len(devices),
        devices=devices,
    )


@pytest.mark.parametrize("plan", [ONE, ReplicaPlan(2), ReplicaPlan(3, 0)])
def test_main_memory_is_shared_by_all(plan: ReplicaPlan) -> None:
    assert (SharedPool(MAIN, plan.n),) == shared_pools(plan, MAIN)


@pytest.mark.parametrize(
    ("plan", "names"),
    [
        (ReplicaPlan(1, 1), [["GPU0"]]),
        (ReplicaPlan(2, 1), [["GPU0"], ["GPU1"]]),
        (ReplicaPlan(2), [["GPU0"], ["GPU1"]]),
        (ReplicaPlan(3), [["GPU0"], ["GPU1"], ["GPU2"]]),
        (ReplicaPlan(1, 3), [["GPU0", "GPU1", "GPU2"]]),
    ],
)
def test_each_gets_devices_of_its_own(plan: ReplicaPlan, names: list[list[str]]) -> None:
    found = shared_pools(plan, gpus(*CARDS))

    assert names == [[device.name for device in each.pool.devices] for each in found]
    for each in found:
        assert 1 == each.n_servers
        assert sum(device.total_bytes for device in each.pool.devices) == each.pool.total_bytes
        assert sum(device.used_by_others_bytes for device in each.pool.devices) == (
            each.pool.used_by_others_bytes
        )
        assert len(each.pool.devices) * GIB == each.pool.reserve_bytes
        assert 30 * GIB // plan.n == each.pool.overflow_bytes


def test_more_servers_than_devices_share_them() -> None:
    found = shared_pools(ReplicaPlan(3), gpus(*CARDS[:2]))

    assert [("GPU0", 2, 20 * GIB), ("GPU1", 1, 10 * GIB)] == [
        (each.pool.devices[0].name, each.n_servers, each.pool.overflow_bytes) for each in found
    ]


def test_so_many_as_will_be_started_get_what_they_would_among_all() -> None:
    first = shared_pools(ReplicaPlan(3), gpus(*CARDS), 1)

    assert [("GPU0", 1, 30 * GIB)] == [
        (each.pool.devices[0].name, each.n_servers, each.pool.overflow_bytes) for each in first
    ]
    assert "GPU2" == pool_of_server(ReplicaPlan(3), gpus(*CARDS), 2).devices[0].name


def test_without_devices_for_itself_it_goes_to_main_memory() -> None:
    (found,) = shared_pools(ReplicaPlan(2, 0), gpus(*CARDS))

    assert (PoolKind.RAM, 30 * GIB, 2) == (found.pool.kind, found.pool.room_bytes, found.n_servers)
