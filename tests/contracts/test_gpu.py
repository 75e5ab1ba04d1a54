"""What every probe promises, over the one that is told and the one that asks the system."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.gpu.probe import SystemProbe
from ggtui.adapters.memory.gpu import MemoryProbe
from ggtui.core.ports.gpu import MemoryReading

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.core.ports.gpu import GpuProbePort

GUARD_S = 20.0


def _told() -> GpuProbePort:
    pid = os.getpid()
    return MemoryProbe(
        MemoryReading(
            gpu_problem="none", ram_total_bytes=2, ram_available_bytes=1, process_ram_bytes={pid: 1}
        )
    )


@pytest.fixture(params=[_told, SystemProbe], ids=["memory", "system"])
def make(request: pytest.FixtureRequest) -> Callable[[], GpuProbePort]:
    chosen: Callable[[], GpuProbePort] = request.param
    return chosen


def _sample(make: Callable[[], GpuProbePort], pids: frozenset[int] = frozenset()) -> MemoryReading:
    async def main() -> MemoryReading:
        probe = make()
        reading = await probe.sample(pids)
        await probe.close()
        return reading

    return asyncio.run(main())


def test_main_memory_is_always_there(make: Callable[[], GpuProbePort]) -> None:
    reading = _sample(make)

    assert 0 < reading.ram_available_bytes <= reading.ram_total_bytes


def test_either_devices_or_one_line_why_there_are_none(make: Callable[[], GpuProbePort]) -> None:
    reading = _sample(make)

    assert bool(reading.gpus) != bool(reading.gpu_problem)
    assert "\n" not in (reading.gpu_problem or "")
    assert [gpu.index for gpu in reading.gpus] == list(range(len(reading.gpus)))


def test_the_processes_asked_about_are_told(make: Callable[[], GpuProbePort]) -> None:
    pid = os.getpid()

    assert 0 < _sample(make, frozenset({pid})).process_ram_bytes[pid]


def test_close_without_a_sample_is_fine(make: Callable[[], GpuProbePort]) -> None:
    asyncio.run(make().close())


def test_a_driver_that_hangs_hides_no_main_memory_and_does_not_block_the_loop() -> None:
    released = threading.Event()

    def hang() -> Any:
        released.wait(GUARD_S)
        raise ImportError("too late")

    async def main() -> MemoryReading:
        probe = SystemProbe(time_limit_s=0.5, load=hang)
        sampling = asyncio.create_task(probe.sample())
        await asyncio.sleep(0)
        reading = await sampling
        await probe.close()
        released.set()
        return reading

    reading = asyncio.run(main())

    assert "GPU driver has not answered yet" == reading.gpu_problem
    assert 0 < reading.ram_total_bytes


def test_importing_the_probe_imports_no_driver_library() -> None:
    program = "import sys, ggtui.adapters.gpu.probe; sys.exit('pynvml' in sys.modules)"

    assert 0 == subprocess.run([sys.executable, "-c", program], timeout=GUARD_S, check=False).returncode
