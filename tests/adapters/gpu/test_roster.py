"""A device that goes away is lost, not forgotten."""

from __future__ import annotations

from dataclasses import replace

from ggtui.adapters.gpu.roster import Roster
from ggtui.core.ports.gpu import GpuSample

A, B = (GpuSample(i, f"card {i}", uuid=f"GPU-{i}", total_bytes=24, used_bytes=i) for i in range(2))


def test_a_device_that_is_no_longer_listed_is_lost_without_figures() -> None:
    roster = Roster()
    roster.call((A, B))

    here, gone = roster.call((B,))

    assert B == here
    assert ("card 0", "GPU-0", True, None) == (gone.name, gone.uuid, gone.is_lost, gone.total_bytes)
    assert "the driver no longer lists it" == gone.problem


def test_a_device_that_comes_back_is_itself_again() -> None:
    roster = Roster()
    roster.call((A, B))
    roster.call((B,))

    assert [A, B] == roster.call((A, B))


def test_a_device_that_the_driver_cannot_name_keeps_its_name() -> None:
    roster = Roster()
    roster.call((A, B))

    here = roster.call((GpuSample(0, "GPU 0", problem="GPU is lost", is_lost=True), B))

    assert [("card 0", "GPU is lost"), ("card 1", None)] == [(gpu.name, gpu.problem) for gpu in here]


def test_a_driver_that_refuses_all_loses_all_that_were_seen() -> None:
    roster = Roster()

    assert [] == roster.call((), "driver gone")

    roster.call((A,))

    assert ["driver gone"] == [gpu.problem for gpu in roster.call((), "driver gone")]


def test_parts_of_a_device_come_and_go() -> None:
    roster = Roster()
    roster.call((replace(A, uuid="MIG-1"),))

    assert [] == roster.call(())
