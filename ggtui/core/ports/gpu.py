"""How full the memory is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Vendor(StrEnum):
    """Who made a device; OTHER when only the engine tells of it."""

    NVIDIA = "nvidia"
    AMD = "amd"
    INTEL = "intel"
    APPLE = "apple"
    OTHER = "other"


class NoGpu(StrEnum):
    """Why no device can be used."""

    NOT_FOUND = "not_found"
    """The machine has none, as far as can be seen."""
    NO_LIBRARY = "no_library"
    """The driver's library cannot be loaded, and no bus tells whether there is a device."""
    NO_PERMISSION = "no_permission"
    DRIVER_MISSING = "driver_missing"
    """The device is on the bus, its driver is not there."""
    DRIVER_BROKEN = "driver_broken"
    """The driver is there and fails."""
    SILENT = "silent"
    """The driver does not answer."""
    HIDDEN = "hidden"
    """A variable such as CUDA_VISIBLE_DEVICES keeps the engine from every device."""
    NO_BACKEND = "no_backend"
    """The device works; this engine was built without a backend for it."""


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
    """Memory by process id, as far as the driver tells; a process that is not in it is unknown, not 0."""
    problem: str | None = None
    """Why this device gives no figures; the other devices go on."""
    vendor: Vendor = Vendor.OTHER
    bus_id: str = ""
    """PCI address as the engine writes it, `0000:01:00.0`; empty where there is none."""
    is_unified: bool = False
    """The device has no memory of its own: its figures are a part of main memory, never in addition to it."""
    is_lost: bool = False
    """It was there, and no longer answers."""
    age_s: int = 0
    """How old the figures are, in coarse steps; 0 while they are fresh."""
    is_hidden: bool = False
    """CUDA_VISIBLE_DEVICES or a like variable keeps our engine from it."""
    process_problem: str | None = None
    """Why the memory of single processes is not told."""
    access_problem: str | None = None
    """Why our engine may not open it although its figures can be read."""

    @property
    def key(self) -> str:
        """What stays the same when devices are numbered anew."""
        return self.uuid or self.bus_id or f"{self.vendor}-{self.index}"


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """Main memory of one process, in bytes."""

    resident_bytes: int
    anonymous_bytes: int
    """Its own: caches, compute buffers, weights that were read instead of mapped. Gone when it ends."""
    file_bytes: int
    """Mapped files, weights above all: page cache that the system may drop, so it counts as available."""
    proportional_bytes: int | None = None
    """Resident, with shared pages divided among those who map them (PSS); None when it was not asked for."""


@dataclass(frozen=True, slots=True)
class CpuFacts:
    """The processor, as far as the system tells."""

    model: str = ""
    n_cores: int = 0
    """Physical cores; 0 when unknown."""
    n_threads: int = 0
    features: tuple[str, ...] = ()
    """Instruction sets that decide how fast the engine is without a GPU, weakest first."""


@dataclass(frozen=True, slots=True)
class MemoryReading:
    """Devices and main memory at one moment."""

    gpus: tuple[GpuSample, ...] = ()
    gpu_problem: str | None = None
    """One line why there is no GPU figure; None when there is one."""
    ram_total_bytes: int = 0
    ram_available_bytes: int = 0
    swap_used_bytes: int = 0
    process_ram_bytes: Mapping[int, int] = field(default_factory=dict)
    """Resident bytes of the processes that were asked about."""
    process_private_bytes: Mapping[int, int] = field(default_factory=dict)
    """The part of them that is their own: without mapped files, whose pages count as available."""
    gpu_absence: NoGpu | None = None
    """The kind of gpu_problem; None when there is none."""
    gpu_hint: str = ""
    """What to do about gpu_problem; may be empty."""
    swap_total_bytes: int = 0
    ram_limit_bytes: int | None = None
    """Limit of the container, when it is lower than the machine's memory; ram_total_bytes is then this."""
    process_memory: Mapping[int, ProcessMemory] = field(default_factory=dict)
    """The parts of process_ram_bytes, where the system tells them apart."""
    cpu: CpuFacts = field(default_factory=CpuFacts)


class GpuProbePort(Protocol):
    """Reads device and main memory. One broken device never hides the others."""

    async def sample(self, pids: frozenset[int] = frozenset()) -> MemoryReading:
        """One reading, figures in bytes; never raises for a missing driver or a lost device.

        pids: our servers, whose own memory is wanted too.
        """

    async def close(self) -> None:
        """Release the driver."""
