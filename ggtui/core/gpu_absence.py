"""Why the next load goes to main memory although one might expect a GPU: one line, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ggtui.core.engine_devices import has_accelerator
from ggtui.core.ports.gpu import NoGpu, Vendor

if TYPE_CHECKING:
    from ggtui.core.models import EngineInfo
    from ggtui.core.ports.gpu import GpuSample, MemoryReading

_BACKENDS: Final = {
    Vendor.NVIDIA: "CUDA or Vulkan",
    Vendor.AMD: "ROCm or Vulkan",
    Vendor.INTEL: "SYCL or Vulkan",
    Vendor.APPLE: "Metal",
    Vendor.OTHER: "Vulkan",
}


@dataclass(frozen=True, slots=True)
class Absence:
    """Why no device can be used."""

    kind: NoGpu
    line: str
    hint: str = ""
    """What to do; may be empty."""


def gpu_absence(reading: MemoryReading, engine: EngineInfo | None) -> Absence | None:
    """The reason, None when devices will be used, or when nothing is known yet.

    engine: what would be launched; None while it is looked up.
    """
    if not reading.gpus:
        if reading.gpu_problem is None:
            return None
        return Absence(reading.gpu_absence or NoGpu.NOT_FOUND, reading.gpu_problem, reading.gpu_hint)
    if all(gpu.is_lost for gpu in reading.gpus):
        return Absence(NoGpu.DRIVER_BROKEN, reading.gpus[0].problem or "GPU is lost", "restart the machine")
    if all(gpu.is_hidden or gpu.is_lost for gpu in reading.gpus):
        hint = "see CUDA_VISIBLE_DEVICES, HIP_VISIBLE_DEVICES and ROCR_VISIBLE_DEVICES"
        return Absence(NoGpu.HIDDEN, "a variable hides every GPU from the engine", hint)
    if engine is None or not engine.is_usable or has_accelerator(engine.devices):
        return None
    return _unused(next(gpu for gpu in reading.gpus if not gpu.is_hidden and not gpu.is_lost))


def _unused(gpu: GpuSample) -> Absence:
    """The engine lists no device although there is one."""
    if gpu.access_problem is not None:
        line, _, hint = gpu.access_problem.partition(": ")
        return Absence(NoGpu.NO_PERMISSION, f"driver present, {line}", hint)
    return Absence(
        NoGpu.NO_BACKEND,
        "engine built without a GPU backend (devices: none)",
        f"use a llama-server built for {_BACKENDS[gpu.vendor]}: --llama-server PATH",
    )
