"""What the replicas of a model share out: the devices that the engine can use, and the cores."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ggtui.core.deployment.shares import Roster, roster_of

if TYPE_CHECKING:
    from ggtui.services.engine_lookup import EngineLookup
    from ggtui.services.gpu_watch import GpuWatch


class MachineRoster:
    """Puts together what the engine lists and what the drivers tell, as they are now."""

    def __init__(self, gpu: GpuWatch, lookup: EngineLookup) -> None:
        self._gpu = gpu
        self._lookup = lookup

    async def known(self) -> None:
        """Return when the engine and the drivers have told for the first time."""
        await self._lookup.known()
        if not self._gpu.reading.ram_total_bytes:
            await self._gpu.sample()

    def __call__(self) -> Roster:
        """What there is now."""
        info, reading = self._lookup.info, self._gpu.reading
        n_cores = reading.cpu.n_cores or os.cpu_count() or 1
        return roster_of(info.devices if info is not None else (), reading.gpus, n_cores)
