"""Where a run took place: figures mean little without it."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from ggtui import __version__

LOOK_S = 0.5
"""How long the machine is looked at before anything is measured: on a busy one, repeat the run."""
_PACKAGES = ("uvloop", "uvicorn", "httptools", "msgspec", "textual", "xllamacpp")


def machine(llama_server: str | None) -> dict[str, str]:
    """Names and versions, for people."""
    return {
        "cpu": _cpu(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "busy before": f"{psutil.cpu_percent(interval=LOOK_S):.0f} % with other work",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "ggtui": __version__,
        **{name: _version(name) for name in _PACKAGES},
        "llama-server": _binary_version(llama_server) if llama_server else "none",
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _binary_version(binary: str) -> str:
    try:
        told = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return "does not start"
    lines = (told.stdout + told.stderr).splitlines()
    return next((line.removeprefix("version: ") for line in lines if line.startswith("version: ")), "unknown")
