"""Graphics cards as the Linux kernel lists them, and what single processes hold of their memory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.adapters.gpu.tree import Tree

CARDS: Final = "/sys/class/drm"
_CARD: Final = re.compile(r"card\d+")
_UNITS: Final = {"": 1, "B": 1, "KiB": 1 << 10, "kB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_KINDS: Final = ("drm-resident-", "drm-memory-", "drm-total-")
"""In memory now, the older name of the same, and what was asked for: the first that is told counts."""


@dataclass(frozen=True, slots=True)
class Card:
    """One graphics card."""

    folder: str
    """Of the PCI device, below `/sys/class/drm`."""
    bus_id: str
    driver: str
    device_id: int
    revision: int
    node: str
    """What programs open to use it, `/dev/dri/renderD128`; empty when there is none."""


def cards(tree: Tree, vendor_id: int) -> list[Card]:
    """The cards of one PCI vendor, by number."""
    numbers = sorted(int(name[4:]) for name in tree.names(CARDS) if _CARD.fullmatch(name))
    folders = [f"{CARDS}/card{number}/device" for number in numbers]
    return [_card(tree, folder) for folder in folders if tree.number(f"{folder}/vendor") == vendor_id]


def _card(tree: Tree, folder: str) -> Card:
    pairs = (line.partition("=") for line in (tree.text(f"{folder}/uevent") or "").splitlines())
    facts = {name: value for name, _, value in pairs}
    nodes = [name for name in tree.names(f"{folder}/drm") if name.startswith("renderD")]
    return Card(
        folder=folder,
        bus_id=facts.get("PCI_SLOT_NAME", ""),
        driver=facts.get("DRIVER", ""),
        device_id=tree.number(f"{folder}/device") or 0,
        revision=tree.number(f"{folder}/revision") or 0,
        node=f"/dev/dri/{nodes[0]}" if nodes else "",
    )


def access_problem(tree: Tree, nodes: Iterable[str]) -> str | None:
    """Which device file this user may not open, and what helps; None when all is well."""
    for node in nodes:
        if node and tree.exists(node) and not tree.may_open(node):
            return f"no permission for {node}: join its group (render or video) and log in again"
    return None


def heat_and_power(tree: Tree, card: Card) -> tuple[int | None, float | None]:
    """(degrees Celsius, watts) of the card's first sensor that tells each.

    Source: Documentation/hwmon/sysfs-interface.rst (temp*_input in millidegrees, power*_* in microwatts).
    """
    heat, power = None, None
    for name in tree.names(f"{card.folder}/hwmon"):
        sensor = f"{card.folder}/hwmon/{name}"
        milli = tree.number(f"{sensor}/temp1_input")
        micro = tree.number(f"{sensor}/power1_average") or tree.number(f"{sensor}/power1_input")
        heat = heat if heat is not None or milli is None else milli // 1000
        power = power if power is not None or micro is None else micro / 1e6
    return heat, power


def process_regions(tree: Tree, pids: frozenset[int]) -> dict[str, dict[int, dict[str, int]]]:
    """Bytes by bus id, process and memory region (`vram`, `vram0`, `local0`, `gtt`, `system0` …).

    A process that opened no card is left out. One client counts once, however many descriptors it has.
    Source: Documentation/gpu/drm-usage-stats.rst.
    """
    found: dict[str, dict[int, dict[str, int]]] = {}
    for pid in sorted(pids):
        clients: dict[tuple[str, str], dict[str, int]] = {}
        for descriptor in tree.names(f"/proc/{pid}/fdinfo"):
            fields = _fields(tree.text(f"/proc/{pid}/fdinfo/{descriptor}") or "")
            if "drm-pdev" in fields:
                clients[fields["drm-pdev"], fields.get("drm-client-id", descriptor)] = _regions(fields)
        for (bus_id, _), regions in clients.items():
            held = found.setdefault(bus_id, {}).setdefault(pid, {})
            for region, n_bytes in regions.items():
                held[region] = held.get(region, 0) + n_bytes
    return found


def _fields(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines() if line.startswith("drm-"))
    return {name: value.strip() for name, _, value in pairs}


def _regions(fields: dict[str, str]) -> dict[str, int]:
    regions: dict[str, int] = {}
    for kind in reversed(_KINDS):
        for name, value in fields.items():
            n_bytes = _bytes(value) if name.startswith(kind) else None
            if n_bytes is not None:
                regions[name.removeprefix(kind)] = n_bytes
    return regions


def _bytes(value: str) -> int | None:
    number, _, unit = value.partition(" ")
    scale = _UNITS.get(unit.strip())
    return int(number) * scale if number.isdigit() and scale is not None else None
