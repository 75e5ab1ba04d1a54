"""models.toml on disk: read as it is at this moment, replaced as a whole, never left half written."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ggtui.adapters.settings_file.replacing import replaced
from ggtui.config.model_file import checked, models_in, read_models
from ggtui.core.errors import ConfigInvalid
from ggtui.core.model_settings import NOTHING_SET, ModelSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class ModelSettingsFile:
    """The ModelSettingsPort on a file. Several ggtui may write it: each waits for the other's turn."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> dict[str, ModelSettings]:
        """All settings; none without a file. See ModelSettingsPort."""
        return read_models(self._file)

    async def write(self, public_id: str, changes: Mapping[str, object]) -> ModelSettings:
        """Change one table; see ModelSettingsPort."""
        checked(changes, self._file.parent)
        return await asyncio.to_thread(self._write, public_id, changes)

    def _write(self, public_id: str, changes: Mapping[str, object]) -> ModelSettings:
        hint = "make it writable, or set the model's settings there by hand"
        new = replaced(self._file, lambda text: self._edited(text, public_id, changes), hint)
        return models_in(new, self._file).get(public_id, NOTHING_SET)

    def _edited(self, text: str, public_id: str, changes: Mapping[str, object]) -> str:
        """The new text, proved to differ from the old one in nothing else."""
        from ggtui.adapters.settings_file.edit import edited  # its library costs what reading need not pay

        known = models_in(text, self._file)
        wanted = known.get(public_id, NOTHING_SET).given | dict(changes)
        own = checked(wanted, self._file.parent)
        try:
            new = edited(text, public_id, changes)
            is_sound = _without_empty(models_in(new, self._file)) == _without_empty(known | {public_id: own})
        except (ConfigInvalid, ValueError, LookupError, TypeError, AttributeError):
            is_sound = False
        if not is_sound:
            raise ConfigInvalid(
                f'{self._file}: ["{public_id}"] is written in a way that ggtui cannot change',
                hint="write it as a table of its own, or change it by hand",
            )
        return new


def _without_empty(models: Mapping[str, ModelSettings]) -> dict[str, ModelSettings]:
    return {name: own for name, own in models.items() if own != NOTHING_SET}
