"""Looks at device memory once a second and keeps the last minutes."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

from ggtui.core.ports.gpu import MemoryReading

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.core.ports.gpu import GpuProbePort

_LOG = logging.getLogger(__name__)
HISTORY_S = 300
INTERVAL_S = 1.0
RETURN_S = 5.0
RETURN_STEP_S = 0.1


class GpuWatch:
    """Samples while it runs. As a Part it starts at once and never keeps the engine from starting."""

    def __init__(self, probe: GpuProbePort, pids: Callable[[], frozenset[int]]) -> None:
        self.changed: Callable[[], None] = lambda: None
        """Called after a reading that differs from the last one; set by whoever publishes."""
        self.reading = MemoryReading()
        self._probe = probe
        self._pids = pids
        self._history: deque[int] = deque(maxlen=HISTORY_S)
        self._by_device: dict[str, deque[int]] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin sampling."""
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        """End sampling and release the driver."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._probe.close()

    async def sample(self) -> MemoryReading:
        """One reading now."""
        reading = await self._probe.sample(self._pids())
        self._history.append(_used_bytes(reading))
        self._remember(reading)
        is_news = reading != self.reading
        self.reading = reading
        if is_news:
            self.changed()
        return reading

    async def memory_back(self) -> None:
        """Wait, at most RETURN_S seconds, until the devices' memory no longer falls.

        A driver gives memory back some time after the process has ended; a load before that fails for
        lack of it. Without devices there is nothing to wait for.
        """
        if not self.reading.gpus:
            return
        loop = asyncio.get_running_loop()
        deadline = loop.time() + RETURN_S
        before = _used_bytes(await self._probe.sample(self._pids()))
        while loop.time() < deadline:
            await asyncio.sleep(RETURN_STEP_S)
            now = _used_bytes(await self._probe.sample(self._pids()))
            if now >= before:
                return
            before = now

    @property
    def history(self) -> tuple[int, ...]:
        """Used bytes of the pool at 1 Hz, oldest first."""
        return tuple(self._history)

    @property
    def gpu_history(self) -> tuple[tuple[int, ...], ...]:
        """Used bytes of each device of the reading at 1 Hz, oldest first.

        A second in which a device gave no figure is left out, so a lost device keeps what it had.
        """
        return tuple(tuple(self._by_device.get(gpu.key, ())) for gpu in self.reading.gpus)

    def _remember(self, reading: MemoryReading) -> None:
        """Devices are told apart by what stays the same when they are numbered anew."""
        kept = {gpu.key: self._by_device.get(gpu.key, deque(maxlen=HISTORY_S)) for gpu in reading.gpus}
        for gpu in reading.gpus:
            if gpu.used_bytes is not None:
                kept[gpu.key].append(gpu.used_bytes)
        self._by_device = kept

    async def _watch(self) -> None:
        while True:
            try:
                await self.sample()
            except Exception:
                _LOG.exception("memory cannot be read")
            await asyncio.sleep(INTERVAL_S)


def _used_bytes(reading: MemoryReading) -> int:
    if reading.gpus:
        return sum(gpu.used_bytes or 0 for gpu in reading.gpus)
    return reading.ram_total_bytes - reading.ram_available_bytes
