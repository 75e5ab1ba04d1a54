"""What was forecast for a load, and what the engine then said it took."""

from __future__ import annotations

from dataclasses import dataclass

from ggtui.core.memory.compute import MeasuredCompute  # noqa: TC001  # resolved when a record is decoded
from ggtui.core.memory.parts import DeviceShare  # noqa: TC001  # likewise


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """One load that came up."""

    at: float
    """Unix time."""
    engine: str
    """Kind and version of the engine: figures of another build count for less."""
    n_ctx: int
    """Tokens of one request."""
    n_parallel: int
    predicted: tuple[DeviceShare, ...]
    """What each device and the host were to hold."""
    actual: tuple[DeviceShare, ...]
    """What the engine's own log says they hold."""
    measured: MeasuredCompute | None = None
    """What this load teaches about the compute buffer of the next ones."""
    process_bytes: int | None = None
    """Device memory of the process by the driver's count; None where it does not tell."""

    @property
    def predicted_bytes(self) -> int:
        """The forecast, without what no log line tells."""
        return sum(share.total_bytes - share.overhead_bytes for share in self.predicted)

    @property
    def actual_bytes(self) -> int:
        """All buffers of the engine together."""
        return sum(share.total_bytes for share in self.actual)

    @property
    def difference(self) -> float:
        """How far the forecast was off, as a share of what the load took; positive when it was too high."""
        return self.predicted_bytes / self.actual_bytes - 1 if self.actual_bytes else 0.0

    @property
    def overhead_bytes(self) -> int | None:
        """What the driver took on each device beside the buffers; None where nobody tells."""
        on_devices = [share.total_bytes for share in self.actual if not share.is_host and share.total_bytes]
        if self.process_bytes is None or not on_devices or self.process_bytes <= sum(on_devices):
            return None
        return (self.process_bytes - sum(on_devices)) // len(on_devices)

    @property
    def device_bytes(self) -> int:
        """What it holds on devices, by its own log."""
        return sum(share.total_bytes for share in self.actual if not share.is_host)
