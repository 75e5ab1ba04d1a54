"""Which devices a person keeps from the engine."""

from __future__ import annotations

import pytest

from ggtui.adapters.gpu.visibility import mark_hidden
from ggtui.core.ports.gpu import GpuSample, Vendor

EQUAL = tuple(GpuSample(i, "RTX 4090", uuid=f"GPU-{'abc'[i]}1", vendor=Vendor.NVIDIA) for i in range(3))
MIXED = (*EQUAL[:2], GpuSample(2, "RTX 3060", uuid="GPU-c1", vendor=Vendor.NVIDIA))
SLICES = tuple(GpuSample(i, "A100", uuid=f"MIG-{'abc'[i]}1", vendor=Vendor.NVIDIA) for i in range(3))


def seen(gpus: tuple[GpuSample, ...], environ: dict[str, str]) -> list[int]:
    return [gpu.index for gpu in mark_hidden(gpus, environ) if not gpu.is_hidden]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, [0, 1, 2]),
        ("0,2", [0, 2]),
        ("2, 0", [0, 2]),
        ("GPU-b", [1]),
        ("GPU-a1,GPU-c1", [0, 2]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("1,-1,0", [1]),
        ("1,9,0", [1]),
        ("GPU-", []),
    ],
)
def test_cuda_visible_devices(value: str | None, expected: list[int]) -> None:
    assert expected == seen(EQUAL, {} if value is None else {"CUDA_VISIBLE_DEVICES": value})


def test_a_number_of_an_unknown_order_hides_nothing() -> None:
    assert [0, 1, 2] == seen(MIXED, {"CUDA_VISIBLE_DEVICES": "0"})
    assert [0] == seen(MIXED, {"CUDA_VISIBLE_DEVICES": "0", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"})
    assert [2] == seen(MIXED, {"CUDA_VISIBLE_DEVICES": "GPU-c1"})


def test_an_engine_sees_the_first_part_of_a_cut_device_or_the_named_one() -> None:
    assert [0] == seen(SLICES, {})
    assert [1] == seen(SLICES, {"CUDA_VISIBLE_DEVICES": "MIG-b1"})


def test_each_vendor_has_its_own_variables() -> None:
    gpus = (EQUAL[0], GpuSample(1, "RX", vendor=Vendor.AMD), GpuSample(2, "RX", vendor=Vendor.AMD))

    assert [0, 2] == seen(gpus, {"HIP_VISIBLE_DEVICES": "1"})
    assert [1, 2] == seen(gpus, {"CUDA_VISIBLE_DEVICES": ""})
