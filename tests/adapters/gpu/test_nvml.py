"""The NVIDIA driver through a library that can be told to misbehave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.gpu.nvml import NvidiaProvider
from ggtui.adapters.gpu.provider import NoDevices
from ggtui.core.ports.gpu import NoGpu, Vendor
from ggtui.core.units import GIB
from tests.adapters.gpu.machines import (
    FakeNvml,
    Machine,
    NVMLError_GpuIsLost,
    NVMLError_LibraryNotFound,
    NVMLError_NoPermission,
    NVMLError_NotSupported,
)

if TYPE_CHECKING:
    from pathlib import Path


def driver(library: FakeNvml) -> NvidiaProvider:
    return NvidiaProvider(load=lambda: library)


def test_every_device_gives_its_figures() -> None:
    first, second = driver(FakeNvml()).sample()

    assert "NVIDIA A" == first.name
    assert ("GPU-1", 24 * GIB, 2 * GIB) == (second.uuid, second.total_bytes, second.used_bytes)
    assert (37, 61, 85.5) == (first.utilisation_percent, first.temperature_c, first.power_w)
    assert {7: GIB, 9: 5} == first.process_bytes
    assert first.problem is None


def test_one_lost_device_hides_no_other() -> None:
    first, second = driver(FakeNvml(refusals={"handle0": NVMLError_GpuIsLost()})).sample()

    assert "GPU is lost: it has fallen off the bus" == first.problem
    assert first.total_bytes is None
    assert 2 * GIB == second.used_bytes


def test_what_a_driver_does_not_tell_is_none_and_not_zero() -> None:
    refusals: dict[str, Exception] = {
        name: NVMLError_NotSupported() for name in ("memory", "utilisation", "graphics")
    }

    first = driver(FakeNvml(refusals=refusals)).sample()[0]

    assert (None, None, None) == (first.total_bytes, first.used_bytes, first.utilisation_percent)
    assert "the driver does not tell" == first.problem
    assert 61 == first.temperature_c
    assert {7: GIB} == first.process_bytes


def test_a_missing_library_is_told_in_one_line_and_not_looked_for_each_second() -> None:
    library = FakeNvml(refusals={"init": NVMLError_LibraryNotFound()})
    missing = driver(library)

    for _ in range(3):
        with pytest.raises(NoDevices) as caught:
            missing.sample()

    assert "no NVML library (libnvidia-ml.so.1 not found)" == caught.value.detail
    assert 1 == library.n_inits


def test_a_missing_python_package_is_told_apart() -> None:
    def load() -> Any:
        raise ImportError("pynvml")

    with pytest.raises(NoDevices) as caught:
        NvidiaProvider(load=load).sample()

    assert "no NVML library for Python (nvidia-ml-py is not installed)" == caught.value.detail


def test_an_unknown_error_is_told_in_its_own_plain_words() -> None:
    with pytest.raises(NoDevices) as caught:
        driver(FakeNvml(refusals={"init": ValueError("odd\x1b[2J state")})).sample()

    assert "NVIDIA driver: odd state" == caught.value.detail


def test_a_driver_that_breaks_is_begun_anew() -> None:
    library = FakeNvml(refusals={"count": NVMLError_GpuIsLost(), "shutdown": ValueError("x")})
    breaking = driver(library)
    with pytest.raises(NoDevices):
        breaking.sample()
    library.refusals.clear()

    assert 2 == len(breaking.sample())
    assert 2 == library.n_inits


def test_close_releases_the_driver_once() -> None:
    library = FakeNvml()
    closing = driver(library)
    closing.sample()

    closing.close()
    closing.close()

    assert 1 == library.n_shutdowns


def on(machine: Machine, library: FakeNvml) -> NvidiaProvider:
    return NvidiaProvider(machine.tree, lambda: library)


def test_devices_are_named_so_that_the_engines_log_matches() -> None:
    first, second = driver(FakeNvml()).sample()

    assert ("0000:c1:00.0", "0001:c1:00.0") == (first.bus_id, second.bus_id)
    assert Vendor.NVIDIA is first.vendor
    assert ("GPU-0", "GPU-1") == (first.key, second.key)


def test_no_permission_is_told_apart_and_says_what_to_do() -> None:
    with pytest.raises(NoDevices) as caught:
        driver(FakeNvml(refusals={"init": NVMLError_NoPermission()})).sample()

    assert NoGpu.NO_PERMISSION is caught.value.absence
    assert "NVIDIA driver present, no permission" == caught.value.detail
    assert "/dev/nvidia" in caught.value.hint


@pytest.mark.parametrize("name", ["NVIDIA GB10", "Orin (nvgpu)", "NVIDIA Thor"])
def test_an_integrated_device_takes_its_figures_from_main_memory(tmp_path: Path, name: str) -> None:
    library = FakeNvml(1, {"memory": NVMLError_NotSupported()})
    library.names = [name.encode()]

    (sample,) = on(Machine(tmp_path), library).sample()

    assert (True, None) == (sample.is_unified, sample.problem)
    assert (32 * GIB, 8 * GIB) == (sample.total_bytes, sample.used_bytes)


def test_a_board_that_says_tegra_is_integrated_whatever_its_device_is_called(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.write("/proc/device-tree/compatible", b"nvidia,p3737-0000\0nvidia,tegra234\0")

    (sample,) = on(machine, FakeNvml(1, {"memory": NVMLError_NotSupported()})).sample()

    assert 32 * GIB == sample.total_bytes


def test_a_lost_integrated_device_is_lost_and_not_main_memory(tmp_path: Path) -> None:
    library = FakeNvml(1, {"memory": NVMLError_GpuIsLost()})
    library.names = [b"NVIDIA GB10"]

    (sample,) = on(Machine(tmp_path), library).sample()

    assert (True, None, None) == (sample.is_lost, sample.total_bytes, sample.used_bytes)


def test_an_ordinary_device_that_tells_nothing_is_never_shown_as_main_memory(tmp_path: Path) -> None:
    (sample,) = on(Machine(tmp_path), FakeNvml(1, {"memory": NVMLError_NotSupported()})).sample()

    assert (False, False, None) == (sample.is_unified, sample.is_lost, sample.total_bytes)


def test_a_device_that_is_cut_is_shown_by_its_parts() -> None:
    library = FakeNvml(2)
    library.slices = {0: 2}

    samples = driver(library).sample()

    assert ["MIG-0/0", "MIG-0/1", "GPU-1"] == [sample.uuid for sample in samples]
    assert [0, 1, 2] == [sample.index for sample in samples]
    assert [5 * GIB, 5 * GIB, 24 * GIB] == [sample.total_bytes for sample in samples]
    assert (None, 61, "0000:c1:00.0") == (
        samples[0].utilisation_percent,
        samples[0].temperature_c,
        samples[0].bus_id,
    )


def test_an_older_driver_is_asked_in_its_own_version() -> None:
    (sample,) = driver(FakeNvml(1, {"compute": NVMLError_NotSupported()})).sample()

    assert {11: 6, 9: 5} == sample.process_bytes


def test_a_driver_that_names_processes_without_figures_says_so() -> None:
    library = FakeNvml(1, {"graphics": NVMLError_NotSupported()})
    library.processes = [(7, None)]

    (sample,) = driver(library).sample()

    assert {} == sample.process_bytes
    assert "the driver does not tell the memory of single processes" == sample.process_problem


def test_in_a_container_the_hosts_process_ids_are_unknown_and_not_somebody_elses(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.link("/proc/self/ns/pid", "pid:[4026532222]")
    machine.link("/proc/7/fd/3", "/tmp/file")

    (sample,) = on(machine, FakeNvml(1)).sample()

    assert {} == sample.process_bytes
    assert "in a container the driver tells the host's process ids" == sample.process_problem


def test_in_a_container_a_process_that_has_the_driver_open_is_the_one_that_is_meant(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.link("/proc/self/ns/pid", "pid:[4026532222]")
    machine.link("/proc/7/fd/3", "/dev/nvidia0")

    (sample,) = on(machine, FakeNvml(1)).sample()

    assert ({7: GIB}, None) == (sample.process_bytes, sample.process_problem)
