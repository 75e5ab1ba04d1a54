"""Intel devices: the total from their driver, the use only with the right to see it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.gpu.intel import IntelProvider
from ggtui.adapters.gpu.intel_query import Region, memory_regions, parse_i915, parse_xe
from ggtui.core.ports.gpu import GpuSample, Vendor
from ggtui.core.units import GIB, KIB
from tests.adapters.gpu.machines import XE_REGIONS, Machine

if TYPE_CHECKING:
    from pathlib import Path

PERFMON = 1 << 38
NOBODY: frozenset[int] = frozenset()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def only(
    machine: Machine, regions: tuple[Region, ...] | None = XE_REGIONS, pids: frozenset[int] = NOBODY
) -> GpuSample:
    (sample,) = IntelProvider(machine.tree, lambda _node, _driver: regions).sample(pids)
    return sample


def test_the_total_is_shown_although_the_use_is_unknown(machine: Machine) -> None:
    machine.intel()
    machine.may_see_all(0)

    sample = only(machine)

    assert (16 * GIB, None, None) == (sample.total_bytes, sample.used_bytes, sample.problem)
    assert Vendor.INTEL is sample.vendor


def test_with_the_right_to_see_it_the_use_is_told(machine: Machine) -> None:
    machine.intel()
    machine.may_see_all(PERFMON)

    assert 3 * GIB == only(machine, (Region(True, 16 * GIB, 3 * GIB),)).used_bytes


def test_a_device_without_memory_of_its_own_is_a_part_of_main_memory(machine: Machine) -> None:
    machine.intel()

    sample = only(machine, (Region(False, 32 * GIB, 0),))

    assert (True, 32 * GIB, 8 * GIB) == (sample.is_unified, sample.total_bytes, sample.used_bytes)


def test_a_device_that_may_not_be_asked_is_kept_with_its_reason(machine: Machine) -> None:
    machine.intel()

    sample = only(machine, None)

    assert ("the Intel driver does not tell its memory", None) == (sample.problem, sample.total_bytes)
    assert "Intel GPU 56a0" == sample.name


def test_a_name_comes_from_the_list_of_the_system(machine: Machine) -> None:
    machine.intel()
    lists = "1002  AMD\n\t56a0  Wrong\n8086  Intel\n\t1234  Old\n\t56a0  DG2 [Arc A770]\n10de  NVIDIA\n"
    machine.write("/usr/share/misc/pci.ids", lists)

    assert "Intel Arc A770" == only(machine).name


@pytest.mark.parametrize("region", ["vram0", "local0"])
def test_our_own_processes_are_told_by_both_drivers(machine: Machine, region: str) -> None:
    machine.intel()
    client = {"drm-pdev": "0000:03:00.0", "drm-client-id": "3", "drm-total-system": "8 MiB"}
    machine.open_card(7, 3, client | {f"drm-total-{region}": "23992 KiB"})

    assert {7: 23992 * KIB} == only(machine, pids=frozenset({7})).process_bytes


def test_the_answer_of_i915_is_read() -> None:
    """struct drm_i915_memory_region_info: class, instance, unused, probed, unallocated, 64 bytes more."""
    regions = [(0, 0, 32 * GIB, 32 * GIB), (1, 0, 16 * GIB, 13 * GIB)]
    answer = struct.pack("=I12x", 2) + b"".join(
        struct.pack("=HHIQQ64x", k, i, 0, p, u) for k, i, p, u in regions
    )

    assert (Region(False, 32 * GIB, 0), Region(True, 16 * GIB, 3 * GIB)) == parse_i915(answer)


def test_the_answer_of_xe_is_read() -> None:
    """struct drm_xe_mem_region: class, instance, page size, total, used, 64 bytes more."""
    regions = [(0, 0, 32 * GIB, 0), (1, 1, 16 * GIB, 3 * GIB)]
    answer = struct.pack("=I4x", 2) + b"".join(
        struct.pack("=HHIQQ64x", k, i, 4096, t, u) for k, i, t, u in regions
    )

    assert (Region(False, 32 * GIB, 0), Region(True, 16 * GIB, 3 * GIB)) == parse_xe(answer)


@pytest.mark.parametrize("parse", [parse_i915, parse_xe])
def test_an_answer_that_is_too_short_is_refused(parse: object) -> None:
    with pytest.raises(struct.error):
        parse(struct.pack("=I12x", 3))  # type: ignore[operator]


@pytest.mark.parametrize("driver", ["i915", "xe"])
def test_a_file_that_is_no_device_gives_no_regions(tmp_path: Path, driver: str) -> None:
    file = tmp_path / "renderD128"
    file.write_text("")

    assert memory_regions(file, driver) is None
    assert memory_regions(tmp_path / "absent", driver) is None
