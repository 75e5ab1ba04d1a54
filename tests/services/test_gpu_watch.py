"""The last minutes of each device, and the wait for memory that comes back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from ggtui.adapters.memory.gpu import MemoryProbe, every_state, made_up_gpu, made_up_machine
from ggtui.core.units import GIB
from ggtui.services.gpu_watch import HISTORY_S, GpuWatch

if TYPE_CHECKING:
    from ggtui.core.ports.gpu import MemoryReading

OURS = frozenset({7})


def watched(*readings: MemoryReading) -> GpuWatch:
    """A watch that has seen these."""
    probe = MemoryProbe()
    watch = GpuWatch(probe, lambda: OURS)

    async def main() -> None:
        for probe.reading in readings:
            await watch.sample()

    asyncio.run(main())
    return watch


def test_each_device_has_a_history_in_the_order_of_the_reading() -> None:
    first = made_up_machine(made_up_gpu(0, used_gib=1), made_up_gpu(1, used_gib=2))
    later = made_up_machine(made_up_gpu(0, used_gib=3), made_up_gpu(1, used_gib=4))
    watch = watched(first, later)

    assert ((GIB, 3 * GIB), (2 * GIB, 4 * GIB)) == watch.gpu_history
    assert (3 * GIB, 7 * GIB) == watch.history


def test_a_device_keeps_its_history_when_devices_are_numbered_anew() -> None:
    one, two = made_up_gpu(0, used_gib=1), made_up_gpu(1, used_gib=2)
    watch = watched(made_up_machine(one, two), made_up_machine(replace(two, index=0)))

    assert ((2 * GIB, 2 * GIB),) == watch.gpu_history


def test_a_lost_device_keeps_what_it_had() -> None:
    gone = replace(made_up_gpu(0), used_bytes=None, total_bytes=None, is_lost=True)
    watch = watched(made_up_machine(made_up_gpu(0, used_gib=1)), made_up_machine(gone))

    assert ((GIB,),) == watch.gpu_history


def test_a_history_ends_after_five_minutes() -> None:
    watch = watched(*[made_up_machine(made_up_gpu(0, used_gib=1))] * (HISTORY_S + 5))

    assert [HISTORY_S] == [len(each) for each in watch.gpu_history]


def test_without_devices_there_is_no_history_of_them() -> None:
    assert () == watched(every_state()["none"]).gpu_history


def test_memory_that_comes_back_is_waited_for_and_our_processes_are_asked_about() -> None:
    probe = MemoryProbe(made_up_machine(made_up_gpu(0, used_gib=20)))
    watch = GpuWatch(probe, lambda: OURS)

    async def main() -> None:
        await watch.sample()
        await watch.memory_back()

    asyncio.run(main())

    assert {OURS} == set(probe.asked_pids)
