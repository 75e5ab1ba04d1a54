"""Device and main memory together, sampled off the event loop and within a time limit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ggtui.adapters.gpu.nvml import NvmlDriver
from ggtui.adapters.gpu.ram import RamSample, sample_ram
from ggtui.adapters.gpu.worker import PatientWorker
from ggtui.core.errors import DriverMissing
from ggtui.core.ports.gpu import MemoryReading

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.core.ports.gpu import GpuSample

TIME_LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class _Devices:
    gpus: tuple[GpuSample, ...] = ()
    problem: str | None = None


class SystemProbe:
    """NVIDIA devices and main memory, with a thread each: a sick GPU never hides main memory."""

    def __init__(self, time_limit_s: float = TIME_LIMIT_S, load: Callable[[], Any] | None = None) -> None:
        """load: gives the `pynvml` module; None for the installed one, imported at the first sample."""
        self._time_limit_s = time_limit_s
        self._driver = NvmlDriver(load)
        self._devices = PatientWorker("gpu-probe", _Devices(problem="GPU driver has not answered yet"))
        self._ram = PatientWorker("ram-probe", RamSample())

    async def sample(self, pids: frozenset[int] = frozenset()) -> MemoryReading:
        """One reading; devices that do not answer in time keep their last figures and say so."""
        (ram, _), (devices, is_fresh) = await asyncio.gather(
            self._ram.latest(partial(sample_ram, pids), self._time_limit_s),
            self._devices.latest(self._read_devices, self._time_limit_s),
        )
        silent = None if is_fresh else "GPU driver does not answer; its figures are old"
        return MemoryReading(
            gpus=devices.gpus,
            gpu_problem=devices.problem or silent,
            ram_total_bytes=ram.total_bytes,
            ram_available_bytes=ram.available_bytes,
            swap_used_bytes=ram.swap_used_bytes,
            process_ram_bytes=ram.process_bytes,
            process_private_bytes=ram.process_private_bytes,
        )

    def _read_devices(self) -> _Devices:
        try:
            gpus = self._driver.sample()
        except DriverMissing as missing:
            return _Devices(problem=missing.detail)
        return _Devices(gpus, None if gpus else "NVIDIA driver is present, but there is no GPU")

    async def close(self) -> None:
        """Release the driver; never waits for one that hangs."""
        self._devices.close(self._driver.close)
        self._ram.close()
