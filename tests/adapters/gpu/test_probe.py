"""All sources together: none hides another, and every figure is the truth of its machine."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.gpu.engine_list import EngineCommand
from ggtui.adapters.gpu.probe import SystemProbe
from ggtui.core.ports.gpu import MemoryReading, NoGpu, Vendor
from ggtui.core.units import GIB, MIB
from tests.adapters.gpu.machines import (
    LISTING,
    FakeMac,
    FakeNvml,
    Machine,
    NVMLError_GpuIsLost,
    NVMLError_LibraryNotFound,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

GUARD_S = 20.0
OURS = frozenset({7})


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def no_driver() -> Any:
    raise NVMLError_LibraryNotFound


def readings(probe: SystemProbe, *steps: Callable[[], object] | frozenset[int]) -> list[MemoryReading]:
    """A reading for each set of processes; a call between them changes the machine."""

    async def main() -> list[MemoryReading]:
        found = []
        for step in steps:
            if isinstance(step, frozenset):
                found.append(await probe.sample(step))
            else:
                step()
        await probe.close()
        return found

    return asyncio.run(asyncio.wait_for(main(), GUARD_S))


def read(probe: SystemProbe, pids: frozenset[int] = OURS) -> MemoryReading:
    return readings(probe, pids)[0]


def make(machine: Machine, load: Callable[[], Any] = no_driver, **options: Any) -> SystemProbe:
    return SystemProbe(GUARD_S, load, root=machine.root, **{"environ": {}, "platform": "linux", **options})


def test_devices_of_all_vendors_are_numbered_together(machine: Machine) -> None:
    machine.amd(0)
    reading = read(make(machine, lambda: FakeNvml(2)))

    assert [Vendor.NVIDIA, Vendor.NVIDIA, Vendor.AMD] == [gpu.vendor for gpu in reading.gpus]
    assert [0, 1, 2] == [gpu.index for gpu in reading.gpus]
    assert (None, None) == (reading.gpu_problem, reading.gpu_absence)


def test_beside_a_device_with_memory_of_its_own_an_integrated_one_is_idle(machine: Machine) -> None:
    machine.apu(0)

    assert [Vendor.AMD] == [gpu.vendor for gpu in read(make(machine)).gpus]
    assert [Vendor.NVIDIA] == [gpu.vendor for gpu in read(make(machine, lambda: FakeNvml(1))).gpus]


def test_a_source_that_breaks_hides_no_other(machine: Machine) -> None:
    machine.amd(0)

    def broken() -> Any:
        raise ValueError("odd")

    assert [24 * GIB] == [gpu.total_bytes for gpu in read(make(machine, broken)).gpus]


def test_an_error_nobody_thought_of_is_one_line(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ggtui.adapters.gpu.nvml.NvidiaProvider.sample", lambda _self, _pids: 1 / 0)

    reading = read(make(machine))

    assert ("nvidia devices cannot be read: division by zero", NoGpu.DRIVER_BROKEN) == (
        reading.gpu_problem,
        reading.gpu_absence,
    )


def test_a_device_that_falls_off_is_lost_and_the_rest_goes_on(machine: Machine) -> None:
    library = FakeNvml(2)

    def fall_off() -> None:
        library.count = 1

    _, after = readings(make(machine, lambda: library), OURS, fall_off, OURS)

    assert [(False, 24 * GIB), (True, None)] == [(gpu.is_lost, gpu.total_bytes) for gpu in after.gpus]


def test_a_driver_that_loses_every_device_is_not_a_machine_without(machine: Machine) -> None:
    library = FakeNvml(1)

    def break_down() -> None:
        library.refusals["count"] = NVMLError_GpuIsLost()

    _, after = readings(make(machine, lambda: library), OURS, break_down, OURS)

    assert ["GPU is lost: it has fallen off the bus"] == [gpu.problem for gpu in after.gpus]


def test_figures_of_a_driver_that_hangs_are_kept_with_their_age(machine: Machine) -> None:
    library, released = FakeNvml(1), threading.Event()
    machine.amd(0)
    asked = library.nvmlDeviceGetCount

    def hang() -> None:
        def count() -> int:
            released.wait(GUARD_S)
            return asked()

        library.nvmlDeviceGetCount = count  # type: ignore[method-assign]

    probe = make(machine, lambda: library)
    probe._time_limit_s = 0.2
    first, second, third = readings(probe, OURS, hang, OURS, OURS, released.set)

    assert [0, 0] == [gpu.age_s for gpu in first.gpus]
    assert [GIB, 2 * GIB] == [gpu.used_bytes for gpu in second.gpus]
    assert [1, 0] == [gpu.age_s for gpu in second.gpus]
    assert "GPU driver does not answer; its figures are old" == third.gpu_problem
    assert NoGpu.SILENT is third.gpu_absence


def test_why_there_is_none_looks_at_the_bus(machine: Machine) -> None:
    machine.pci("0000:01:00.0", 0x10DE)

    reading = read(make(machine))

    assert "NVIDIA GPU present (0000:01:00.0), driver missing" == reading.gpu_problem
    assert (NoGpu.DRIVER_MISSING, True) == (reading.gpu_absence, bool(reading.gpu_hint))


def test_devices_kept_from_the_engine_are_marked(machine: Machine) -> None:
    probe = make(machine, lambda: FakeNvml(2), environ={"CUDA_VISIBLE_DEVICES": "GPU-1"})

    assert [True, False] == [gpu.is_hidden for gpu in read(probe).gpus]


def test_a_mac_shows_what_its_gpu_may_hold_and_what_our_processes_do() -> None:
    import os

    probe = SystemProbe(GUARD_S, run=FakeMac(), environ={}, platform="darwin")
    reading = read(probe, frozenset({os.getpid()}))

    (gpu,) = reading.gpus
    assert (True, 12_713_115_648) == (gpu.is_unified, gpu.total_bytes)
    assert reading.process_ram_bytes == gpu.process_bytes


def test_the_engine_is_asked_where_no_driver_tells_and_again_after_a_stop(machine: Machine) -> None:
    asked: list[tuple[str, ...]] = []

    def run(command: Sequence[str], env: Mapping[str, str] | None = None) -> str | None:
        asked.append(tuple(command))
        return LISTING

    probe = make(machine, run=run, engine=EngineCommand(("engine",)))
    first, second, after_stop = readings(probe, OURS, OURS, frozenset())

    assert [24564 * MIB, 24560 * MIB] == [gpu.total_bytes for gpu in first.gpus]
    assert first.gpus == second.gpus
    assert first.gpus == after_stop.gpus
    assert [("engine", "--list-devices")] * 2 == asked


def test_an_engine_is_not_asked_where_a_driver_tells(machine: Machine) -> None:
    machine.amd(0)

    def run(command: Sequence[str], env: Mapping[str, str] | None = None) -> str | None:
        raise AssertionError(command)

    assert 1 == len(read(make(machine, run=run, engine=EngineCommand(("engine",)))).gpus)
