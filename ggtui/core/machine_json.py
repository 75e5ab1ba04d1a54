"""The machine in plain JSON values: the engine, the devices, main memory and processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ggtui.core.models import EngineInfo
    from ggtui.core.ports.gpu import GpuSample, MemoryReading


def engine_document(info: EngineInfo) -> dict[str, object]:
    """Which llama.cpp is launched, or why none can be."""
    return {
        "kind": info.kind,
        "path": info.path,
        "version": info.version,
        "devices": list(info.devices),
        "problem": info.problem,
    }


def memory_document(reading: MemoryReading) -> dict[str, object]:
    """One reading of devices, main memory and processor."""
    return {
        "gpus": [_gpu(sample) for sample in reading.gpus],
        "gpu_problem": reading.gpu_problem,
        "ram_total_bytes": reading.ram_total_bytes,
        "ram_available_bytes": reading.ram_available_bytes,
        "swap_used_bytes": reading.swap_used_bytes,
        "swap_total_bytes": reading.swap_total_bytes,
        "ram_limit_bytes": reading.ram_limit_bytes,
        "gpu_absence": None if reading.gpu_absence is None else str(reading.gpu_absence),
        "gpu_hint": reading.gpu_hint,
        "cpu": {
            "model": reading.cpu.model,
            "n_cores": reading.cpu.n_cores,
            "n_threads": reading.cpu.n_threads,
            "features": list(reading.cpu.features),
        },
    }


def _gpu(sample: GpuSample) -> dict[str, object]:
    return {
        "index": sample.index,
        "name": sample.name,
        "uuid": sample.uuid,
        "total_bytes": sample.total_bytes,
        "used_bytes": sample.used_bytes,
        "utilisation_percent": sample.utilisation_percent,
        "temperature_c": sample.temperature_c,
        "power_w": sample.power_w,
        "problem": sample.problem,
        "vendor": str(sample.vendor),
        "bus_id": sample.bus_id,
        "is_unified": sample.is_unified,
        "is_lost": sample.is_lost,
        "is_hidden": sample.is_hidden,
        "age_s": sample.age_s,
        "process_problem": sample.process_problem,
        "access_problem": sample.access_problem,
    }
