"""`ggtui gpu`: memory, load and heat by device, and memory by process; needs no running ggtui."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ggtui.cli.exits import ExitCode
from ggtui.cli.surroundings import find_engine, instance_state, look, read_memory
from ggtui.core.gpu_absence import gpu_absence
from ggtui.core.models import EngineInfo
from ggtui.core.snapshot import EngineSnapshot
from ggtui.core.state_json import state_document
from ggtui.core.units import duration, gib, used_of_total

if TYPE_CHECKING:
    from ggtui.cli.call import Call
    from ggtui.config.schema import Config
    from ggtui.core.gpu_absence import Absence
    from ggtui.core.ports.gpu import GpuSample, MemoryReading

DEVICES = ("GPU", "NAME", "MEMORY", "LOAD", "HEAT", "POWER", "BUS")
PROCESSES = ("GPU", "PID", "MEMORY", "OWN", "MAPPED", "SHARE", "MODEL")


def run(call: Call) -> ExitCode:
    """Print devices, main memory, processor and processes, and why there is no device when there is none."""
    state = instance_state(call.config)
    models = {target["pid"]: target["model"] for target in (state["targets"] if state else [])}
    pids = frozenset(pid for pid in models if pid)
    reading, engine = look(_read(call.config, state, pids))
    absence = gpu_absence(reading, engine)
    if call.out.is_json:
        call.out.document(_document(reading, models, absence))
        return ExitCode.DONE
    call.out.table(DEVICES, [_device(gpu) for gpu in reading.gpus], frozenset({2, 3, 4, 5}))
    for line in _main_memory(reading):
        call.out.line(line)
    call.out.table(PROCESSES, _processes(reading, models), frozenset({1, 2, 3, 4, 5}))
    for problem in _problems(reading, absence):
        call.out.say(problem)
    return ExitCode.DONE


async def _read(
    config: Config, state: dict[str, Any] | None, pids: frozenset[int]
) -> tuple[MemoryReading, EngineInfo | None]:
    """The memory, and the engine where there are devices it might not use."""
    reading = await read_memory(pids, config, with_shares=True)
    if not reading.gpus:
        return reading, None
    if state is None or state["engine"] is None:
        return reading, await find_engine(config)
    told = state["engine"]
    return reading, EngineInfo(told["kind"], devices=tuple(told["devices"]), problem=told["problem"])


def _device(gpu: GpuSample) -> tuple[str, ...]:
    return (
        str(gpu.index),
        gpu.name,
        used_of_total(gpu.used_bytes, gpu.total_bytes),
        _figure(gpu.utilisation_percent, "%"),
        _figure(gpu.temperature_c, "°C"),
        _figure(gpu.power_w, "W"),
        gpu.bus_id or "–",
    )


def _figure(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:.0f}{unit}"


def _main_memory(reading: MemoryReading) -> list[str]:
    used = reading.ram_total_bytes - reading.ram_available_bytes
    limit = "  (limit of this container)" if reading.ram_limit_bytes is not None else ""
    swap = f"SWAP {used_of_total(reading.swap_used_bytes, reading.swap_total_bytes)}"
    cpu = reading.cpu
    words = [cpu.model or "unknown", f"{cpu.n_cores or '?'} cores, {cpu.n_threads or '?'} threads"]
    return [
        f"RAM  {used_of_total(used, reading.ram_total_bytes)}{limit}",
        swap if reading.swap_total_bytes else "SWAP none",
        f"CPU  {', '.join([*words, ' '.join(cpu.features)] if cpu.features else words)}",
    ]


def _processes(reading: MemoryReading, models: dict[int, str]) -> list[tuple[str, ...]]:
    on_devices: list[tuple[str, ...]] = [
        (str(gpu.index), str(pid), gib(n_bytes), "", "", "", models.get(pid, "–"))
        for gpu in reading.gpus
        for pid, n_bytes in sorted(gpu.process_bytes.items())
    ]
    in_ram: list[tuple[str, ...]] = [
        ("RAM", str(pid), gib(n_bytes), *_parts(reading, pid), models.get(pid, "–"))
        for pid, n_bytes in sorted(reading.process_ram_bytes.items())
    ]
    return on_devices + in_ram


def _parts(reading: MemoryReading, pid: int) -> tuple[str, str, str]:
    parts = reading.process_memory.get(pid)
    if parts is None:
        return "–", "–", "–"
    return gib(parts.anonymous_bytes), gib(parts.file_bytes), gib(parts.proportional_bytes)


def _problems(reading: MemoryReading, absence: Absence | None) -> list[str]:
    """What is wrong, each in one line."""
    found = []
    if absence is not None:
        found.append(f"{absence.line}: {absence.hint}" if absence.hint else absence.line)
    elif reading.gpu_problem:
        found.append(reading.gpu_problem)
    for gpu in reading.gpus:
        words = [gpu.problem, gpu.process_problem, gpu.access_problem]
        words += [f"figures are {duration(gpu.age_s)} old"] if gpu.age_s else []
        words += ["hidden from the engine"] if gpu.is_hidden else []
        found += [f"GPU {gpu.index}: {word}" for word in dict.fromkeys(words) if word]
    return found


def _document(reading: MemoryReading, models: dict[int, str], absence: Absence | None) -> dict[str, object]:
    state = state_document(EngineSnapshot(0, memory=reading), time.time())
    on_devices: list[dict[str, object]] = [
        {"gpu": gpu.index, "pid": pid, "vram_bytes": n_bytes, "model": models.get(pid)}
        for gpu in reading.gpus
        for pid, n_bytes in sorted(gpu.process_bytes.items())
    ]
    in_ram = [_in_ram(reading, pid, models.get(pid)) for pid in sorted(reading.process_ram_bytes)]
    why = None if absence is None else {"kind": str(absence.kind), "line": absence.line, "hint": absence.hint}
    return {"schema": 1, "memory": state["memory"], "processes": on_devices + in_ram, "no_gpu": why}


def _in_ram(reading: MemoryReading, pid: int, model: str | None) -> dict[str, object]:
    parts = reading.process_memory.get(pid)
    return {
        "pid": pid,
        "ram_bytes": reading.process_ram_bytes[pid],
        "anonymous_bytes": None if parts is None else parts.anonymous_bytes,
        "file_bytes": None if parts is None else parts.file_bytes,
        "proportional_bytes": None if parts is None else parts.proportional_bytes,
        "model": model,
    }
