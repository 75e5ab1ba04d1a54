"""`ggtui gpu`: memory, load and heat by device, and memory by process; needs no running ggtui."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ggtui.cli.exits import ExitCode
from ggtui.cli.surroundings import instance_state, look, read_memory
from ggtui.core.snapshot import EngineSnapshot
from ggtui.core.state_json import state_document
from ggtui.core.units import gib, used_of_total

if TYPE_CHECKING:
    from ggtui.cli.call import Call
    from ggtui.core.ports.gpu import GpuSample, MemoryReading

DEVICES = ("GPU", "NAME", "MEMORY", "LOAD", "HEAT", "POWER")
PROCESSES = ("GPU", "PID", "MEMORY", "MODEL")


def run(call: Call) -> ExitCode:
    """Print devices, main memory and processes."""
    state = instance_state(call.config)
    models = {target["pid"]: target["model"] for target in (state["targets"] if state else [])}
    reading = look(read_memory(frozenset(pid for pid in models if pid)))
    if call.out.is_json:
        call.out.document(_document(reading, models))
        return ExitCode.DONE
    call.out.table(DEVICES, [_device(gpu) for gpu in reading.gpus], frozenset({2, 3, 4, 5}))
    used = reading.ram_total_bytes - reading.ram_available_bytes
    call.out.line(f"RAM  {used_of_total(used, reading.ram_total_bytes)}")
    call.out.table(PROCESSES, _processes(reading, models), frozenset({1, 2}))
    for problem in _problems(reading):
        call.out.say(problem)
    return ExitCode.DONE


def _device(gpu: GpuSample) -> tuple[str, ...]:
    return (
        str(gpu.index),
        gpu.name,
        used_of_total(gpu.used_bytes, gpu.total_bytes),
        _figure(gpu.utilisation_percent, "%"),
        _figure(gpu.temperature_c, "°C"),
        _figure(gpu.power_w, "W"),
    )


def _figure(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:.0f}{unit}"


def _processes(reading: MemoryReading, models: dict[int, str]) -> list[tuple[str, ...]]:
    on_devices: list[tuple[str, ...]] = [
        (str(gpu.index), str(pid), gib(n_bytes), models.get(pid, "–"))
        for gpu in reading.gpus
        for pid, n_bytes in sorted(gpu.process_bytes.items())
    ]
    in_ram: list[tuple[str, ...]] = [
        ("RAM", str(pid), gib(n_bytes), models.get(pid, "–"))
        for pid, n_bytes in sorted(reading.process_ram_bytes.items())
    ]
    return on_devices + in_ram


def _problems(reading: MemoryReading) -> list[str]:
    lost = [f"GPU {gpu.index}: {gpu.problem}" for gpu in reading.gpus if gpu.problem]
    return ([reading.gpu_problem] if reading.gpu_problem else []) + lost


def _document(reading: MemoryReading, models: dict[int, str]) -> dict[str, object]:
    state = state_document(EngineSnapshot(0, memory=reading), time.time())
    on_devices: list[dict[str, object]] = [
        {"gpu": gpu.index, "pid": pid, "vram_bytes": n_bytes, "model": models.get(pid)}
        for gpu in reading.gpus
        for pid, n_bytes in sorted(gpu.process_bytes.items())
    ]
    in_ram: list[dict[str, object]] = [
        {"pid": pid, "ram_bytes": n_bytes, "model": models.get(pid)}
        for pid, n_bytes in sorted(reading.process_ram_bytes.items())
    ]
    return {"schema": 1, "memory": state["memory"], "processes": on_devices + in_ram}
