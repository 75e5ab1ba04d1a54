"""A probe that reads what it was told, and readings of every kind of machine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ggtui.core.ports.gpu import CpuFacts, GpuSample, MemoryReading, NoGpu, ProcessMemory, Vendor
from ggtui.core.units import GIB

CPU = CpuFacts("AMD Ryzen 9 7950X", 16, 32, ("AVX2", "AVX-512", "AVX-512 VNNI"))


@dataclass(slots=True)
class MemoryProbe:
    """Gives `reading`, which may be set at any time."""

    reading: MemoryReading = field(default_factory=MemoryReading)
    asked_pids: list[frozenset[int]] = field(default_factory=list)
    """What each sample asked for, oldest first."""
    is_closed: bool = False

    async def sample(self, pids: frozenset[int] = frozenset()) -> MemoryReading:
        """The reading as it is set now."""
        self.asked_pids.append(pids)
        return self.reading

    async def close(self) -> None:
        """Remember that it was closed."""
        self.is_closed = True


def made_up_gpu(index: int = 0, *, used_gib: float = 1.2, pid: int | None = None) -> GpuSample:
    """A card of 24 GiB. pid: the process that holds all but 1.2 GiB of what is used."""
    used = int(used_gib * GIB)
    return GpuSample(
        index=index,
        name="NVIDIA GeForce RTX 4090",
        uuid=f"GPU-{index}",
        total_bytes=24 * GIB,
        used_bytes=used,
        utilisation_percent=10 * index,
        temperature_c=50 + index,
        power_w=100.0 + index,
        process_bytes={} if pid is None else {pid: max(0, used - int(1.2 * GIB))},
        vendor=Vendor.NVIDIA,
        bus_id=f"0000:{index + 1:02x}:00.0",
    )


def made_up_machine(*gpus: GpuSample, pid: int | None = None) -> MemoryReading:
    """64 GiB of main memory and these devices. pid: a process with 17 GiB of mapped weights."""
    held = ProcessMemory(20 * GIB, 3 * GIB, 17 * GIB)
    return MemoryReading(
        gpus=gpus,
        ram_total_bytes=64 * GIB,
        ram_available_bytes=57 * GIB,
        swap_used_bytes=GIB // 2,
        swap_total_bytes=8 * GIB,
        process_ram_bytes={} if pid is None else {pid: held.resident_bytes},
        process_private_bytes={} if pid is None else {pid: held.anonymous_bytes},
        process_memory={} if pid is None else {pid: held},
        cpu=CPU,
    )


def without_gpu(absence: NoGpu, problem: str, hint: str = "", pid: int | None = None) -> MemoryReading:
    """The same machine without a device it can use."""
    return replace(made_up_machine(pid=pid), gpu_absence=absence, gpu_problem=problem, gpu_hint=hint)


def every_state() -> dict[str, MemoryReading]:
    """One reading per kind of machine, by name."""
    lost = GpuSample(2, "NVIDIA GeForce RTX 4090", uuid="GPU-2", vendor=Vendor.NVIDIA)
    unified = GpuSample(
        0,
        "NVIDIA GB10",
        uuid="GPU-gb10",
        total_bytes=64 * GIB,
        used_bytes=7 * GIB,
        vendor=Vendor.NVIDIA,
        is_unified=True,
    )
    unknown_use = GpuSample(0, "Intel Arc A770", total_bytes=int(15.9 * GIB), vendor=Vendor.INTEL)
    return {
        "none": without_gpu(NoGpu.NOT_FOUND, "no GPU found", "main memory is used"),
        "no_library": without_gpu(NoGpu.NO_LIBRARY, "no NVML library (libnvidia-ml.so.1 not found)"),
        "no_permission": without_gpu(
            NoGpu.NO_PERMISSION, "NVIDIA driver present, no permission", "join the group video"
        ),
        "driver_missing": without_gpu(
            NoGpu.DRIVER_MISSING, "NVIDIA GPU present (0000:01:00.0), driver missing", "install the driver"
        ),
        "unified": made_up_machine(unified),
        "unknown_use": made_up_machine(unknown_use),
        "one": made_up_machine(made_up_gpu()),
        "four": made_up_machine(*(made_up_gpu(index) for index in range(4))),
        "eight": made_up_machine(*(made_up_gpu(index) for index in range(8))),
        "one_lost": made_up_machine(
            made_up_gpu(0), made_up_gpu(1), replace(lost, problem="GPU is lost", is_lost=True), made_up_gpu(3)
        ),
        "silent": replace(
            made_up_machine(replace(made_up_gpu(), age_s=40)),
            gpu_problem="GPU driver does not answer; its figures are old",
            gpu_absence=NoGpu.SILENT,
        ),
    }
