"""What each replica may use of the machine."""

from __future__ import annotations

import pytest

from ggtui.adapters.memory.gpu import made_up_gpu
from ggtui.core.deployment.replicas import ReplicaPlan
from ggtui.core.deployment.shares import (
    WHOLE,
    Device,
    MachineShare,
    Roster,
    check_gpus,
    roster_of,
    share_of,
)
from ggtui.core.errors import NoGpuNodes, NotEnoughGpus
from ggtui.core.ports.gpu import GpuSample, Vendor

CARDS = tuple(Device("CUDA", f"GPU-{number}") for number in range(4))


def _engine(backend: str, n: int) -> tuple[str, ...]:
    return tuple(f"{backend}{number}: a card (24000 MiB, 23000 MiB free)" for number in range(n))


def test_cards_of_nvidia_are_known_by_what_stays_the_same() -> None:
    hidden = GpuSample(2, "NVIDIA", uuid="GPU-2", vendor=Vendor.NVIDIA, is_hidden=True)
    lost = GpuSample(3, "NVIDIA", uuid="GPU-3", vendor=Vendor.NVIDIA, is_lost=True)
    other = GpuSample(4, "Arc", vendor=Vendor.INTEL)
    gpus = (made_up_gpu(0), made_up_gpu(1), hidden, lost, other)

    assert Roster(CARDS[:2], 8) == roster_of(_engine("CUDA", 2), gpus, 8)


def test_cards_without_an_id_are_known_by_their_number() -> None:
    gpus = (GpuSample(0, "NVIDIA", vendor=Vendor.NVIDIA), GpuSample(1, "NVIDIA", vendor=Vendor.NVIDIA))

    assert ("0", "1") == tuple(each.id for each in roster_of(_engine("CUDA", 2), gpus, 8).devices)


def test_what_no_driver_tells_of_is_known_by_the_engines_number() -> None:
    lines = (*_engine("Vulkan", 2), "RPC0[host:1]: a card (1 MiB, 1 MiB free)")

    assert Roster((Device("Vulkan", "0"), Device("Vulkan", "1")), 8) == roster_of(lines, (), 8)


def test_an_engine_without_devices_has_none_whatever_the_machine_has() -> None:
    assert Roster((), 8) == roster_of((), (made_up_gpu(),), 8)


@pytest.mark.parametrize(
    ("plan", "n_cards", "expected"),
    [
        (ReplicaPlan(2, 1), 2, [("GPU-0",), ("GPU-1",)]),
        (ReplicaPlan(2, 2), 4, [("GPU-0", "GPU-1"), ("GPU-2", "GPU-3")]),
        (ReplicaPlan(2), 4, [("GPU-0", "GPU-1"), ("GPU-2", "GPU-3")]),
        (ReplicaPlan(2), 3, [("GPU-0",), ("GPU-1",)]),
        (ReplicaPlan(3), 2, [("GPU-0",), ("GPU-1",), ("GPU-0",)]),
        (ReplicaPlan(1, 2), 4, [("GPU-0", "GPU-1")]),
    ],
)
def test_each_gets_cards_of_its_own_as_far_as_there_are(
    plan: ReplicaPlan, n_cards: int, expected: list[tuple[str, ...]]
) -> None:
    taken: list[Device] = []
    given = []
    for _ in range(plan.n):
        devices = share_of(plan, Roster(CARDS[:n_cards], 8), taken).devices or ()
        taken.extend(devices)
        given.append(tuple(each.id for each in devices))

    assert expected == given


def test_one_that_comes_back_gets_what_its_siblings_have_not() -> None:
    share = share_of(ReplicaPlan(2, 1), Roster(CARDS[:2], 8), of_siblings=CARDS[1:2])

    assert MachineShare(CARDS[:1]) == share


def test_cards_that_other_models_use_come_last() -> None:
    share = share_of(ReplicaPlan(1, 1), Roster(CARDS[:2], 8), of_others=CARDS[:1])

    assert MachineShare(CARDS[1:2]) == share


@pytest.mark.parametrize(
    ("plan", "roster", "expected"),
    [
        (ReplicaPlan(), Roster(CARDS, 8), WHOLE),
        (ReplicaPlan(2), Roster((), 8), MachineShare(None, 4)),
        (ReplicaPlan(3), Roster((), 2), MachineShare(None, 1)),
        (ReplicaPlan(2, 0), Roster(CARDS, 8), MachineShare((), 4)),
        (ReplicaPlan(1, 0), Roster(CARDS, 8), MachineShare((), None)),
    ],
)
def test_without_cards_the_cores_are_shared(
    plan: ReplicaPlan, roster: Roster, expected: MachineShare
) -> None:
    assert expected == share_of(plan, roster)


def test_more_cards_than_there_are_is_refused_in_words() -> None:
    with pytest.raises(NotEnoughGpus, match="its 3 replicas need 3 GPUs, and there are 2"):
        check_gpus(ReplicaPlan(3, 1), Roster(CARDS[:2]))
    with pytest.raises(NotEnoughGpus, match="it needs 3 GPUs, and there are 2"):
        check_gpus(ReplicaPlan(1, 3), Roster(CARDS[:2]))
    with pytest.raises(NoGpuNodes, match="it needs 2 GPUs, and there is none"):
        check_gpus(ReplicaPlan(2, 1), Roster())


@pytest.mark.parametrize("plan", [ReplicaPlan(2, 1), ReplicaPlan(5), ReplicaPlan(2, 0)])
def test_what_the_machine_has_is_not_refused(plan: ReplicaPlan) -> None:
    check_gpus(plan, Roster(CARDS[:2]))
