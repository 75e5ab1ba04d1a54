"""Main memory of this machine, or of the container where that has less."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from ggtui.adapters.gpu.host import kib_fields
from ggtui.adapters.gpu.tree import Tree
from ggtui.core.ports.gpu import ProcessMemory

if TYPE_CHECKING:
    from collections.abc import Mapping

CGROUP_ROOT = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


@dataclass(frozen=True, slots=True)
class RamSample:
    """Main memory at one moment, in bytes; 0 before the first sample."""

    total_bytes: int = 0
    available_bytes: int = 0
    swap_used_bytes: int = 0
    swap_total_bytes: int = 0
    limit_bytes: int | None = None
    """Of the container, when it is lower than the machine's memory."""
    processes: Mapping[int, ProcessMemory] = field(default_factory=dict)
    """By process id; processes that have ended are left out."""

    @property
    def process_bytes(self) -> dict[int, int]:
        """Resident, by process id."""
        return {pid: memory.resident_bytes for pid, memory in self.processes.items()}

    @property
    def process_private_bytes(self) -> dict[int, int]:
        """Resident without mapped files."""
        return {pid: memory.anonymous_bytes for pid, memory in self.processes.items()}


def sample_ram(
    pids: frozenset[int],
    root: Path = CGROUP_ROOT,
    own: Path = OWN_CGROUP,
    *,
    tree: Tree | None = None,
    with_shares: bool = False,
) -> RamSample:
    """Main memory now, with the figures of these processes.

    with_shares: also how shared pages divide among processes, for which the kernel walks all their pages.
    """
    tree = tree or Tree()
    memory = psutil.virtual_memory()
    total, available = memory.total, memory.available
    for limit, used in cgroup_limits(root, own):
        total = min(total, limit)
        available = min(available, max(0, limit - used))
    swap_used, swap_total = _swap()
    found = ((pid, _process(tree, pid, with_shares=with_shares)) for pid in sorted(pids))
    return RamSample(
        total_bytes=total,
        available_bytes=available,
        swap_used_bytes=swap_used,
        swap_total_bytes=swap_total,
        limit_bytes=total if total < memory.total else None,
        processes={pid: held for pid, held in found if held is not None},
    )


def _swap() -> tuple[int, int]:
    try:
        swap = psutil.swap_memory()
    except (OSError, RuntimeError):
        return 0, 0
    return int(swap.used), int(swap.total)


def _process(tree: Tree, pid: int, *, with_shares: bool) -> ProcessMemory | None:
    """What one process holds; None when it has ended. Memory shared without a file counts as its own.

    Source: proc_pid_status(5), and proc_pid_smaps(5) for the shares.
    """
    fields = kib_fields(tree.text(f"/proc/{pid}/status") or "")
    if "RssAnon" not in fields:
        return _portable(pid)
    shares = kib_fields(tree.text(f"/proc/{pid}/smaps_rollup") or "") if with_shares else {}
    own, file = fields["RssAnon"] + fields.get("RssShmem", 0), fields.get("RssFile", 0)
    return ProcessMemory(own + file, own, file, shares.get("Pss"))


def _portable(pid: int) -> ProcessMemory | None:
    try:
        info = psutil.Process(pid).memory_info()
    except (psutil.Error, ValueError):
        return None
    shared = min(info.rss, getattr(info, "shared", 0))
    return ProcessMemory(info.rss, info.rss - shared, shared)


def cgroup_limits(root: Path, own: Path) -> list[tuple[int, int]]:
    """Limit and use of every control group above this process that has a limit, in bytes.

    Page cache, mapped weights among it, does not count as used: it can be dropped. Empty outside Linux and
    without limits.
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
    """Pages of files, given up when memory is wanted; the older layout has sums of its own."""
    try:
        lines = (folder / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    pairs = (line.partition(" ") for line in lines)
    counts = {name: int(value) for name, _, value in pairs if value.isdigit()}
    return sum(counts.get(f"total_{name}", counts.get(name, 0)) for name in ("active_file", "inactive_file"))
