"""What is said of calls that were done: pinning a model, reading the configuration again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ggtui.core.reload import ReloadReport

STAYS = "Everything stays as it was; C tries again"
"""The cure after a configuration that cannot be read."""


def pin_words(public_id: str, strategy: str, *, is_pinned: bool) -> str:
    """What pinning or unpinning means under this strategy."""
    if not is_pinned:
        return f"{public_id} is not pinned any more: it makes way when its room is needed"
    if strategy == "memory":
        return f"{public_id} is pinned: once loaded, it makes way for no other model"
    return f"{public_id} is pinned: while it is loaded, no other model can be; p unpins it"


def reload_words(report: ReloadReport) -> str:
    """What of the configuration counts now, and what only after a restart of ggtui."""
    parts = ["configuration read again"]
    if report.changed:
        parts.append(f"in force now: {', '.join(report.changed)}")
    if report.at_next_start:
        parts.append(f"after a restart of ggtui: {', '.join(report.at_next_start)}")
    if len(parts) == 1:
        parts.append("nothing has changed")
    return "; ".join(parts)
