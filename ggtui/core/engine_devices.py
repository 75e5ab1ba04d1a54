"""The compute devices an engine lists, one line each, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ggtui.core.ports.gpu import Vendor
from ggtui.core.units import MIB

if TYPE_CHECKING:
    from collections.abc import Iterable

_LINE: Final = re.compile(r"(?P<name>\S+): (?P<about>.*) \((?P<total>\d+) MiB, (?P<free>\d+) MiB free\)")
_BACKENDS: Final = {
    "CUDA": Vendor.NVIDIA,
    "ROCm": Vendor.AMD,
    "HIP": Vendor.AMD,
    "SYCL": Vendor.INTEL,
    "MTL": Vendor.APPLE,
    "Metal": Vendor.APPLE,
}
_MAKERS: Final = (
    ("nvidia", Vendor.NVIDIA),
    ("geforce", Vendor.NVIDIA),
    ("amd", Vendor.AMD),
    ("radeon", Vendor.AMD),
    ("intel", Vendor.INTEL),
    ("apple", Vendor.APPLE),
)
"""Words in the description of a Vulkan device."""


@dataclass(frozen=True, slots=True)
class EngineDevice:
    """One device that the engine can compute on."""

    name: str
    """As the engine's log calls it: `CUDA0`, `Vulkan1`, `RPC0[host:port]`."""
    description: str
    total_bytes: int
    free_bytes: int
    """At the moment the engine was asked; never above the total."""
    vendor: Vendor

    @property
    def is_remote(self) -> bool:
        """True for a device of another machine."""
        return self.name.startswith("RPC")


def engine_devices(lines: Iterable[str]) -> tuple[EngineDevice, ...]:
    """The devices with memory, in the engine's order; lines that name none are left out.

    lines: `NAME: DESCRIPTION (TOTAL MiB, FREE MiB free)`, with or without indentation. A device without
    memory is a library that computes on the CPU, such as BLAS.
    Source: llama.cpp common/arg.cpp, `--list-devices`.
    """
    found = (_LINE.fullmatch(line.strip()) for line in lines)
    devices = (_device(match) for match in found if match is not None)
    return tuple(device for device in devices if device.total_bytes)


def has_accelerator(lines: Iterable[str]) -> bool:
    """True when one of the lines is a device beside the CPU; a line of unknown form counts as one."""
    matches = (_LINE.fullmatch(line.strip()) for line in lines)
    return any(match is None or int(match["total"]) > 0 for match in matches)


def _device(match: re.Match[str]) -> EngineDevice:
    name, about = match["name"], match["about"]
    total, free = int(match["total"]) * MIB, int(match["free"]) * MIB
    return EngineDevice(name, about, total, min(total, free), _vendor(name, about))


def _vendor(name: str, description: str) -> Vendor:
    backend = re.match(r"[A-Za-z]+", name)
    if backend is not None and backend[0] in _BACKENDS:
        return _BACKENDS[backend[0]]
    words = description.lower()
    return next((vendor for word, vendor in _MAKERS if word in words), Vendor.OTHER)
