"""Device names that people know, from the lists that come with the system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ggtui.core.text import plain

if TYPE_CHECKING:
    from ggtui.adapters.gpu.tree import Tree

AMD_LIST: Final = "/usr/share/libdrm/amdgpu.ids"
PCI_LISTS: Final = ("/usr/share/hwdata/pci.ids", "/usr/share/misc/pci.ids", "/usr/share/pci.ids")
LIST_LIMIT: Final = 8 << 20
_MAKERS: Final = {0x10DE: "NVIDIA", 0x1002: "AMD", 0x8086: "Intel"}


def device_name(tree: Tree, vendor_id: int, device_id: int, revision: int = 0) -> str:
    """The name of a PCI device; vendor and number when no list has it."""
    maker = _MAKERS.get(vendor_id, f"{vendor_id:04x}")
    known = _amd_name(tree, device_id, revision) if maker == "AMD" else ""
    known = known or _pci_name(tree, vendor_id, device_id)
    if not known:
        return f"{maker} GPU {device_id:04x}"
    return plain(known if known.startswith(maker) else f"{maker} {known}", 96)


def _amd_name(tree: Tree, device_id: int, revision: int) -> str:
    """Lines are `device, revision, name` in hexadecimal. Source: libdrm data/amdgpu.ids."""
    for line in (tree.text(AMD_LIST, LIST_LIMIT) or "").splitlines():
        parts = [part.strip() for part in line.split(",", 2)]
        if (
            len(parts) == 3
            and parts[0].lower() == f"{device_id:04x}"
            and parts[1].lower() == f"{revision:02x}"
        ):
            return parts[2]
    return ""


def _pci_name(tree: Tree, vendor_id: int, device_id: int) -> str:
    """A vendor's line starts the block of its devices, which are indented. Source: pci.ids."""
    text = next(filter(None, (tree.text(name, LIST_LIMIT) for name in PCI_LISTS)), "")
    _, _, block = f"\n{text}".partition(f"\n{vendor_id:04x}  ")
    for line in block.splitlines()[1:]:
        if line[:1] not in ("\t", "#", ""):
            break
        if line.startswith(f"\t{device_id:04x}  "):
            name = line[7:].strip()
            return name.rpartition("[")[2].rstrip("]") if name.endswith("]") else name
    return ""
