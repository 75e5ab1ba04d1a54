"""AMD devices by the files of their driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.gpu.amd import AmdProvider
from ggtui.core.ports.gpu import GpuSample, Vendor
from ggtui.core.units import GIB, KIB
from tests.adapters.gpu.machines import Machine

if TYPE_CHECKING:
    from pathlib import Path

NOBODY: frozenset[int] = frozenset()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def only(machine: Machine, pids: frozenset[int] = NOBODY) -> GpuSample:
    (sample,) = AmdProvider(machine.tree).sample(pids)
    return sample


def test_a_card_gives_its_figures(machine: Machine) -> None:
    machine.amd()

    sample = only(machine)

    assert (24 * GIB, 2 * GIB, 37) == (sample.total_bytes, sample.used_bytes, sample.utilisation_percent)
    assert (61, 85.5, "0000:03:00.0") == (sample.temperature_c, sample.power_w, sample.bus_id)
    assert (Vendor.AMD, False, None) == (sample.vendor, sample.is_unified, sample.problem)


def test_cards_of_others_and_connectors_are_passed_over(machine: Machine) -> None:
    machine.amd(0)
    machine.intel(1)
    machine.amd(10)

    samples = AmdProvider(machine.tree).sample(NOBODY)

    assert ["0000:03:00.0", "0000:0d:00.0"] == [sample.bus_id for sample in samples]


def test_a_machine_without_such_a_card_is_not_asked(machine: Machine) -> None:
    machine.intel()

    assert not AmdProvider(machine.tree).probe()


def test_a_card_that_tells_nothing_hides_no_other(machine: Machine) -> None:
    machine.card(0, 0x1002, 0x744C, "amdgpu", "0000:03:00.0")
    machine.amd(1)

    silent, telling = AmdProvider(machine.tree).sample(NOBODY)

    assert ("the amdgpu driver does not tell its memory", None) == (silent.problem, silent.total_bytes)
    assert 24 * GIB == telling.total_bytes


def test_a_name_comes_from_the_list_of_the_system(machine: Machine) -> None:
    machine.amd()
    machine.write(
        "/usr/share/libdrm/amdgpu.ids", "# ids\n744C,\tCC,\tOther\n744C,\tC8,\tAMD Radeon RX 7900 XTX\n"
    )

    assert "AMD Radeon RX 7900 XTX" == only(machine).name


def test_without_a_list_it_is_called_by_its_number(machine: Machine) -> None:
    machine.amd()

    assert "AMD GPU 744c" == only(machine).name


def test_a_processor_with_graphics_borrows_main_memory(machine: Machine) -> None:
    machine.apu(gtt=16 * GIB)

    sample = only(machine)

    assert (True, 16 * GIB, GIB) == (sample.is_unified, sample.total_bytes, sample.used_bytes)


def test_what_is_borrowed_must_be_free_in_main_memory(machine: Machine) -> None:
    machine.apu(gtt=30 * GIB)

    assert 30 * GIB - 24 * GIB == only(machine).used_bytes


def test_memory_set_aside_by_the_firmware_counts_where_it_is_more(machine: Machine) -> None:
    machine.apu(vram=96 * GIB, gtt=16 * GIB)

    assert (96 * GIB, 48 * GIB) == (only(machine).total_bytes, only(machine).used_bytes)


def test_a_process_counts_each_client_once(machine: Machine) -> None:
    machine.amd()
    client = {"drm-driver": "amdgpu", "drm-pdev": "0000:03:00.0", "drm-client-id": "5"}
    machine.open_card(7, 3, client | {"drm-memory-vram": "1024 KiB", "drm-memory-gtt": "512 KiB"})
    machine.open_card(7, 4, client | {"drm-memory-vram": "1024 KiB"})
    machine.open_card(7, 5, client | {"drm-client-id": "6", "drm-memory-vram": "2 MiB"})
    machine.open_card(7, 6, client | {"drm-pdev": "0000:09:00.0", "drm-memory-vram": "9 MiB"})
    machine.open_card(8, 3, client | {"drm-memory-vram": "7 MiB"})

    assert {7: (1024 + 2048) * KIB} == only(machine, frozenset({7, 99})).process_bytes


def test_what_is_in_memory_now_goes_before_what_was_asked_for(machine: Machine) -> None:
    machine.amd()
    client = {"drm-pdev": "0000:03:00.0", "drm-client-id": "5"}
    machine.open_card(7, 3, client | {"drm-total-vram": "9 MiB", "drm-resident-vram": "4 MiB"})

    assert {7: 4096 * KIB} == only(machine, frozenset({7})).process_bytes


def test_a_device_file_that_may_not_be_opened_is_told(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.amd()
    machine.write("/dev/kfd", "")
    monkeypatch.setattr("os.access", lambda _path, _mode: False)

    sample = only(machine)

    assert 24 * GIB == sample.total_bytes
    assert "no permission for /dev/kfd: join its group (render or video) and log in again" == (
        sample.access_problem
    )
