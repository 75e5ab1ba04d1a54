"""Main memory as the kernel tells it: what devices without memory of their own take theirs from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ggtui.adapters.gpu.tree import Tree


def host_memory(tree: Tree) -> tuple[int, int] | None:
    """(total, available) in bytes; None where the kernel does not tell. Source: proc_meminfo(5)."""
    figures = kib_fields(tree.text("/proc/meminfo") or "")
    try:
        return figures["MemTotal"], figures["MemAvailable"]
    except KeyError:
        return None


def kib_fields(text: str) -> dict[str, int]:
    """Lines of the form `Name:  123 kB`, in bytes; other lines are left out."""
    figures = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if len(words) == 2 and words[1] == "kB" and words[0].isdigit():
            figures[name] = int(words[0]) * 1024
    return figures
