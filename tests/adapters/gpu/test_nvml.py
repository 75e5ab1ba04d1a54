"""The NVIDIA driver through a library that can be told to misbehave."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ggtui.adapters.gpu.nvml import NvmlDriver
from ggtui.core.errors import DriverMissing
from ggtui.core.units import GIB


class NVMLError_LibraryNotFound(Exception):  # the library's own name, matched by name
    pass


class NVMLError_GpuIsLost(Exception):
    pass


class NVMLError_NotSupported(Exception):
    pass


class FakeLibrary:
    """Two devices; the calls named in `refusals` raise."""

    def __init__(self, count: int = 2, refusals: dict[str, Exception] | None = None) -> None:
        self.count = count
        self.refusals = refusals or {}
        self.n_inits = 0
        self.n_shutdowns = 0

    def _check(self, name: str) -> None:
        if name in self.refusals:
            raise self.refusals[name]

    def nvmlInit(self) -> None:
        self.n_inits += 1
        self._check("init")

    def nvmlShutdown(self) -> None:
        self.n_shutdowns += 1
        self._check("shutdown")

    def nvmlDeviceGetCount(self) -> int:
        self._check("count")
        return self.count

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        self._check(f"handle{index}")
        return index

    def nvmlDeviceGetName(self, handle: int) -> bytes | str:
        return b"NVIDIA \x1b[31mA" if handle == 0 else "NVIDIA B"

    def nvmlDeviceGetUUID(self, handle: int) -> str:
        return f"GPU-{handle}"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        self._check("memory")
        return SimpleNamespace(total=24 * GIB, used=(handle + 1) * GIB)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:
        self._check("utilisation")
        return SimpleNamespace(gpu=37)

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:
        return 61

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:
        return 85_500

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[Any]:
        return [SimpleNamespace(pid=7, usedGpuMemory=GIB), SimpleNamespace(pid=8, usedGpuMemory=None)]

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: int) -> list[Any]:
        self._check("graphics")
        return [SimpleNamespace(pid=9, usedGpuMemory=5)]


def driver(library: FakeLibrary) -> NvmlDriver:
    return NvmlDriver(lambda: library)


def test_every_device_gives_its_figures() -> None:
    first, second = driver(FakeLibrary()).sample()

    assert "NVIDIA A" == first.name
    assert ("GPU-1", 24 * GIB, 2 * GIB) == (second.uuid, second.total_bytes, second.used_bytes)
    assert (37, 61, 85.5) == (first.utilisation_percent, first.temperature_c, first.power_w)
    assert {7: GIB, 9: 5} == first.process_bytes
    assert first.problem is None


def test_one_lost_device_hides_no_other() -> None:
    first, second = driver(FakeLibrary(refusals={"handle0": NVMLError_GpuIsLost()})).sample()

    assert "GPU is lost; a restart helps" == first.problem
    assert first.total_bytes is None
    assert 2 * GIB == second.used_bytes


def test_what_a_driver_does_not_tell_is_none_and_not_zero() -> None:
    refusals: dict[str, Exception] = {
        name: NVMLError_NotSupported() for name in ("memory", "utilisation", "graphics")
    }

    first = driver(FakeLibrary(refusals=refusals)).sample()[0]

    assert (None, None, None) == (first.total_bytes, first.used_bytes, first.utilisation_percent)
    assert "the driver does not tell" == first.problem
    assert 61 == first.temperature_c
    assert {7: GIB} == first.process_bytes


def test_a_missing_library_is_told_in_one_line_and_not_looked_for_each_second() -> None:
    library = FakeLibrary(refusals={"init": NVMLError_LibraryNotFound()})
    missing = driver(library)

    for _ in range(3):
        with pytest.raises(DriverMissing) as caught:
            missing.sample()

    assert "no NVIDIA driver library (libnvidia-ml.so.1 not found)" == caught.value.detail
    assert 1 == library.n_inits


def test_a_missing_python_package_is_told_apart() -> None:
    def load() -> Any:
        raise ImportError("pynvml")

    with pytest.raises(DriverMissing) as caught:
        NvmlDriver(load).sample()

    assert "no NVIDIA library for Python (nvidia-ml-py is not installed)" == caught.value.detail


def test_an_unknown_error_is_told_in_its_own_plain_words() -> None:
    with pytest.raises(DriverMissing) as caught:
        driver(FakeLibrary(refusals={"init": ValueError("odd\x1b[2J state")})).sample()

    assert "NVIDIA driver: odd state" == caught.value.detail


def test_a_driver_that_breaks_is_begun_anew() -> None:
    library = FakeLibrary(refusals={"count": NVMLError_GpuIsLost(), "shutdown": ValueError("x")})
    breaking = driver(library)
    with pytest.raises(DriverMissing):
        breaking.sample()
    library.refusals.clear()

    assert 2 == len(breaking.sample())
    assert 2 == library.n_inits


def test_close_releases_the_driver_once() -> None:
    library = FakeLibrary()
    closing = driver(library)
    closing.sample()

    closing.close()
    closing.close()

    assert 1 == library.n_shutdowns
