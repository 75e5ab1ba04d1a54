"""Intel devices through the kernel's i915 and xe drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ggtui.adapters.gpu.drm import Card, access_problem, cards, heat_and_power, process_regions
from ggtui.adapters.gpu.host import host_memory
from ggtui.adapters.gpu.intel_query import memory_regions
from ggtui.adapters.gpu.names import device_name
from ggtui.core.ports.gpu import GpuSample, Vendor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ggtui.adapters.gpu.intel_query import Region
    from ggtui.adapters.gpu.tree import Tree

INTEL: Final = 0x8086
_CAP_SYS_ADMIN: Final = 21
_CAP_PERFMON: Final = 38
"""Either lets a process see what all others hold. Source: include/uapi/linux/capability.h."""


class IntelProvider:
    """Implements GpuProvider: the total is asked of the driver, the use only with the right to see it."""

    vendor = Vendor.INTEL

    def __init__(
        self, tree: Tree, query: Callable[[Path, str], tuple[Region, ...] | None] = memory_regions
    ) -> None:
        """query: gives the memory regions of (render node, driver)."""
        self._tree = tree
        self._query = query
        self._names: dict[str, str] = {}

    def probe(self) -> bool:
        """True when the kernel lists a card of this vendor."""
        return bool(cards(self._tree, INTEL))

    def sample(self, pids: frozenset[int]) -> tuple[GpuSample, ...]:
        """One sample per card; the use of all processes together is None without CAP_PERFMON."""
        held = process_regions(self._tree, pids)
        found = enumerate(cards(self._tree, INTEL))
        return tuple(self._sample(index, card, held.get(card.bus_id, {})) for index, card in found)

    def close(self) -> None:
        """Nothing is held open."""

    def _sample(self, index: int, card: Card, held: Mapping[int, Mapping[str, int]]) -> GpuSample:
        regions = self._query(self._tree.path(card.node), card.driver) if card.node else None
        own = next((region for region in regions or () if region.is_own), None)
        is_unified = regions is not None and own is None
        total, used = self._shared() if is_unified else (own.total_bytes if own else None, self._used(own))
        refused = access_problem(self._tree, (card.node,))
        heat, power = heat_and_power(self._tree, card)
        prefixes = ("system", "gtt", "stolen") if is_unified else ("local", "vram")
        return GpuSample(
            index=index,
            name=self._name(card),
            total_bytes=total,
            used_bytes=used,
            temperature_c=heat,
            power_w=power,
            process_bytes={
                pid: sum(n for region, n in by.items() if region.startswith(prefixes))
                for pid, by in held.items()
            },
            problem=None if total else refused or "the Intel driver does not tell its memory",
            vendor=self.vendor,
            bus_id=card.bus_id,
            is_unified=is_unified,
            access_problem=refused,
        )

    def _shared(self) -> tuple[int | None, int | None]:
        memory = host_memory(self._tree)
        return (None, None) if memory is None else (memory[0], memory[0] - memory[1])

    def _used(self, own: Region | None) -> int | None:
        return own.used_bytes if own is not None and self._may_see_all() else None

    def _may_see_all(self) -> bool:
        for line in (self._tree.text("/proc/self/status") or "").splitlines():
            if line.startswith("CapEff:"):
                held = int(line.split()[1], 16)
                return bool(held >> _CAP_PERFMON & 1 or held >> _CAP_SYS_ADMIN & 1)
        return False

    def _name(self, card: Card) -> str:
        if card.bus_id not in self._names:
            self._names[card.bus_id] = device_name(self._tree, INTEL, card.device_id)
        return self._names[card.bus_id]
