"""Apple devices by what a Mac's own programs print."""

from __future__ import annotations

import pytest

from ggtui.adapters.gpu.apple import AppleProvider, used_memory, usual_limit
from ggtui.adapters.gpu.provider import NoDevices
from ggtui.core.ports.gpu import GpuSample, Vendor
from ggtui.core.units import GIB, MIB
from tests.adapters.gpu.machines import VM_STAT_OUTPUT, FakeMac

USED = (247311 - 630 + 159117 + 454496) * 16384


def only(mac: FakeMac) -> GpuSample:
    (sample,) = AppleProvider(mac, platform="darwin").sample(frozenset())
    return sample


def test_the_limit_is_what_metal_recommends() -> None:
    sample = only(FakeMac())

    assert ("Apple M3", Vendor.APPLE, True) == (sample.name, sample.vendor, sample.is_unified)
    assert 12_713_115_648 == sample.total_bytes


def test_a_limit_set_by_a_person_goes_first() -> None:
    assert 14000 * MIB == only(FakeMac(wired_limit_mb=14000)).total_bytes


def test_without_metal_the_usual_share_is_taken() -> None:
    assert 16 * GIB * 2 // 3 == only(FakeMac(recommended=None)).total_bytes
    assert 96 * GIB == usual_limit(128 * GIB)


def test_metal_is_asked_once_and_the_memory_each_time() -> None:
    mac = FakeMac()
    provider = AppleProvider(mac, platform="darwin", metal=("metal",))

    provider.sample(frozenset())
    provider.sample(frozenset())

    assert (1, 2) == (mac.asked.count("metal"), mac.asked.count("vm_stat"))


def test_what_is_free_for_it_must_be_free_in_main_memory() -> None:
    sample = only(FakeMac())

    assert USED == used_memory(VM_STAT_OUTPUT)
    assert 12_713_115_648 - (16 * GIB - USED) == sample.used_bytes


def test_odd_output_is_unknown_and_not_zero() -> None:
    mac = FakeMac()
    mac.answers["vm_stat"] = "odd"

    assert (None, 12_713_115_648) == (only(mac).used_bytes, only(mac).total_bytes)


@pytest.mark.parametrize("output", ["hw.memsize: 17179869184\nhw.optional.arm64: 0\n", "", None])
def test_a_mac_without_an_apple_chip_has_none(output: str | None) -> None:
    mac = FakeMac()
    mac.answers["sysctl"] = output

    with pytest.raises(NoDevices, match="no Apple GPU"):
        only(mac)


def test_other_systems_are_not_asked() -> None:
    assert not AppleProvider(FakeMac(), platform="linux").probe()
