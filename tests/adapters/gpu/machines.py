"""Made-up machines: a folder that looks like `/sys` and `/proc`, a driver's library, a Mac's programs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ggtui.adapters.gpu.intel_query import Region
from ggtui.adapters.gpu.tree import Tree
from ggtui.core.units import GIB

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MEMINFO = "MemTotal:       33554432 kB\nMemFree:         1000000 kB\nMemAvailable:   25165824 kB\n"
"""32 GiB, of which 24 are available."""

XE_REGIONS = (Region(False, 32 * GIB, 0), Region(True, 16 * GIB, 0))


class Machine:
    """Writes the files of a machine below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tree = Tree(root)
        self.write("/proc/meminfo", MEMINFO)

    def write(self, name: str, content: str | bytes | int) -> None:
        file = self.tree.path(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else str(content).encode())

    def link(self, name: str, target: str) -> None:
        file = self.tree.path(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(target)

    def pci(self, bus_id: str, vendor: int, driver: str = "", base_class: int = 0x030000) -> None:
        folder = f"/sys/bus/pci/devices/{bus_id}"
        self.write(f"{folder}/vendor", f"{vendor:#06x}\n")
        self.write(f"{folder}/class", f"{base_class:#08x}\n")
        if driver:
            self.link(f"{folder}/driver", f"../../../../bus/pci/drivers/{driver}")

    def card(self, number: int, vendor: int, device: int, driver: str, bus_id: str) -> str:
        """A graphics card with its render node; returns its folder."""
        folder = f"/sys/class/drm/card{number}/device"
        self.write(f"{folder}/vendor", f"{vendor:#06x}\n")
        self.write(f"{folder}/device", f"{device:#06x}\n")
        self.write(f"{folder}/revision", "0xc8\n")
        self.write(f"{folder}/uevent", f"DRIVER={driver}\nPCI_CLASS=30000\nPCI_SLOT_NAME={bus_id}\n")
        self.write(f"{folder}/drm/renderD{128 + number}/dev", "226:128")
        self.write(f"/sys/class/drm/card{number}-DP-1/status", "connected")
        self.write(f"/dev/dri/renderD{128 + number}", "")
        return folder

    def amd(self, number: int = 0, *, vram: int = 24 * GIB, used: int = 2 * GIB, gtt: int = 16 * GIB) -> str:
        """A card, with the driver's figures."""
        folder = self.card(number, 0x1002, 0x744C, "amdgpu", f"0000:{3 + number:02x}:00.0")
        figures = {"vram_total": vram, "vram_used": used, "gtt_total": gtt, "gtt_used": GIB}
        for name, value in figures.items():
            self.write(f"{folder}/mem_info_{name}", f"{value}\n")
        self.write(f"{folder}/gpu_busy_percent", "37\n")
        self.write(f"{folder}/hwmon/hwmon3/temp1_input", "61000\n")
        self.write(f"{folder}/hwmon/hwmon3/power1_average", "85500000\n")
        self.write(f"{folder}/gpu_metrics", bytes((0x78, 0, 1, 3)) + bytes(116))
        return folder

    def apu(self, number: int = 0, *, gtt: int = 16 * GIB, vram: int = GIB // 2) -> str:
        """A processor with graphics."""
        folder = self.amd(number, vram=vram, used=vram // 2, gtt=gtt)
        self.write(f"{folder}/gpu_metrics", bytes((0x78, 0, 2, 4)) + bytes(116))
        return folder

    def intel(self, number: int = 0, driver: str = "xe") -> str:
        """An Arc card."""
        return self.card(number, 0x8086, 0x56A0, driver, f"0000:{3 + number:02x}:00.0")

    def may_see_all(self, capabilities: int) -> None:
        self.write("/proc/self/status", f"Name:\tpython\nCapEff:\t{capabilities:016x}\n")

    def open_card(self, pid: int, descriptor: int, fields: Mapping[str, str]) -> None:
        """A process that has opened a card."""
        lines = [f"{name}:\t{value}" for name, value in {"pos": "0", **fields}.items()]
        self.write(f"/proc/{pid}/fdinfo/{descriptor}", "\n".join(lines) + "\n")


class NVMLError_LibraryNotFound(Exception):  # the library's own names, matched by name
    pass


class NVMLError_GpuIsLost(Exception):
    pass


class NVMLError_NotSupported(Exception):
    pass


class NVMLError_NoPermission(Exception):
    pass


class NVMLError_NotFound(Exception):
    pass


class FakeNvml:
    """Some devices; the calls named in `refusals` raise."""

    def __init__(self, count: int = 2, refusals: dict[str, Exception] | None = None) -> None:
        self.count = count
        self.refusals = refusals or {}
        self.names = [b"NVIDIA \x1b[31mA", *("NVIDIA B" for _ in range(count - 1))]
        self.processes = [(7, GIB), (8, None)]
        self.slices: dict[int, int] = {}
        """Places of the instances of a device that is cut."""
        self.n_inits = 0
        self.n_shutdowns = 0

    def _check(self, name: str) -> None:
        if name in self.refusals:
            raise self.refusals[name]

    def nvmlInit(self) -> None:
        self.n_inits += 1
        self._check("init")

    def nvmlShutdown(self) -> None:
        self.n_shutdowns += 1
        self._check("shutdown")

    def nvmlDeviceGetCount(self) -> int:
        self._check("count")
        return self.count

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        self._check(f"handle{index}")
        return index

    def nvmlDeviceGetName(self, handle: Any) -> bytes | str:
        return "NVIDIA A100 MIG 1g.5gb" if isinstance(handle, str) else self.names[handle]

    def nvmlDeviceGetUUID(self, handle: Any) -> str:
        return f"MIG-{handle}" if isinstance(handle, str) else f"GPU-{handle}"

    def nvmlDeviceGetPciInfo(self, handle: int) -> Any:
        return SimpleNamespace(busId=f"0000000{handle}:C1:00.0".encode())

    def nvmlDeviceGetMemoryInfo(self, handle: Any) -> Any:
        self._check("memory")
        self._check(f"memory{handle}")
        if isinstance(handle, str):
            return SimpleNamespace(total=5 * GIB, free=4 * GIB, used=GIB)
        return SimpleNamespace(total=24 * GIB, free=(23 - handle) * GIB, used=(handle + 1) * GIB)

    def nvmlDeviceGetUtilizationRates(self, handle: Any) -> Any:
        self._check("utilisation")
        if isinstance(handle, str):
            raise NVMLError_NotSupported
        return SimpleNamespace(gpu=37)

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:
        return 61 + handle

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:
        return 85_500

    def nvmlDeviceGetMigMode(self, handle: int) -> list[int]:
        return [int(handle in self.slices), 0]

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: int) -> int:
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: int, place: int) -> str:
        if place >= self.slices[handle]:
            raise NVMLError_NotFound
        return f"{handle}/{place}"

    def nvmlDeviceGetComputeRunningProcesses(self, handle: Any) -> list[Any]:
        self._check("compute")
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in self.processes]

    def nvmlDeviceGetComputeRunningProcesses_v2(self, handle: Any) -> list[Any]:
        return [SimpleNamespace(pid=11, usedGpuMemory=6)]

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: Any) -> list[Any]:
        self._check("graphics")
        return [SimpleNamespace(pid=9, usedGpuMemory=5)]

    def nvmlDeviceGetGraphicsRunningProcesses_v2(self, handle: Any) -> list[Any]:
        self._check("graphics")
        return []


