"""Why there is no device: the most telling reason goes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.gpu.absence import why_none
from ggtui.adapters.gpu.nvml_library import refusal
from ggtui.core.ports.gpu import NoGpu
from tests.adapters.gpu.machines import Machine, NVMLError_LibraryNotFound, NVMLError_NoPermission

if TYPE_CHECKING:
    from pathlib import Path

NVIDIA, AMD, INTEL = 0x10DE, 0x1002, 0x8086
NO_LIBRARY = refusal(NVMLError_LibraryNotFound())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_nothing_on_the_bus_and_no_library(machine: Machine) -> None:
    machine.pci("0000:00:01.0", INTEL, base_class=0x060000)

    why = why_none(machine.tree, [NO_LIBRARY])

    assert (NoGpu.NO_LIBRARY, "no NVML library (libnvidia-ml.so.1 not found)") == (why.absence, why.detail)
    assert "main memory is used; if there is a GPU, install its driver" == why.hint


def test_nothing_at_all(machine: Machine) -> None:
    assert (NoGpu.NOT_FOUND, "no GPU found") == (
        why_none(machine.tree, []).absence,
        why_none(machine.tree, []).detail,
    )


@pytest.mark.parametrize(
    ("vendor", "line", "cure"),
    [
        (NVIDIA, "NVIDIA GPU present (0000:01:00.0), driver missing", "--gpus all"),
        (AMD, "AMD GPU present (0000:01:00.0), driver missing", "/dev/kfd"),
        (INTEL, "Intel GPU present (0000:01:00.0), driver missing", "/dev/dri"),
    ],
)
def test_a_device_without_a_driver(machine: Machine, vendor: int, line: str, cure: str) -> None:
    machine.pci("0000:01:00.0", vendor, base_class=0x030200)

    why = why_none(machine.tree, [NO_LIBRARY])

    assert (NoGpu.DRIVER_MISSING, line) == (why.absence, why.detail)
    assert cure in why.hint


def test_a_driver_of_somebody_else_is_named(machine: Machine) -> None:
    machine.pci("0000:01:00.0", NVIDIA, "nouveau")

    assert why_none(machine.tree, [NO_LIBRARY]).detail.endswith("driver missing: nouveau has it instead")


def test_a_device_set_aside_for_a_virtual_machine(machine: Machine) -> None:
    machine.pci("0000:01:00.0", NVIDIA, "vfio-pci")

    assert why_none(machine.tree, []).detail.endswith("it is set aside for a virtual machine")


def test_a_loaded_driver_without_its_library_is_a_missing_library(machine: Machine) -> None:
    machine.pci("0000:01:00.0", NVIDIA, "nvidia")

    assert NoGpu.NO_LIBRARY is why_none(machine.tree, [NO_LIBRARY]).absence


def test_the_device_that_computes_best_is_told_of(machine: Machine) -> None:
    machine.pci("0000:00:02.0", INTEL)
    machine.pci("0000:01:00.0", NVIDIA)

    assert why_none(machine.tree, []).detail.startswith("NVIDIA")


def test_a_driver_that_refuses_goes_before_all_else(machine: Machine) -> None:
    machine.pci("0000:00:02.0", INTEL)
    why = why_none(machine.tree, [NO_LIBRARY, refusal(NVMLError_NoPermission())])

    assert NoGpu.NO_PERMISSION is why.absence
