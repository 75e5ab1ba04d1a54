"""Settings of single models that nobody keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.config.model_file import checked, checked_changes
from ggtui.core.model_settings import NOTHING_SET, ModelSettings

if TYPE_CHECKING:
    from collections.abc import Mapping


class MemoryModelSettings:
    """Takes what a file takes, and forgets it with the process."""

    def __init__(self, own: Mapping[str, ModelSettings] | None = None) -> None:
        self.own = dict(own or {})
        """By public id."""

    def read(self) -> dict[str, ModelSettings]:
        """All settings."""
        return dict(self.own)

    async def write(self, public_id: str, changes: Mapping[str, object]) -> ModelSettings:
        """Change those of one model."""
        checked_changes(changes, Path("/"))
        before = self.own.get(public_id, NOTHING_SET)
        self.own[public_id] = checked(before.given | dict(changes), Path("/"))
        return self.own[public_id]
