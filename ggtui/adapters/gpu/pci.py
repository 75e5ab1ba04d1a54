"""Graphics devices on the PCI bus, whether or not a driver knows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ggtui.core.ports.gpu import Vendor

if TYPE_CHECKING:
    from ggtui.adapters.gpu.tree import Tree

DEVICES: Final = "/sys/bus/pci/devices"
DISPLAY_CLASS: Final = 0x03
"""Base class of VGA, 3D and other display controllers. Source: PCI Code and ID Assignment."""

ACCELERATOR_CLASS: Final = 0x12
VENDORS: Final = {0x10DE: Vendor.NVIDIA, 0x1002: Vendor.AMD, 0x8086: Vendor.INTEL}


@dataclass(frozen=True, slots=True)
class PciGpu:
    """One device that could compute."""

    vendor: Vendor
    bus_id: str
    driver: str
    """The kernel's driver that has it; empty when none has."""


def pci_gpus(tree: Tree) -> list[PciGpu]:
    """The graphics devices of the known makers, by address."""
    found = []
    for bus_id in tree.names(DEVICES):
        folder = f"{DEVICES}/{bus_id}"
        vendor = VENDORS.get(tree.number(f"{folder}/vendor") or 0)
        base_class = (tree.number(f"{folder}/class") or 0) >> 16
        if vendor is not None and base_class in (DISPLAY_CLASS, ACCELERATOR_CLASS):
            found.append(PciGpu(vendor, bus_id, tree.link(f"{folder}/driver").rpartition("/")[2]))
    return found
