"""What is in order, what is not, and what cures it: the checks that need nothing but values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ggtui.core.gpu_absence import gpu_absence
from ggtui.core.ports.gpu import NoGpu
from ggtui.core.text import listed, plain
from ggtui.core.units import GIB, gib, used_of_total

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.models import EngineInfo, ModelSummary
    from ggtui.core.ports.catalog import CatalogReport, PlaceUse
    from ggtui.core.ports.gpu import GpuSample, MemoryReading

LITTLE_ROOM = GIB
"""Bytes left on a disk, below which it is told."""

NAMED = 8
"""Broken models that a line names before it counts the rest."""

LONGEST_LINE = 4000
"""Characters of one finding."""


class Health(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report."""

    name: str
    health: Health
    detail: str
    cure: str = ""
    """What to do; empty when all is well."""


def report_text(checks: Sequence[Check], arrow: str = "→") -> str:
    """All checks as aligned lines, each cure below its finding."""
    width = max((len(each.name) for each in checks), default=0)
    lines = []
    for each in checks:
        lines.append(f"{each.health:<4}  {each.name:<{width}}  {plain(each.detail, LONGEST_LINE)}")
        if each.cure and each.health is not Health.OK:
            lines.append(f"{'':<4}  {'':<{width}}  {arrow} {plain(each.cure, LONGEST_LINE)}")
    return "\n".join(lines)


def models(known: Sequence[ModelSummary], report: CatalogReport) -> Check:
    """Whether there is anything to run."""
    if not report.folders and not report.problems:
        return Check("models", Health.WARN, "no models folder is set", "ggtui --models-dir DIR")
    broken = [model.public_id for model in known if model.problem]
    detail = f"{len(known)} in {', '.join(report.folders)}"
    told = [*report.problems, *([f"broken: {listed(broken, NAMED)}"] if broken else [])]
    if told:
        cures = ["correct what is told of the folders"] if report.problems else []
        cures += ["ggtui show MODEL tells what is broken"] if broken else []
        return Check("models", Health.WARN, "; ".join((detail, *told)), "; ".join(cures))
    health = Health.OK if known else Health.WARN
    return Check("models", health, detail, "" if known else "put .gguf files there")


def disk(report: CatalogReport) -> list[Check]:
    """What each place takes, and what is left there."""
    return [_place(use) for use in report.disk]


def _place(use: PlaceUse) -> Check:
    copies = f", {gib(use.waste_bytes)} of it copies" if use.waste_bytes else ""
    noun = "model" if use.n_models == 1 else "models"
    detail = f"{use.n_models} {noun}, {gib(use.n_bytes)}{copies} in {use.path}; {gib(use.free_bytes)} free"
    if use.free_bytes is not None and use.free_bytes < LITTLE_ROOM:
        return Check(f"disk {use.store}", Health.WARN, detail, "make room: ggtui rm MODEL")
    return Check(f"disk {use.store}", Health.OK, detail)


def engine(info: EngineInfo) -> Check:
    """Which llama.cpp would be launched."""
    if info.problem is not None:
        return Check(
            "engine", Health.FAIL, info.problem, "--llama-server PATH, or pip install 'ggtui[engine]'"
        )
    devices = ", ".join(info.devices) or "CPU only"
    return Check("engine", Health.OK, f"{info.kind} {info.version} at {info.path}; {devices}")


def driver(reading: MemoryReading, info: EngineInfo) -> Check:
    """Whether the GPUs can be read, and whether the engine can use them."""
    found = ", ".join(_device(gpu) for gpu in reading.gpus)
    absence = gpu_absence(reading, info)
    if absence is not None:
        is_integrated = absence.kind is NoGpu.NO_BACKEND and all(gpu.is_unified for gpu in reading.gpus)
        health = Health.OK if is_integrated else Health.WARN
        return Check("driver", health, "; ".join(filter(None, (found, absence.line))), absence.hint)
    lost = [f"GPU {gpu.index}: {gpu.problem}" for gpu in reading.gpus if gpu.problem]
    problems = [*lost, *([reading.gpu_problem] if reading.gpu_problem else [])]
    if problems:
        return Check("driver", Health.WARN, "; ".join((found, *problems)), reading.gpu_hint)
    return Check("driver", Health.OK, found)


def _device(gpu: GpuSample) -> str:
    shared = " of main memory" if gpu.is_unified else ""
    return f"{gpu.name} {used_of_total(gpu.used_bytes, gpu.total_bytes)}{shared}"


def memory(reading: MemoryReading) -> Check:
    """Main memory: what a model without a GPU, or beyond it, can take."""
    used = reading.ram_total_bytes - reading.ram_available_bytes
    words = [
        f"{used_of_total(used, reading.ram_total_bytes)} used, {gib(reading.ram_available_bytes)} available"
    ]
    if reading.ram_limit_bytes is not None:
        words.append("limit of this container")
    swap = used_of_total(reading.swap_used_bytes, reading.swap_total_bytes)
    words.append(f"swap {swap}" if reading.swap_total_bytes else "no swap")
    return Check("memory", Health.OK, ", ".join(words))


def processor(reading: MemoryReading) -> Check:
    """The processor, and whether it has what the engine needs to be fast on it."""
    cpu = reading.cpu
    detail = f"{cpu.model or 'unknown model'}, {cpu.n_cores or '?'} cores, {cpu.n_threads or '?'} threads"
    if not cpu.features:
        return Check("processor", Health.OK, detail)
    detail = f"{detail}, {' '.join(cpu.features)}"
    if "AVX" in cpu.features and "AVX2" not in cpu.features:
        cure = "take an engine built without AVX2; models will be slow without a GPU"
        return Check("processor", Health.WARN, f"{detail}; no AVX2", cure)
    return Check("processor", Health.OK, detail)
