"""Why there is no device: one line, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ggtui.adapters.gpu.pci import PciGpu, pci_gpus
from ggtui.adapters.gpu.provider import NoDevices
from ggtui.core.ports.gpu import NoGpu, Vendor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.adapters.gpu.tree import Tree

_MAKER: Final = {Vendor.NVIDIA: "NVIDIA", Vendor.AMD: "AMD", Vendor.INTEL: "Intel"}
_CURES: Final = {
    Vendor.NVIDIA: "install the NVIDIA driver; in a container, start it with --gpus all",
    Vendor.AMD: "load the amdgpu driver; in a container, pass /dev/kfd and /dev/dri",
    Vendor.INTEL: "load the i915 or xe driver; in a container, pass /dev/dri",
}
_DRIVERS: Final = frozenset({"nvidia", "amdgpu", "i915", "xe"})
_PASSED_THROUGH: Final = "vfio-pci"
_NO_GPU_HINT: Final = "main memory is used; if there is a GPU, install its driver"
_ORDER: Final = tuple(_MAKER)


def why_none(tree: Tree, refusals: Sequence[NoDevices]) -> NoDevices:
    """The most telling reason: a driver that refuses, then a device without a driver, then nothing there.

    refusals: of the providers, in order.
    """
    for refusal in refusals:
        if refusal.absence in (NoGpu.NO_PERMISSION, NoGpu.DRIVER_BROKEN, NoGpu.SILENT):
            return refusal
    for gpu in sorted(pci_gpus(tree), key=lambda gpu: _ORDER.index(gpu.vendor)):
        if gpu.driver not in _DRIVERS:
            return _without_driver(gpu)
    without_library = (refusal for refusal in refusals if refusal.absence is NoGpu.NO_LIBRARY)
    found = next(without_library, None) or next(iter(refusals), None)
    if found is None:
        return NoDevices(NoGpu.NOT_FOUND, "no GPU found", hint=_NO_GPU_HINT)
    return NoDevices(found.absence, found.detail, hint=found.hint or _NO_GPU_HINT)


def _without_driver(gpu: PciGpu) -> NoDevices:
    what = f"{_MAKER[gpu.vendor]} GPU present ({gpu.bus_id}), driver missing"
    if gpu.driver == _PASSED_THROUGH:
        return NoDevices(
            NoGpu.DRIVER_MISSING,
            f"{what}: it is set aside for a virtual machine",
            hint=f"give it back to its own driver instead of {_PASSED_THROUGH}",
        )
    instead = f": {gpu.driver} has it instead" if gpu.driver else ""
    return NoDevices(NoGpu.DRIVER_MISSING, f"{what}{instead}", hint=_CURES[gpu.vendor])
