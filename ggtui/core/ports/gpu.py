"""How full the memory is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class GpuSample:
    """One device at one moment. None where the driver is silent, never 0."""

    index: int
    name: str
    uuid: str = ""
    total_bytes: int | None = None
    used_bytes: int | None = None
    utilisation_percent: int | None = None
    temperature_c: int | None = None
    power_w: float | None = None
    process_bytes: Mapping[int, int] = field(default_factory=dict)
    """Memory by process id, as far as the driver tells."""
    problem: str | None = None
    """Why this device gives no figures; the other devices go on."""


@dataclass(frozen=True, slots=True)
class MemoryReading:
    """Devices and main memory at one moment."""

    gpus: tuple[GpuSample, ...] = ()
    """By index; empty without a driver."""
    gpu_problem: str | None = None
    """One line why there is no GPU figure; None when there is one."""
    ram_total_bytes: int = 0
    ram_available_bytes: int = 0
    swap_used_bytes: int = 0
    process_ram_bytes: Mapping[int, int] = field(default_factory=dict)
    """Resident bytes of the processes that were asked about."""
    process_private_bytes: Mapping[int, int] = field(default_factory=dict)
    """The part of them that is their own: without mapped files, whose pages count as available."""


class GpuProbePort(Protocol):
    """Reads device and main memory. One broken device never hides the others."""

    async def sample(self, pids: frozenset[int] = frozenset()) -> MemoryReading:
        """One reading, figures in bytes; never raises for a missing driver or a lost device.

        pids: our servers, whose own memory is wanted too.
        """

    async def close(self) -> None:
        """Release the driver."""
