"""Main memory, and the limits of a container."""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING

import psutil

from ggtui.adapters.gpu.ram import cgroup_limits, sample_ram
from ggtui.core.ports.gpu import ProcessMemory
from ggtui.core.units import KIB
from tests.adapters.gpu.machines import Machine

if TYPE_CHECKING:
    from pathlib import Path


def _group(folder: Path, limit: str, used: int, droppable: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {droppable}\n")


def _own(tmp_path: Path, text: str) -> Path:
    own = tmp_path / "own"
    own.write_text(text)
    return own


def test_this_process_has_resident_memory_of_which_a_part_is_its_own() -> None:
    pid = os.getpid()

    sample = sample_ram(frozenset({pid}))

    assert 0 < sample.available_bytes <= sample.total_bytes
    assert {pid} == set(sample.process_bytes)
    assert 0 < sample.process_private_bytes[pid] < sample.process_bytes[pid]


def test_a_process_has_mapped_files_apart_from_memory_of_its_own(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    status = "Name:\tserver\nVmRSS:\t 60 kB\nRssAnon:\t 10 kB\nRssFile:\t 45 kB\nRssShmem:\t 5 kB\n"
    machine.write("/proc/7/status", status)
    machine.write("/proc/7/smaps_rollup", "00400000-7fff ---p 00000000 00:00 0 [rollup]\nPss:  30 kB\n")

    without = sample_ram(frozenset({7}), tree=machine.tree)
    shared = sample_ram(frozenset({7}), tree=machine.tree, with_shares=True)

    assert ProcessMemory(60 * KIB, 15 * KIB, 45 * KIB) == without.processes[7]
    assert 30 * KIB == shared.processes[7].proportional_bytes
    assert ({7: 60 * KIB}, {7: 15 * KIB}) == (without.process_bytes, without.process_private_bytes)


def test_a_mapped_file_of_a_real_process_is_no_memory_of_its_own(tmp_path: Path) -> None:
    size = 32 * 1024 * 1024
    file = tmp_path / "weights"
    file.write_bytes(bytes(size))
    pids = frozenset({os.getpid()})
    before = sample_ram(pids).processes[os.getpid()]
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), size, access=mmap.ACCESS_READ) as mapped:
        touched = sum(mapped[at] for at in range(0, size, 4096))
        after = sample_ram(pids).processes[os.getpid()]

    assert 0 == touched
    assert size * 0.9 < after.file_bytes - before.file_bytes
    assert after.anonymous_bytes - before.anonymous_bytes < size / 4


def test_a_process_that_has_ended_is_left_out() -> None:
    assert {} == sample_ram(frozenset({2**22 + 1})).process_bytes


def test_a_lower_container_limit_is_the_total(tmp_path: Path) -> None:
    _group(tmp_path / "g", str(64 * 1024 * 1024), 40 * 1024 * 1024, droppable=10 * 1024 * 1024)

    sample = sample_ram(frozenset(), tmp_path / "g", _own(tmp_path, "0::/\n"))

    assert 64 * 1024 * 1024 == sample.total_bytes
    assert 34 * 1024 * 1024 == sample.available_bytes
    assert 64 * 1024 * 1024 == sample.limit_bytes


def test_a_limit_above_the_machine_changes_nothing(tmp_path: Path) -> None:
    _group(tmp_path / "g", str(1 << 62), 1)
    sample = sample_ram(frozenset(), tmp_path / "g", _own(tmp_path, "0::/\n"))

    assert (psutil.virtual_memory().total, None) == (sample.total_bytes, sample.limit_bytes)


def test_every_group_above_counts(tmp_path: Path) -> None:
    root = tmp_path / "g"
    _group(root / "a", "500", 100)
    _group(root / "a" / "b", "max", 60)
    _group(root / "a" / "b" / "c", "300", 50, droppable=20)

    assert [(500, 100), (300, 30)] == cgroup_limits(root, _own(tmp_path, "0::/a/b/c\n"))


def test_the_older_layout_of_control_groups(tmp_path: Path) -> None:
    folder = tmp_path / "g" / "memory" / "box"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text("700")
    (folder / "memory.usage_in_bytes").write_text("200")
    stat = "active_file 900\ninactive_file 900\ntotal_active_file 30\ntotal_inactive_file 50\n"
    (folder / "memory.stat").write_text(stat)

    assert [(700, 120)] == cgroup_limits(tmp_path / "g", _own(tmp_path, "4:cpu:/x\n3:memory:/box\n"))


def test_no_control_groups_no_limits(tmp_path: Path) -> None:
    assert [] == cgroup_limits(tmp_path, tmp_path / "absent")
