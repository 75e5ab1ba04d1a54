"""LoRA files that were found, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.core.units import gib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.cli.output import Output

HEAD = ("ADAPTER", "ARCHITECTURE", "SIZE", "FOR", "FILE")
RIGHT = frozenset({2})


def print_found(out: Output, found: Sequence[dict[str, Any]]) -> None:
    """A line each, then what is wrong with any of them. found: as in adapters_document."""
    out.table(HEAD, [_row(each) for each in found], RIGHT)
    for each in found:
        if each["problem"]:
            out.say(f"{each['name']}: {each['problem']}")


def _row(file: dict[str, Any]) -> tuple[str, ...]:
    bases = ", ".join(file["base_hints"]) or "–"
    return (file["name"], file["architecture"] or "–", gib(file["size_bytes"]), bases, file["path"])
