"""What the source of one vendor's devices promises to the probe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ggtui.core.errors import DriverMissing

if TYPE_CHECKING:
    from ggtui.core.ports.gpu import GpuSample, NoGpu, Vendor


class NoDevices(DriverMissing):
    """A vendor's devices cannot be read at all: the kind, one line why, and what to do."""

    def __init__(self, absence: NoGpu, detail: str, *, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.absence = absence


class GpuProvider(Protocol):
    """Devices of one vendor. All its calls come from one thread, which they may block."""

    @property
    def vendor(self) -> Vendor:
        """Whose devices these are."""

    def probe(self) -> bool:
        """True when this machine may have such devices. Cheap; wakes no device."""

    def sample(self, pids: frozenset[int]) -> tuple[GpuSample, ...]:
        """One sample per device, by index; what one of them refuses hides no other.

        pids: processes whose device memory is wanted; a provider that knows more of them tells more.
        Raises: NoDevices.
        """

    def close(self) -> None:
        """Release the driver; a further sample begins anew."""
