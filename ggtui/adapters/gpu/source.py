"""One provider with a thread of its own: its last good devices, and how old they are."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from ggtui.adapters.gpu.provider import NoDevices
from ggtui.adapters.gpu.roster import Roster
from ggtui.adapters.gpu.worker import PatientWorker
from ggtui.core.ports.gpu import NoGpu
from ggtui.core.text import plain

if TYPE_CHECKING:
    from ggtui.adapters.gpu.provider import GpuProvider
    from ggtui.core.ports.gpu import GpuSample

_LOG = logging.getLogger(__name__)
IMPATIENT_S: Final = 0.05
"""How long a provider is waited for that has not answered the last time."""

FINE_AGE_S: Final = 60
_FINE_STEP_S: Final = 10
_COARSE_STEP_S: Final = 60


@dataclass(frozen=True, slots=True)
class Devices:
    """What a provider said, or why it said nothing."""

    gpus: tuple[GpuSample, ...] = ()
    refusal: NoDevices | None = None
    is_old: bool = False
    """True when the provider did not answer this time."""


class Source:
    """Asks one provider at a time; a provider that hangs delays the others once."""

    def __init__(self, provider: GpuProvider) -> None:
        self.provider = provider
        self._roster = Roster()
        self._worker = PatientWorker(f"gpu-{provider.vendor}", _unanswered())
        self._is_patient = True

    async def latest(self, pids: frozenset[int], limit_s: float) -> Devices:
        """The devices now, else as they were last, with the age of their figures."""
        wait_s = limit_s if self._is_patient else min(limit_s, IMPATIENT_S)
        devices, is_fresh = await self._worker.latest(partial(self._read, pids), wait_s)
        self._is_patient = is_fresh
        taken_at = self._worker.taken_at
        if is_fresh or taken_at is None:
            return devices
        age_s = coarse_age(asyncio.get_running_loop().time() - taken_at)
        return replace(devices, gpus=tuple(replace(gpu, age_s=age_s) for gpu in devices.gpus), is_old=True)

    def _read(self, pids: frozenset[int]) -> Devices:
        """On the worker's thread."""
        try:
            if not self.provider.probe():
                return Devices()
            return Devices(tuple(self._roster.call(self.provider.sample(pids))))
        except NoDevices as refusal:
            return Devices(tuple(self._roster.call((), refusal.detail)), refusal)
        except Exception as error:
            _LOG.exception("devices of %s cannot be read", self.provider.vendor)
            detail = f"{self.provider.vendor} devices cannot be read: {plain(str(error))}"
            broken = NoDevices(NoGpu.DRIVER_BROKEN, detail)
            return Devices(tuple(self._roster.call((), detail)), broken)

    def close(self) -> None:
        """Release the driver; never waits for one that hangs."""
        self._worker.close(self.provider.close)


def coarse_age(seconds: float) -> int:
    """Whole tens of seconds below a minute, then whole minutes, at least 1 second: few steps, few redraws."""
    step = _FINE_STEP_S if seconds < FINE_AGE_S else _COARSE_STEP_S
    return max(1, int(seconds) // step * step)


def _unanswered() -> Devices:
    hint = "it may be waking up; if it stays so, see whether nvidia-smi answers"
    return Devices(refusal=NoDevices(NoGpu.SILENT, "GPU driver has not answered yet", hint=hint))
