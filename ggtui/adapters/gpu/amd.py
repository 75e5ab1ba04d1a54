"""AMD devices through the files of the kernel's amdgpu driver: no root, no library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ggtui.adapters.gpu.drm import Card, access_problem, cards, heat_and_power, process_regions
from ggtui.adapters.gpu.host import host_memory
from ggtui.adapters.gpu.names import device_name
from ggtui.core.ports.gpu import GpuSample, Vendor
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.adapters.gpu.tree import Tree

AMD: Final = 0x1002
KFD: Final = "/dev/kfd"
APU_REVISIONS: Final = (2, 3)
"""Format revisions of `gpu_metrics` that only processors with graphics have. Source: kgd_pp_interface.h."""


class AmdProvider:
    """Implements GpuProvider over `/sys/class/drm/card*/device`."""

    vendor = Vendor.AMD

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._names: dict[str, str] = {}

    def probe(self) -> bool:
        """True when the kernel lists a card of this vendor."""
        return bool(cards(self._tree, AMD))

    def sample(self, pids: frozenset[int]) -> tuple[GpuSample, ...]:
        """One sample per card."""
        held = process_regions(self._tree, pids)
        found = enumerate(cards(self._tree, AMD))
        return tuple(self._sample(index, card, held.get(card.bus_id, {})) for index, card in found)

    def close(self) -> None:
        """Nothing is held open."""

    def _sample(self, index: int, card: Card, held: Mapping[int, Mapping[str, int]]) -> GpuSample:
        is_unified = self._is_apu(card)
        total, used = self._unified(card) if is_unified else self._memory(card, "vram")
        regions = ("vram", "gtt") if is_unified else ("vram",)
        heat, power = heat_and_power(self._tree, card)
        return GpuSample(
            index=index,
            name=self._name(card),
            uuid=self._uuid(card),
            total_bytes=total,
            used_bytes=used,
            utilisation_percent=self._tree.number(f"{card.folder}/gpu_busy_percent"),
            temperature_c=heat,
            power_w=power,
            process_bytes={pid: sum(by.get(region, 0) for region in regions) for pid, by in held.items()},
            problem=None if total else "the amdgpu driver does not tell its memory",
            vendor=self.vendor,
            bus_id=card.bus_id,
            is_unified=is_unified,
            access_problem=access_problem(self._tree, (KFD, card.node)),
        )

    def _memory(self, card: Card, pool: str) -> tuple[int | None, int | None]:
        """(total, used) of `vram` or `gtt`. Source: Documentation/gpu/amdgpu/driver-misc.rst."""
        names = (f"{card.folder}/mem_info_{pool}_{what}" for what in ("total", "used"))
        total, used = (self._tree.number(name) for name in names)
        return total, used

    def _unified(self, card: Card) -> tuple[int | None, int | None]:
        """The larger of what may be borrowed from main memory (GTT) and what the firmware set aside.

        What is borrowed must also be free in main memory.
        """
        (own_total, own_used), (total, used) = (self._memory(card, pool) for pool in ("vram", "gtt"))
        if (own_total or 0) > (total or 0):
            return own_total, own_used
        memory = host_memory(self._tree)
        if total is None or used is None or memory is None:
            return total, used
        return total, total - max(0, min(total - used, memory[1]))

    def _is_apu(self, card: Card) -> bool:
        head = self._tree.content(f"{card.folder}/gpu_metrics", 4) or b""
        return len(head) == 4 and head[2] in APU_REVISIONS

    def _name(self, card: Card) -> str:
        if card.bus_id not in self._names:
            told = plain(self._tree.text(f"{card.folder}/product_name") or "", 96)
            self._names[card.bus_id] = told or device_name(self._tree, AMD, card.device_id, card.revision)
        return self._names[card.bus_id]

    def _uuid(self, card: Card) -> str:
        """As ROCm writes it, `GPU-` and the chip's number; empty for chips without one."""
        number = (self._tree.text(f"{card.folder}/unique_id") or "").strip()
        return f"GPU-{number}" if number and set(number) != {"0"} else ""
