"""The engine's own list of devices: the source that works on every machine, asked seldom."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ggtui.adapters.gpu.runner import Runner, run_program
from ggtui.adapters.gpu.source import coarse_age
from ggtui.core.engine_devices import EngineDevice, engine_devices
from ggtui.core.ports.gpu import GpuSample, Vendor
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FRESH_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class EngineCommand:
    """How an engine is started, and the environment it would get."""

    command: tuple[str, ...] = ()
    """Program and first arguments; empty when there is no engine."""
    env: Mapping[str, str] | None = None
    known: Callable[[], Sequence[str] | None] | None = None
    """Gives the lines of a listing made at the start, None while that is under way; None to make one."""


class EngineDeviceList:
    """Implements GpuProvider. To list a device opens it, which costs memory for that moment.

    So it asks at the first sample and after `refresh`, and the figures grow old in between: they are those of
    a moment without our servers, and say how long ago it was.
    """

    vendor = Vendor.OTHER

    def __init__(
        self,
        engine: EngineCommand,
        run: Runner = run_program,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._run = run
        self._clock = clock
        self._asked_at = 0.0
        self._samples: tuple[GpuSample, ...] | None = None
        self._known = engine.known

    def probe(self) -> bool:
        """True when there is an engine to ask."""
        return bool(self._engine.command)

    def refresh(self) -> None:
        """Let the next sample ask again, unless the engine has no device at all."""
        if self._samples:
            self._samples, self._known = None, None

    def sample(self, pids: frozenset[int]) -> tuple[GpuSample, ...]:
        """The engine's devices of this machine, as they were when it was asked."""
        samples = self._samples
        if samples is None:
            listed = self._listed()
            if listed is None:
                return ()
            devices = (device for device in engine_devices(listed) if not device.is_remote)
            samples = tuple(_sample(index, device) for index, device in enumerate(devices))
            self._asked_at, self._samples = self._clock(), samples
        age_s = self._clock() - self._asked_at
        return (
            samples if age_s < FRESH_S else tuple(replace(each, age_s=coarse_age(age_s)) for each in samples)
        )

    def _listed(self) -> Sequence[str] | None:
        """The lines of a listing; None when one is under way elsewhere."""
        if self._known is not None:
            return self._known()
        return (self._run((*self._engine.command, "--list-devices"), self._engine.env) or "").splitlines()

    def close(self) -> None:
        """Nothing is held open."""


def _sample(index: int, device: EngineDevice) -> GpuSample:
    return GpuSample(
        index=index,
        name=plain(device.description, 96) or device.name,
        total_bytes=device.total_bytes,
        used_bytes=device.total_bytes - device.free_bytes,
        vendor=device.vendor,
        is_unified=device.vendor is Vendor.APPLE,
        process_problem="the engine tells what is free, not who holds the rest",
    )
