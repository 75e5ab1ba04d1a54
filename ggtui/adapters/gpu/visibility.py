"""Which devices our engine will see, after the variables by which a person hides some from it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ggtui.core.ports.gpu import GpuSample, Vendor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SLICE: Final = "MIG-"
_VARIABLES: Final = {
    Vendor.NVIDIA: ("CUDA_VISIBLE_DEVICES",),
    Vendor.AMD: ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"),
}


def mark_hidden(gpus: Sequence[GpuSample], environ: Mapping[str, str]) -> tuple[GpuSample, ...]:
    """The same samples, those hidden that the engine cannot see.

    Numbers count only where they surely mean the driver's order; ids always do. A number of another order,
    or an entry that means nothing, hides nothing.
    Source: CUDA C++ Programming Guide, environment variables; ROCm, GPU isolation techniques.
    """
    hidden: set[int] = set()
    for vendor, variables in _VARIABLES.items():
        own = [gpu for gpu in gpus if gpu.vendor is vendor]
        for variable in variables:
            seen = _seen(own, environ.get(variable), environ)
            hidden |= {gpu.index for gpu in own if seen is not None and gpu.index not in seen}
    hidden |= _spare_slices(gpus, environ)
    return tuple(replace(gpu, is_hidden=True) if gpu.index in hidden else gpu for gpu in gpus)


def _seen(gpus: Sequence[GpuSample], value: str | None, environ: Mapping[str, str]) -> set[int] | None:
    """Indices that stay visible; None when nothing can be said. The list ends at its first bad entry."""
    if value is None:
        return None
    seen: set[int] = set()
    for entry in (part.strip() for part in value.split(",")):
        if entry in ("", "-1", "NoDevFiles"):
            return seen
        if entry.isdigit():
            if not _is_drivers_order(gpus, environ):
                return None
            matching = gpus[int(entry) : int(entry) + 1]
        else:
            matching = [gpu for gpu in gpus if gpu.uuid.startswith(entry)]
        if len(matching) != 1:
            return seen
        seen.add(matching[0].index)
    return seen


def _is_drivers_order(gpus: Sequence[GpuSample], environ: Mapping[str, str]) -> bool:
    """CUDA numbers the fastest first unless told otherwise; among equal devices that is the bus order."""
    is_bus_order = environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
    is_cut = any(gpu.uuid.startswith(SLICE) for gpu in gpus)
    return not is_cut and (is_bus_order or len({gpu.name for gpu in gpus}) <= 1)


def _spare_slices(gpus: Sequence[GpuSample], environ: Mapping[str, str]) -> set[int]:
    """A program sees one slice only: the first, unless it names another.

    Source: NVIDIA MIG User Guide, CUDA device enumeration.
    """
    slices = [gpu.index for gpu in gpus if gpu.uuid.startswith(SLICE)]
    return set() if environ.get("CUDA_VISIBLE_DEVICES") else set(slices[1:])
