"""Every vendor's devices and main memory together, sampled off the event loop and within a time limit."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ggtui.adapters.gpu.absence import why_none
from ggtui.adapters.gpu.amd import AmdProvider
from ggtui.adapters.gpu.apple import AppleProvider
from ggtui.adapters.gpu.cpu import cpu_facts
from ggtui.adapters.gpu.engine_list import EngineCommand, EngineDeviceList
from ggtui.adapters.gpu.intel import IntelProvider
from ggtui.adapters.gpu.nvml import NvidiaProvider
from ggtui.adapters.gpu.ram import RamSample, sample_ram
from ggtui.adapters.gpu.runner import Runner, run_program
from ggtui.adapters.gpu.source import Devices, Source
from ggtui.adapters.gpu.tree import ROOT, Tree
from ggtui.adapters.gpu.visibility import mark_hidden
from ggtui.adapters.gpu.worker import PatientWorker
from ggtui.core.ports.gpu import CpuFacts, GpuSample, MemoryReading, NoGpu, Vendor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ggtui.adapters.gpu.provider import GpuProvider, NoDevices

TIME_LIMIT_S = 2.0
SILENT = "GPU driver does not answer; its figures are old"


class SystemProbe:
    """All providers and main memory, with a thread each: a sick GPU hides neither another nor main memory."""

    def __init__(
        self,
        time_limit_s: float = TIME_LIMIT_S,
        load: Callable[[], Any] | None = None,
        *,
        root: Path = ROOT,
        environ: Mapping[str, str] | None = None,
        engine: EngineCommand | None = None,
        run: Runner = run_program,
        platform: str = sys.platform,
        with_shares: bool = False,
    ) -> None:
        """load: gives the `pynvml` module; None for the installed one, imported at the first sample.

        root: of the system's files. environ: may hide devices from the engine; None for our own.
        engine: asked for its devices where no vendor's source knows any. run: runs a program.
        with_shares: also tell how processes share pages, which takes the kernel a while.
        """
        self._tree = Tree(root)
        self._time_limit_s = time_limit_s
        self._environ = os.environ if environ is None else environ
        self._with_shares = with_shares
        self._sources = [Source(each) for each in providers(self._tree, load, run, platform)]
        self._engine = EngineDeviceList(engine or EngineCommand(), run)
        self._engine_source = Source(self._engine)
        self._pids: frozenset[int] = frozenset()
        self._ram = PatientWorker("ram-probe", (RamSample(), CpuFacts()))
        self._why: PatientWorker[NoDevices | None] = PatientWorker("gpu-absence", None)
        self._cpu: CpuFacts | None = None

    async def sample(self, pids: frozenset[int] = frozenset()) -> MemoryReading:
        """One reading; devices that do not answer in time keep their last figures and say so."""
        if self._pids - pids:
            self._engine.refresh()
        self._pids = pids
        ((ram, cpu), _), (gpus, told) = await asyncio.gather(
            self._ram.latest(partial(self._read_ram, pids), self._time_limit_s),
            self._devices(pids),
        )
        is_old = any(devices.is_old and devices.gpus for devices in told)
        reading = MemoryReading(
            gpus=mark_hidden([_with_processes(gpu, ram) for gpu in gpus], self._environ),
            gpu_problem=SILENT if is_old else None,
            gpu_absence=NoGpu.SILENT if is_old else None,
            ram_total_bytes=ram.total_bytes,
            ram_available_bytes=ram.available_bytes,
            ram_limit_bytes=ram.limit_bytes,
            swap_used_bytes=ram.swap_used_bytes,
            swap_total_bytes=ram.swap_total_bytes,
            process_ram_bytes=ram.process_bytes,
            process_private_bytes=ram.process_private_bytes,
            process_memory=ram.processes,
            cpu=cpu,
        )
        return reading if gpus else await self._with_reason(reading, told)

    async def _devices(self, pids: frozenset[int]) -> tuple[tuple[GpuSample, ...], list[Devices]]:
        """(devices, what each source said); the engine is asked where no other source knows any."""
        told = await asyncio.gather(*(each.latest(pids, self._time_limit_s) for each in self._sources))
        gpus = _usable_together([gpu for devices in told for gpu in devices.gpus])
        if not gpus and self._engine.probe():
            gpus = (await self._engine_source.latest(pids, self._time_limit_s)).gpus
        return gpus, told

    async def _with_reason(self, reading: MemoryReading, told: Sequence[Devices]) -> MemoryReading:
        refusals = [devices.refusal for devices in told if devices.refusal is not None]
        why, _ = await self._why.latest(partial(why_none, self._tree, refusals), self._time_limit_s)
        if why is None:
            return replace(reading, gpu_problem="no GPU found", gpu_absence=NoGpu.NOT_FOUND)
        return replace(reading, gpu_problem=why.detail, gpu_absence=why.absence, gpu_hint=why.hint)

    def _read_ram(self, pids: frozenset[int]) -> tuple[RamSample, CpuFacts]:
        if self._cpu is None:
            self._cpu = cpu_facts(self._tree)
        return sample_ram(pids, with_shares=self._with_shares), self._cpu

    async def close(self) -> None:
        """Release the drivers; never waits for one that hangs."""
        for source in (*self._sources, self._engine_source):
            source.close()
        self._ram.close()
        self._why.close()


def providers(tree: Tree, load: Callable[[], Any] | None, run: Runner, platform: str) -> list[GpuProvider]:
    """The vendors' sources on a system, in the order in which their devices are shown."""
    if platform == "darwin":
        return [AppleProvider(run, platform=platform)]
    return [NvidiaProvider(tree, load), AmdProvider(tree), IntelProvider(tree)]


def _usable_together(gpus: Sequence[GpuSample]) -> tuple[GpuSample, ...]:
    """Numbered in order. Beside a device with memory of its own, the engine leaves integrated ones idle.

    Source: llama.cpp src/llama.cpp, llama_prepare_model_devices: integrated devices only without others.
    """
    has_discrete = any(not gpu.is_unified and not gpu.is_lost for gpu in gpus)
    kept = [gpu for gpu in gpus if not (has_discrete and gpu.is_unified and gpu.vendor is not Vendor.NVIDIA)]
    return tuple(replace(gpu, index=index) for index, gpu in enumerate(kept))


def _with_processes(gpu: GpuSample, ram: RamSample) -> GpuSample:
    """Where device memory is main memory and the driver names no process, main memory tells what they hold.

    Apple's GPU holds mapped weights too; elsewhere they are page cache.
    """
    if not gpu.is_unified or gpu.process_bytes or gpu.problem:
        return gpu
    held = ram.process_bytes if gpu.vendor is Vendor.APPLE else ram.process_private_bytes
    return replace(gpu, process_bytes=held)
