"""One NVIDIA device, or one slice of it, as a sample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ggtui.adapters.gpu.host import host_memory
from ggtui.adapters.gpu.nvml_library import LOST, reason
from ggtui.core.ports.gpu import GpuSample, Vendor
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.adapters.gpu.tree import Tree

T = TypeVar("T")

NOT_SUPPORTED: Final = "NVMLError_NotSupported"
INTEGRATED: Final = ("gb10", "orin", "thor", "xavier", "tegra", "nvgpu")
"""Parts of the names of devices that share main memory. Only such a device may be shown with its figures."""

PROCESS_QUERIES: Final = ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses")
FIRST_NAMESPACE: Final = "pid:[4026531836]"
"""Of the machine itself; any other is a container's. Source: PROC_PID_INIT_INO, include/linux/proc_ns.h."""

NO_FIGURES: Final = "the driver does not tell the memory of single processes"
HOST_PIDS: Final = "in a container the driver tells the host's process ids"


@dataclass(frozen=True, slots=True)
class Device:
    """A handle of the library, and the device that has the sensors when it is a slice."""

    handle: Any
    whole: Any


def read_device(library: Any, tree: Tree, device: Device, index: int) -> GpuSample:
    """All that the driver tells of one device; what it refuses is None, and the rest is still read."""
    handle = device.handle
    name = _text(told(lambda: library.nvmlDeviceGetName(handle))) or f"GPU {index}"
    sample = _with_memory(GpuSample(index, name, vendor=Vendor.NVIDIA), library, tree, handle)
    processes, process_problem = _processes(library, tree, handle)
    utilisation = told(lambda: library.nvmlDeviceGetUtilizationRates(handle))
    power_mw = told(lambda: library.nvmlDeviceGetPowerUsage(device.whole))
    return replace(
        sample,
        uuid=_text(told(lambda: library.nvmlDeviceGetUUID(handle))),
        bus_id=_bus_id(told(lambda: library.nvmlDeviceGetPciInfo(device.whole))),
        utilisation_percent=None if utilisation is None else int(utilisation.gpu),
        temperature_c=told(lambda: int(library.nvmlDeviceGetTemperature(device.whole, 0))),
        power_w=None if power_mw is None else power_mw / 1000,
        process_bytes=processes,
        process_problem=process_problem,
    )


def lost_device(index: int, error: Exception) -> GpuSample:
    """A device whose handle the driver refuses."""
    is_lost = type(error).__name__ in LOST
    return GpuSample(index, f"GPU {index}", vendor=Vendor.NVIDIA, problem=reason(error), is_lost=is_lost)


def _with_memory(sample: GpuSample, library: Any, tree: Tree, handle: Any) -> GpuSample:
    try:
        memory = library.nvmlDeviceGetMemoryInfo(handle)
    except Exception as error:
        if type(error).__name__ == NOT_SUPPORTED and _is_integrated(sample.name, tree):
            return _with_main_memory(sample, tree)
        return replace(sample, problem=reason(error), is_lost=type(error).__name__ in LOST)
    return replace(
        sample,
        total_bytes=int(memory.total),
        used_bytes=int(memory.used),
        is_unified=_is_integrated(sample.name, tree),
    )


def _with_main_memory(sample: GpuSample, tree: Tree) -> GpuSample:
    """As the engine does on such devices. Source: ggml-cuda.cu, available memory of unified devices."""
    memory = host_memory(tree)
    if memory is None:
        return replace(sample, problem="neither the driver nor the kernel tells its memory", is_unified=True)
    return replace(sample, total_bytes=memory[0], used_bytes=memory[0] - memory[1], is_unified=True)


def _is_integrated(name: str, tree: Tree) -> bool:
    if any(part in name.lower() for part in INTEGRATED):
        return True
    return "nvidia,tegra" in (tree.text("/proc/device-tree/compatible") or "")


def _processes(library: Any, tree: Tree, handle: Any) -> tuple[dict[int, int], str | None]:
    """(memory by process, why single processes are not told); one without a figure is left out."""
    found: dict[int, int] = {}
    problem = None
    for query in PROCESS_QUERIES:
        for process in _process_list(library, query, handle):
            if process.usedGpuMemory is None:
                problem = problem or NO_FIGURES
            elif _is_ours_to_name(tree, process.pid):
                found[process.pid] = max(found.get(process.pid, 0), int(process.usedGpuMemory))
            else:
                problem = HOST_PIDS
    return found, None if found else problem


def _process_list(library: Any, query: str, handle: Any) -> Any:
    """Older drivers know only the second version of the question."""
    for name in (query, f"{query}_v2"):
        listed = told(lambda name=name: getattr(library, name)(handle))  # type: ignore[misc]
        if listed is not None:
            return listed
    return ()


def _is_ours_to_name(tree: Tree, pid: int) -> bool:
    """False for a host's process id inside a container, which may be the number of another process here.

    There, only a process that has the driver open is taken for the one that is meant.
    """
    if _is_first_namespace(tree):
        return True
    descriptors = tree.names(f"/proc/{pid}/fd")
    return any(tree.link(f"/proc/{pid}/fd/{each}").startswith("/dev/nvidia") for each in descriptors)


def _is_first_namespace(tree: Tree) -> bool:
    """True outside containers, and where the system has no such namespaces."""
    return tree.link("/proc/self/ns/pid") in ("", FIRST_NAMESPACE)


def _bus_id(info: Any) -> str:
    """`00000000:01:00.0` as everybody else writes it, `0000:01:00.0`."""
    written = _text(getattr(info, "busId", "") or "").lower()
    domain, _, rest = written.partition(":")
    return f"{domain[-4:]}:{rest}" if rest else ""


def told(question: Callable[[], T]) -> T | None:
    """The driver's answer; None where it is silent about this figure."""
    try:
        return question()
    except Exception:
        return None


def _text(value: str | bytes | None) -> str:
    return plain(value.decode("utf-8", "replace") if isinstance(value, bytes) else value or "", 96)
