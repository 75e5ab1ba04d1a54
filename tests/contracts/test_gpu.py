"""What every probe promises: the one that is told, and the one that asks, on every kind of machine."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.gpu.engine_list import EngineCommand
from ggtui.adapters.gpu.probe import SystemProbe
from ggtui.adapters.memory.gpu import MemoryProbe, every_state
from tests.adapters.gpu.machines import (
    LISTING,
    FakeMac,
    FakeNvml,
    Machine,
    NVMLError_GpuIsLost,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ggtui.core.ports.gpu import GpuProbePort, MemoryReading

    Make = Callable[[Path], GpuProbePort]

GUARD_S = 20.0


def _no_driver() -> Any:
    raise ImportError("pynvml")


def _every_told_state() -> dict[str, Make]:
    """The fake, told of each kind of machine."""

    def of(reading: MemoryReading) -> Make:
        held = replace(reading, process_ram_bytes={os.getpid(): 1})
        return lambda _folder: MemoryProbe(held)

    return {f"memory-{name}": of(reading) for name, reading in every_state().items()}


def _system(folder: Path) -> GpuProbePort:
    return SystemProbe()


def _nvml(folder: Path) -> GpuProbePort:
    return _on(Machine(folder), lambda: FakeNvml(2))


def _nvml_lost(folder: Path) -> GpuProbePort:
    return _on(Machine(folder), lambda: FakeNvml(2, {"handle1": NVMLError_GpuIsLost()}))


def _nvml_missing(folder: Path) -> GpuProbePort:
    return _on(Machine(folder), _no_driver)


def _amd(folder: Path) -> GpuProbePort:
    machine = Machine(folder)
    machine.amd(0)
    machine.amd(1)
    return _on(machine)


def _apu(folder: Path) -> GpuProbePort:
    machine = Machine(folder)
    machine.apu()
    return _on(machine)


def _intel(folder: Path) -> GpuProbePort:
    machine = Machine(folder)
    machine.intel()
    return _on(machine)


def _apple(folder: Path) -> GpuProbePort:
    return SystemProbe(root=folder, run=FakeMac(), environ={}, platform="darwin")


def _engine(folder: Path) -> GpuProbePort:
    return _on(Machine(folder), run=lambda _command, _env: LISTING, engine=EngineCommand(("engine",)))


def _on(machine: Machine, load: Callable[[], Any] = _no_driver, **options: Any) -> GpuProbePort:
    return SystemProbe(GUARD_S, load, root=machine.root, environ={}, platform="linux", **options)


MAKERS: dict[str, Make] = {
    **_every_told_state(),
    "system": _system,
    "nvml": _nvml,
    "nvml-lost": _nvml_lost,
    "nvml-missing": _nvml_missing,
    "amd": _amd,
    "amd-apu": _apu,
    "intel": _intel,
    "apple": _apple,
    "engine": _engine,
}


@pytest.fixture(params=list(MAKERS.values()), ids=list(MAKERS))
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], GpuProbePort]:
    chosen: Make = request.param
    return lambda: chosen(tmp_path)


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


def test_either_devices_with_fresh_figures_or_one_line_why_not(make: Callable[[], GpuProbePort]) -> None:
    reading = _sample(make)

    assert (not reading.gpus or any(gpu.age_s for gpu in reading.gpus)) == bool(reading.gpu_problem)
    assert bool(reading.gpu_problem) == (reading.gpu_absence is not None)
    assert "\n" not in (reading.gpu_problem or "") + reading.gpu_hint
    assert [gpu.index for gpu in reading.gpus] == list(range(len(reading.gpus)))


def test_a_device_tells_its_memory_or_why_not_and_never_zero(make: Callable[[], GpuProbePort]) -> None:
    for gpu in _sample(make).gpus:
        assert bool(gpu.problem) == (gpu.total_bytes is None)
        assert gpu.name
        assert 0 != gpu.total_bytes
        assert (gpu.used_bytes or 0) <= (gpu.total_bytes or 0)


def test_a_lost_device_has_a_reason_and_no_figures(make: Callable[[], GpuProbePort]) -> None:
    for gpu in _sample(make).gpus:
        assert not gpu.is_lost or (gpu.problem, gpu.used_bytes) == (gpu.problem or "", None)


def test_devices_can_be_told_apart(make: Callable[[], GpuProbePort]) -> None:
    keys = [gpu.key for gpu in _sample(make).gpus]

    assert len(keys) == len(set(keys))


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
