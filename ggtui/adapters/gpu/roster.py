"""Remembers the devices of a provider: one that goes away is shown as lost, not forgotten."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ggtui.core.ports.gpu import GpuSample

if TYPE_CHECKING:
    from collections.abc import Iterable

UNLISTED: Final = "the driver no longer lists it"
SLICE: Final = "MIG-"
"""How the id of a part of a device begins; such parts come and go by a person's own hand."""


class Roster:
    """Every device that was ever seen, by what does not change when devices are numbered anew."""

    def __init__(self) -> None:
        self._seen: dict[str, GpuSample] = {}

    def call(self, samples: Iterable[GpuSample], reason: str = UNLISTED) -> list[GpuSample]:
        """These samples, and the devices that are missing among them as lost.

        A device the driver still counts but does not name keeps its known name.
        """
        here = list(samples)
        nameless = [index for index, sample in enumerate(here) if sample.problem and not sample.uuid]
        named = {sample.key for index, sample in enumerate(here) if index not in nameless}
        absent = [seen for key, seen in self._seen.items() if key not in named]
        for index in nameless:
            known = next((seen for seen in absent if seen.index == here[index].index), None)
            if known is not None:
                absent.remove(known)
                here[index] = _lost(known, here[index].problem or reason)
        for sample in here:
            if sample.problem is None and not sample.uuid.startswith(SLICE):
                self._seen[sample.key] = sample
        return here + [_lost(seen, reason) for seen in absent]


def _lost(seen: GpuSample, reason: str) -> GpuSample:
    """What it is, without its figures."""
    return replace(
        GpuSample(seen.index, seen.name, uuid=seen.uuid, vendor=seen.vendor, bus_id=seen.bus_id),
        problem=reason,
        is_lost=True,
    )
