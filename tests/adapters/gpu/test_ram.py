"""Main memory, and the limits of a container."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil

from ggtui.adapters.gpu.ram import cgroup_limits, sample_ram

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


def test_a_process_that_has_ended_is_left_out() -> None:
    assert {} == sample_ram(frozenset({2**22 + 1})).process_bytes


def test_a_lower_container_limit_is_the_total(tmp_path: Path) -> None:
    _group(tmp_path / "g", str(64 * 1024 * 1024), 40 * 1024 * 1024, droppable=10 * 1024 * 1024)

    sample = sample_ram(frozenset(), tmp_path / "g", _own(tmp_path, "0::/\n"))

    assert 64 * 1024 * 1024 == sample.total_bytes
    assert 34 * 1024 * 1024 == sample.available_bytes


def test_a_limit_above_the_machine_changes_nothing(tmp_path: Path) -> None:
    _group(tmp_path / "g", str(1 << 62), 1)

    assert (
        psutil.virtual_memory().total
        == sample_ram(frozenset(), tmp_path / "g", _own(tmp_path, "0::/\n")).total_bytes
    )


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
    (folder / "memory.stat").write_text("total_inactive_file 50\n")

    assert [(700, 150)] == cgroup_limits(tmp_path / "g", _own(tmp_path, "4:cpu:/x\n3:memory:/box\n"))


def test_no_control_groups_no_limits(tmp_path: Path) -> None:
    assert [] == cgroup_limits(tmp_path, tmp_path / "absent")
