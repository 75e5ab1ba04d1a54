"""Main memory of this machine, or of the container where that has less."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import psutil

CGROUP_ROOT = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


@dataclass(frozen=True, slots=True)
class RamSample:
    """Main memory at one moment, in bytes; 0 before the first sample."""

    total_bytes: int = 0
    available_bytes: int = 0
    swap_used_bytes: int = 0
    process_bytes: dict[int, int] = field(default_factory=dict)
    """Resident, by process id; processes that have ended are left out."""
    process_private_bytes: dict[int, int] = field(default_factory=dict)
    """Resident without mapped files."""


def sample_ram(pids: frozenset[int], root: Path = CGROUP_ROOT, own: Path = OWN_CGROUP) -> RamSample:
    """Main memory now, with the figures of these processes."""
    memory = psutil.virtual_memory()
    total, available = memory.total, memory.available
    for limit, used in cgroup_limits(root, own):
        total = min(total, limit)
        available = min(available, max(0, limit - used))
    resident, private = _processes(pids)
    return RamSample(total, available, _swap_used(), resident, private)


def _swap_used() -> int:
    try:
        return int(psutil.swap_memory().used)
    except (OSError, RuntimeError):
        return 0


def _processes(pids: frozenset[int]) -> tuple[dict[int, int], dict[int, int]]:
    resident, private = {}, {}
    for pid in sorted(pids):
        try:
            info = psutil.Process(pid).memory_info()
        except (psutil.Error, ValueError):
            continue
        resident[pid] = info.rss
        private[pid] = max(0, info.rss - getattr(info, "shared", 0))
    return resident, private


def cgroup_limits(root: Path, own: Path) -> list[tuple[int, int]]:
    """Limit and use of every control group above this process that has a limit, in bytes.

    Page cache that can be dropped does not count as used. Empty outside Linux and without limits.
    """
    limits = []
    for folder in _group_folders(root, own):
        for limit_name, used_name in (
            ("memory.max", "memory.current"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ):
            limit, used = _number(folder / limit_name), _number(folder / used_name)
            if limit is not None and used is not None:
                limits.append((limit, max(0, used - _droppable(folder))))
    return limits


def _group_folders(root: Path, own: Path) -> list[Path]:
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return []
    folders = [root]
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers in ("", "memory"):
            base = root / controllers if controllers else root
            parts = [part for part in path.split("/") if part and part != ".."]
            folders.extend(base.joinpath(*parts[:depth]) for depth in range(len(parts) + 1))
    return list(dict.fromkeys(folders))


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def _droppable(folder: Path) -> int:
    try:
        lines = (folder / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    for line in lines:
        name, _, value = line.partition(" ")
        if name in ("inactive_file", "total_inactive_file") and value.isdigit():
            return int(value)
    return 0