SYSCTL_OUTPUT = """\
hw.memsize: 17179869184
hw.optional.arm64: 1
machdep.cpu.brand_string: Apple M3
"""

VM_STAT_OUTPUT = """\
Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                                4518.
Pages active:                            194947.
Pages inactive:                          191193.
Pages speculative:                         3014.
Pages throttled:                              0.
Pages wired down:                        159117.
Pages purgeable:                            630.
"Translation faults":                 574921966.
Pages copy-on-write:                   38671927.
File-backed pages:                       141843.
Anonymous pages:                         247311.
Pages stored in compressor:             1022243.
Pages occupied by compressor:            454496.
"""


class FakeMac:
    """Answers in place of a Mac's programs."""

    def __init__(self, wired_limit_mb: int | None = 0, recommended: int | None = 12_713_115_648) -> None:
        self.asked: list[str] = []
        self.recommended = recommended
        limit = "" if wired_limit_mb is None else f"iogpu.wired_limit_mb: {wired_limit_mb}\n"
        self.answers: dict[str, str | None] = {
            "sysctl": SYSCTL_OUTPUT + limit,
            "vm_stat": VM_STAT_OUTPUT,
        }

    def __call__(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> str | None:
        self.asked.append(command[0])
        if command[0] in self.answers:
            return self.answers[command[0]]
        return None if self.recommended is None else f"{self.recommended}\n"


LISTING = """\
ggml_cuda_init: found 2 CUDA devices:
Available devices:
  CUDA0: NVIDIA GeForce RTX 4090 (24564 MiB, 23000 MiB free)
  Vulkan1: AMD Radeon RX 7900 XTX (24560 MiB, 25000 MiB free)
  BLAS: OpenBLAS (0 MiB, 0 MiB free)
  RPC0[10.0.0.5:50052]: a device far away (8000 MiB, 8000 MiB free)
"""
