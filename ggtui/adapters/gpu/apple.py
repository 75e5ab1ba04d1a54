"""Apple devices: a part of main memory that the system lets the GPU hold."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final

from ggtui.adapters.gpu.provider import NoDevices
from ggtui.adapters.gpu.runner import Runner, run_program
from ggtui.core.ports.gpu import GpuSample, NoGpu, Vendor
from ggtui.core.text import plain
from ggtui.core.units import GIB, MIB

if TYPE_CHECKING:
    from collections.abc import Sequence

SYSCTL: Final = (
    "sysctl",
    "hw.memsize",
    "hw.optional.arm64",
    "machdep.cpu.brand_string",
    "iogpu.wired_limit_mb",
)
VM_STAT: Final = ("vm_stat",)
METAL_PROGRAM: Final = """\
import ctypes, ctypes.util
metal = ctypes.CDLL("/System/Library/Frameworks/Metal.framework/Metal")
objc = ctypes.CDLL(ctypes.util.find_library("objc"))
metal.MTLCreateSystemDefaultDevice.restype = ctypes.c_void_p
objc.sel_registerName.restype = ctypes.c_void_p
objc.objc_msgSend.restype = ctypes.c_uint64
objc.objc_msgSend.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
device = metal.MTLCreateSystemDefaultDevice()
print(objc.objc_msgSend(device, objc.sel_registerName(b"recommendedMaxWorkingSetSize")))
"""
"""Asks Metal for the most it recommends to hold, in a process of its own: a crash there is not ours."""

_SMALL: Final = 36 * GIB


class AppleProvider:
    """Implements GpuProvider with the system's own programs: no root, no library."""

    vendor = Vendor.APPLE

    def __init__(
        self,
        run: Runner = run_program,
        *,
        platform: str = sys.platform,
        metal: Sequence[str] = (sys.executable, "-c", METAL_PROGRAM),
    ) -> None:
        """run: runs a program. metal: prints recommendedMaxWorkingSetSize; asked once."""
        self._run = run
        self._platform = platform
        self._metal = metal
        self._recommended: int | None = None

    def probe(self) -> bool:
        """True on macOS."""
        return self._platform == "darwin"

    def sample(self, pids: frozenset[int]) -> tuple[GpuSample, ...]:
        """The one device of an Apple chip.

        Its memory is main memory up to a limit; what is free must also be free there.
        Raises: NoDevices.
        """
        facts = _facts(self._run(SYSCTL) or "")
        memory = _number(facts.get("hw.memsize"))
        if not memory or facts.get("hw.optional.arm64") != "1":
            raise NoDevices(NoGpu.NOT_FOUND, "no Apple GPU: this Mac has no Apple chip")
        limit = self._limit(memory, _number(facts.get("iogpu.wired_limit_mb")))
        used = used_memory(self._run(VM_STAT) or "")
        free = None if used is None else max(0, memory - used)
        name = plain(facts.get("machdep.cpu.brand_string", ""), 96) or "Apple GPU"
        return (
            GpuSample(
                index=0,
                name=name,
                total_bytes=limit,
                used_bytes=None if free is None else limit - min(limit, free),
                vendor=self.vendor,
                is_unified=True,
            ),
        )

    def close(self) -> None:
        """Nothing is held open."""

    def _limit(self, memory: int, wired_limit_mb: int | None) -> int:
        """Bytes the GPU may hold: as set by a person, else as Metal recommends, else the usual share."""
        if wired_limit_mb:
            return min(memory, wired_limit_mb * MIB)
        if self._recommended is None:
            self._recommended = _number((self._run(self._metal) or "").strip()) or 0
        return min(memory, self._recommended) or usual_limit(memory)


def usual_limit(memory_bytes: int) -> int:
    """Two thirds of the memory, three quarters above 36 GiB; newer systems allow more."""
    return memory_bytes * 2 // 3 if memory_bytes <= _SMALL else memory_bytes * 3 // 4


def used_memory(text: str) -> int | None:
    """Memory in use as the system's own monitor counts it, of what vm_stat prints; None when it is odd.

    Used are anonymous, wired and compressed pages; files in memory and purgeable pages can be dropped.
    """
    size = re.search(r"page size of (\d+) bytes", text)
    counts = {
        name: int(value) for name, value in re.findall(r'^"?([^":\n]+)"?:\s+(\d+)\.', text, re.MULTILINE)
    }
    try:
        pages = (
            counts["Anonymous pages"]
            - counts.get("Pages purgeable", 0)
            + counts["Pages wired down"]
            + counts.get("Pages occupied by compressor", 0)
        )
    except KeyError:
        return None
    return None if size is None else max(0, pages) * int(size[1])


def _facts(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None
