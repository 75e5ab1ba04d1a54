"""The engine's own list of devices: asked seldom, its figures with their age."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.adapters.gpu.engine_list import EngineCommand, EngineDeviceList
from ggtui.core.ports.gpu import Vendor
from ggtui.core.units import MIB
from tests.adapters.gpu.machines import LISTING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOBODY: frozenset[int] = frozenset()
COMMAND = EngineCommand(("llama-server",), {"PATH": "/bin"})


class FakeEngine:
    """Lists devices, and keeps how it was asked."""

    def __init__(self, listing: str | None = LISTING) -> None:
        self.listing = listing
        self.asked: list[tuple[tuple[str, ...], Mapping[str, str] | None]] = []
        self.now = 0.0

    def __call__(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> str | None:
        self.asked.append((tuple(command), env))
        return self.listing

    def clock(self) -> float:
        return self.now


def test_the_devices_of_this_machine_with_memory_are_samples() -> None:
    cuda, vulkan = EngineDeviceList(COMMAND, FakeEngine()).sample(NOBODY)

    assert ("NVIDIA GeForce RTX 4090", Vendor.NVIDIA) == (cuda.name, cuda.vendor)
    assert (24564 * MIB, 1564 * MIB) == (cuda.total_bytes, cuda.used_bytes)
    assert (1, Vendor.AMD, 0) == (vulkan.index, vulkan.vendor, vulkan.used_bytes)
    assert cuda.process_problem is not None


def test_it_is_asked_once_and_again_after_a_server_stopped() -> None:
    engine = FakeEngine()
    devices = EngineDeviceList(COMMAND, engine)

    devices.sample(NOBODY)
    devices.sample(NOBODY)

    assert [(("llama-server", "--list-devices"), {"PATH": "/bin"})] == engine.asked

    devices.refresh()
    devices.sample(NOBODY)

    assert 2 == len(engine.asked)


def test_an_engine_without_devices_is_not_asked_again() -> None:
    engine = FakeEngine("Available devices:\n  (none)\n")
    devices = EngineDeviceList(COMMAND, engine)

    assert () == devices.sample(NOBODY)
    devices.refresh()

    assert () == devices.sample(NOBODY)
    assert 1 == len(engine.asked)


def test_figures_say_how_old_they_are() -> None:
    engine = FakeEngine()
    devices = EngineDeviceList(COMMAND, engine, engine.clock)
    ages = []
    for engine.now in (0.0, 9.0, 34.0, 200.0):
        ages.append(devices.sample(NOBODY)[0].age_s)

    assert [0, 0, 30, 180] == ages


def test_a_listing_made_at_the_start_is_used_and_waited_for() -> None:
    engine = FakeEngine()
    known: list[Sequence[str] | None] = [None]
    devices = EngineDeviceList(EngineCommand(("llama-server",), known=lambda: known[0]), engine)

    assert () == devices.sample(NOBODY)

    known[0] = ("CUDA0: NVIDIA X (10 MiB, 4 MiB free)",)

    assert [6 * MIB] == [sample.used_bytes for sample in devices.sample(NOBODY)]
    assert [] == engine.asked

    devices.refresh()
    devices.sample(NOBODY)

    assert 1 == len(engine.asked)


def test_an_engine_that_fails_has_no_devices() -> None:
    assert () == EngineDeviceList(COMMAND, FakeEngine(None)).sample(NOBODY)


def test_without_an_engine_there_is_nothing_to_ask() -> None:
    assert not EngineDeviceList(EngineCommand(), FakeEngine()).probe()
