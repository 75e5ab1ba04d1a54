"""The engine's lines about its devices, as values."""

from __future__ import annotations

import pytest

from ggtui.core.engine_devices import engine_devices, has_accelerator
from ggtui.core.ports.gpu import Vendor
from ggtui.core.units import MIB


@pytest.mark.parametrize(
    ("line", "name", "vendor"),
    [
        ("CUDA0: NVIDIA RTX 4090 (24564 MiB, 23000 MiB free)", "CUDA0", Vendor.NVIDIA),
        ("ROCm1: Radeon (120000 MiB, 100 MiB free)", "ROCm1", Vendor.AMD),
        ("SYCL0: Arc A770 (15473 MiB, 100 MiB free)", "SYCL0", Vendor.INTEL),
        ("MTL0: Apple M3 (12124 MiB, 12123 MiB free)", "MTL0", Vendor.APPLE),
        ("  Vulkan0: Intel(R) Arc(tm) (DG2) (15473 MiB, 9 MiB free)", "Vulkan0", Vendor.INTEL),
        ("RPC0[127.0.0.1:50052]: far (9 MiB, 9 MiB free)", "RPC0[127.0.0.1:50052]", Vendor.OTHER),
    ],
)
def test_a_line_is_a_device(line: str, name: str, vendor: Vendor) -> None:
    (device,) = engine_devices([line])

    assert (name, vendor, name.startswith("RPC")) == (device.name, device.vendor, device.is_remote)


def test_free_memory_is_never_above_the_total() -> None:
    (device,) = engine_devices(["ROCm0: AMD Radeon Graphics (120000 MiB, 124704 MiB free)"])

    assert (120000 * MIB, 120000 * MIB) == (device.total_bytes, device.free_bytes)


@pytest.mark.parametrize("line", ["(none)", "BLAS: OpenBLAS (0 MiB, 0 MiB free)", "Available devices:", ""])
def test_what_is_no_device_with_memory_is_left_out(line: str) -> None:
    assert () == engine_devices([line])


def test_a_library_on_the_cpu_is_no_accelerator_and_an_unknown_line_may_be_one() -> None:
    assert not has_accelerator([])
    assert not has_accelerator(["BLAS: OpenBLAS (0 MiB, 0 MiB free)"])
    assert has_accelerator(["CUDA0"])
    assert has_accelerator(["BLAS: OpenBLAS (0 MiB, 0 MiB free)", "CUDA0: X (9 MiB, 1 MiB free)"])
