"""The memory a load is measured against: all working GPUs, or main memory."""

from __future__ import annotations

from dataclasses import replace

from ggtui.core.memory.pool import (
    GPU_RESERVE_BYTES,
    MemoryPool,
    PoolDevice,
    PoolKind,
    own_bytes,
    pool_of,
)
from ggtui.core.ports.gpu import GpuSample, MemoryReading
from ggtui.core.units import GIB


def _reading() -> MemoryReading:
    gpus = (
        GpuSample(0, "A", total_bytes=24 * GIB, used_bytes=10 * GIB, process_bytes={7: 6 * GIB}),
        GpuSample(1, "B", total_bytes=24 * GIB, used_bytes=2 * GIB, process_bytes={7: GIB}),
        GpuSample(2, "lost", problem="GPU is lost"),
    )
    return MemoryReading(
        gpus=gpus,
        ram_total_bytes=64 * GIB,
        ram_available_bytes=40 * GIB,
        process_ram_bytes={7: 9 * GIB},
        process_private_bytes={7: 2 * GIB},
    )


def test_the_gpu_pool_is_all_working_gpus_less_what_ours_give_back() -> None:
    reading = _reading()

    pool = pool_of(reading, {7: 0}, engine_has_gpu=True)

    assert 7 * GIB == own_bytes(reading, {7: 0}, engine_has_gpu=True)
    assert PoolKind.GPU is pool.kind
    assert 48 * GIB == pool.total_bytes
    assert 5 * GIB == pool.used_by_others_bytes
    assert 2 * GPU_RESERVE_BYTES == pool.reserve_bytes
    assert 2 == pool.n_devices
    assert 40 * GIB - GIB // 2 == pool.overflow_bytes


def test_without_a_gpu_engine_the_pool_is_main_memory_and_mapped_weights_are_not_counted() -> None:
    reading = _reading()

    pool = pool_of(reading, {7: 0}, engine_has_gpu=False)

    assert 2 * GIB == own_bytes(reading, {7: 0}, engine_has_gpu=False)
    assert PoolKind.RAM is pool.kind
    assert 64 * GIB == pool.total_bytes
    assert 22 * GIB == pool.used_by_others_bytes
    assert 0 == pool.overflow_bytes


def test_a_gpu_engine_without_a_working_gpu_uses_main_memory() -> None:
    reading = replace(_reading(), gpus=(GpuSample(0, "lost", problem="GPU is lost"),))

    assert PoolKind.RAM is pool_of(reading, engine_has_gpu=True).kind


def test_the_reserve_can_be_chosen() -> None:
    assert 3 * GIB == pool_of(_reading(), engine_has_gpu=True, reserve_bytes=3 * GIB).reserve_bytes


def test_a_device_hidden_from_the_engine_and_memory_shared_with_the_host_count_once() -> None:
    reading = _reading()
    hidden = replace(reading.gpus[1], is_hidden=True)
    unified = replace(reading.gpus[0], is_unified=True)

    pool = pool_of(replace(reading, gpus=(unified, hidden)), engine_has_gpu=True)

    assert 24 * GIB == pool.total_bytes
    assert ("GPU0",) == tuple(each.name for each in pool.devices)
    assert 0 == pool.overflow_bytes


def test_what_stays_is_spread_over_the_devices_by_their_free_memory() -> None:
    devices = (PoolDevice("GPU0", 24 * GIB, 0), PoolDevice("GPU1", 24 * GIB, 12 * GIB))
    pool = MemoryPool(PoolKind.GPU, 48 * GIB, 12 * GIB, 2 * GIB, n_devices=2, devices=devices)

    beside = pool.beside(9 * GIB)

    assert 21 * GIB == beside.used_by_others_bytes
    assert [6 * GIB, 15 * GIB] == [each.used_by_others_bytes for each in beside.devices]
    assert pool is pool.beside(0)


def test_each_device_keeps_its_own_reserve() -> None:
    pool = pool_of(_reading(), engine_has_gpu=True)

    assert [13 * GIB, 21 * GIB] == [room.room_bytes for room in pool.rooms]
    assert () == replace(pool, kind=PoolKind.RAM).rooms


def test_where_no_driver_tells_the_servers_log_counts() -> None:
    gpus = (
        GpuSample(0, "A", total_bytes=24 * GIB, used_bytes=9 * GIB),
        GpuSample(1, "B", total_bytes=24 * GIB, used_bytes=3 * GIB),
    )
    reading = MemoryReading(gpus=gpus, ram_total_bytes=64 * GIB, ram_available_bytes=40 * GIB)

    pool = pool_of(reading, {7: 4 * GIB}, engine_has_gpu=True)

    assert 4 * GIB == own_bytes(reading, {7: 4 * GIB}, engine_has_gpu=True)
    assert [6 * GIB, 2 * GIB] == [device.used_by_others_bytes for device in pool.devices]
    assert pool.is_use_known


def test_a_device_that_does_not_tell_its_use_counts_as_empty_and_says_so() -> None:
    reading = MemoryReading(gpus=(GpuSample(0, "Arc", total_bytes=16 * GIB),), ram_total_bytes=64 * GIB)

    pool = pool_of(reading, engine_has_gpu=True)

    assert (PoolKind.GPU, 0, False) == (pool.kind, pool.used_by_others_bytes, pool.is_use_known)
