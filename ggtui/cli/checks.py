"""What `ggtui doctor` looks at: each check says ok, warn or fail, and what cures it."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ggtui import __version__
from ggtui.core.errors import Failure, PortInUse
from ggtui.core.gpu_absence import gpu_absence
from ggtui.core.ports.gpu import NoGpu
from ggtui.core.units import gib, used_of_total

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from ggtui.cli.surroundings import Shelf
    from ggtui.config.schema import Config
    from ggtui.core.models import EngineInfo
    from ggtui.core.ports.gpu import GpuSample, MemoryReading


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


def versions() -> Check:
    """ggtui and what it runs on."""
    system = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    return Check("version", Health.OK, f"ggtui {__version__}, {system}")


def config_file(config: Config) -> Check:
    """Which file was read."""
    if config.config_file is None:
        return Check("config", Health.OK, "no file; defaults, environment and flags")
    return Check("config", Health.OK, str(config.config_file))


def folders(config: Config) -> list[Check]:
    """Whether ggtui can keep what it wants to keep, and whether others can read it."""
    wanted = {
        "data folder": config.data_dir,
        "cache folder": config.cache_dir,
        "log folder": config.log_dir,
        "runtime folder": config.runtime_dir,
    }
    return [_folder(name, path) for name, path in wanted.items()]


def _folder(name: str, folder: Path) -> Check:
    if not folder.exists():
        parent = next(each for each in folder.parents if each.exists())
        if os.access(parent, os.W_OK | os.X_OK):
            return Check(name, Health.OK, f"{folder}, made when it is needed")
        return Check(name, Health.FAIL, f"{folder} cannot be made", "choose another with --data-dir DIR")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Check(name, Health.FAIL, f"{folder} cannot be written", f"chown or chmod u+rwx {folder}")
    if folder.stat().st_mode & 0o077:
        return Check(name, Health.WARN, f"{folder} can be entered by others", f"chmod 700 {folder}")
    return Check(name, Health.OK, str(folder))


def models(shelf: Shelf) -> Check:
    """Whether there is anything to run."""
    report = shelf.report
    if report.problems:
        return Check("models", Health.WARN, "; ".join(report.problems), "correct models_dirs or stores")
    if not report.folders:
        return Check("models", Health.WARN, "no models folder is set", "ggtui --models-dir DIR")
    broken = [model.public_id for model in shelf.models if model.problem]
    detail = f"{len(shelf.models)} in {', '.join(report.folders)}"
    if broken:
        return Check(
            "models", Health.WARN, f"{detail}; broken: {', '.join(broken)}", "ggtui show MODEL tells"
        )
    health = Health.OK if shelf.models else Health.WARN
    return Check("models", health, detail, "" if shelf.models else "put .gguf files there")


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


def instance(config: Config, state: dict[str, Any] | None) -> Check:
    """Who owns the data folder."""
    from ggtui.adapters.instance.record import find_instance

    record = find_instance(config.data_dir)
    if record is None:
        return Check("instance", Health.OK, "no ggtui is running")
    if state is None:
        return Check("instance", Health.FAIL, f"pid {record.pid} does not answer at {record.url}", "stop it")
    return Check("instance", Health.OK, f"pid {record.pid} serves at {record.url}")


def port(config: Config, state: dict[str, Any] | None) -> Check:
    """Whether the address can be had."""
    from ggtui.proxy.bind import bind

    where = f"{config.host}:{config.port}"
    if state is not None and f":{config.port}/" in str(state["url"]):
        return Check("port", Health.OK, f"{where}, held by the running ggtui")
    try:
        bind(config.host, config.port, has_api_key=bool(config.api_key)).close()
    except PortInUse as failure:
        return Check("port", Health.FAIL, failure.detail, failure.hint)
    except Failure as failure:
        return Check("port", Health.FAIL, f"{where}: {failure.detail}", failure.hint)
    return Check("port", Health.OK, f"{where} is free")


def api_key(config: Config) -> Check:
    """Who may ask."""
    if config.api_key:
        return Check("api key", Health.OK, "set; clients must send it")
    return Check("api key", Health.OK, "none; only this machine can connect")


def terminal() -> Check:
    """Whether the screen could be drawn here."""
    from ggtui.cli.terminal import has_terminal

    name = os.environ.get("TERM") or "unknown"
    encoding = (sys.stdout.encoding or "ascii").lower()
    if not has_terminal():
        return Check("terminal", Health.WARN, "none here", "ggtui --proxy-only serves without a screen")
    if not encoding.startswith("utf"):
        return Check("terminal", Health.WARN, f"{name}, {encoding}", "a UTF-8 locale, or ggtui --ascii")
    return Check("terminal", Health.OK, f"{name}, {encoding}")
