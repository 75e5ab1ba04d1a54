"""The parts that one device or the host holds of a load."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ggtui.core.units import MIB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.models import ModelSummary

HOST = "CPU"
"""What the host is called among the devices, as in the engine's own log."""


@dataclass(frozen=True, slots=True)
class DeviceShare:
    """What a load holds on one device, in bytes."""

    name: str
    is_host: bool = False
    weights_bytes: int = 0
    """Tensors; on the host mapped from the file where `mapped_bytes` says so."""
    kv_bytes: int = 0
    state_bytes: int = 0
    compute_bytes: int = 0
    output_bytes: int = 0
    overhead_bytes: int = 0
    """What the driver and its libraries take for the process."""
    adapters_bytes: int = 0
    projector_bytes: int = 0
    draft_bytes: int = 0
    mapped_bytes: int = 0
    """The part of the weights that is page cache of the file, which the system may take back."""
    n_layers: int = 0
    """Layers that run here, the output layer counted."""

    @property
    def total_bytes(self) -> int:
        """All parts together."""
        context = self.kv_bytes + self.state_bytes + self.compute_bytes + self.output_bytes
        beside = self.adapters_bytes + self.projector_bytes + self.draft_bytes
        return self.weights_bytes + context + self.overhead_bytes + beside

    @property
    def allocated_bytes(self) -> int:
        """What is the process' own: everything but mapped weights."""
        return self.total_bytes - self.mapped_bytes


@dataclass(frozen=True, slots=True)
class Companions:
    """What is loaded beside the model, 0 or None for nothing."""

    adapters_bytes: int = 0
    """Tensors of all LoRA adapters."""
    projector_bytes: int = 0
    """Tensors of the projector and its work space."""
    draft: ModelSummary | None = None
    """The model that drafts, at the same context."""


PROJECTOR_WORK_BYTES = 512 * MIB
"""Work space of a vision projector until it was measured: its graph for the largest image."""


def projector_bytes(size_bytes: int) -> int:
    """What a projector of this size takes, 0 for none."""
    return size_bytes + PROJECTOR_WORK_BYTES if size_bytes else 0


@dataclass(frozen=True, slots=True)
class DeviceRoom:
    """A device as a load would find it."""

    name: str
    room_bytes: int = 0
    """What the load may take there."""
    free_bytes: int = 0
    """What is free, the reserve included: layers are shared out in this proportion."""
    overhead_bytes: int = 0
    pads_tensors: bool = True
    """True for a device that fills tensors up, as CUDA does."""


def together(shares: Sequence[DeviceShare]) -> DeviceShare:
    """What servers of one file hold in the same place, at least one: its own pages are there once."""
    mapped = max(share.mapped_bytes for share in shares)
    parts = ("kv", "state", "compute", "output", "overhead", "adapters", "projector", "draft")
    sums = {f"{part}_bytes": sum(getattr(share, f"{part}_bytes") for share in shares) for part in parts}
    own_weights = sum(share.weights_bytes - share.mapped_bytes for share in shares)
    return replace(shares[0], weights_bytes=own_weights + mapped, mapped_bytes=mapped, **sums)


def pool_bytes(shares: Sequence[DeviceShare]) -> int:
    """What a load holds of the memory it was measured against: of the devices, else of the host."""
    on_devices = [share.total_bytes for share in shares if not share.is_host]
    return sum(on_devices) if on_devices else sum(share.total_bytes for share in shares)


@dataclass(frozen=True, slots=True)
class Totals:
    """The same parts of several devices together."""

    shares: tuple[DeviceShare, ...] = field(default=())

    def of(self, part: str) -> int:
        """All bytes of one part, named like the field of DeviceShare."""
        return sum(getattr(share, part) for share in self.shares)
