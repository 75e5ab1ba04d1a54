"""models.toml on disk: read as it is at this moment, replaced as a whole, never left half written."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ggtui.adapters.settings_file.replacing import replaced
from ggtui.config.model_file import checked, checked_changes, models_in, read_models
from ggtui.config.toml_file import parsed
from ggtui.core.errors import ConfigInvalid
from ggtui.core.model_settings import NOTHING_SET, OF_ADAPTERS, ModelSettings, plain_value
from ggtui.core.routing.adapters import AttachedAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class ModelSettingsFile:
    """The ModelSettingsPort on a file. Several ggtui may write it: each waits for the other's turn."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> dict[str, ModelSettings]:
        """All settings; none without a file. See ModelSettingsPort."""
        return read_models(self._file)

    async def write(self, public_id: str, changes: Mapping[str, object]) -> ModelSettings:
        """Change one table; see ModelSettingsPort. Without a change it is only read."""
        if not changes:
            return (await asyncio.to_thread(self.read)).get(public_id, NOTHING_SET)
        checked_changes(changes, self._file.parent)
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
            new = edited(text, public_id, dict(changes) | self._as_written(text, public_id, own, changes))
            is_sound = _without_empty(models_in(new, self._file)) == _without_empty(known | {public_id: own})
        except (ConfigInvalid, ValueError, LookupError, TypeError, AttributeError):
            is_sound = False
        if not is_sound:
            raise ConfigInvalid(
                f'{self._file}: ["{public_id}"] is written in a way that ggtui cannot change',
                hint="write it as a table of its own, or change it by hand",
            )
        return new

    def _as_written(
        self, text: str, public_id: str, own: ModelSettings, changes: Mapping[str, object]
    ) -> dict[str, object]:
        """Changed lists of tables in plain terms; what says the same as before, as a person wrote it."""
        known = models_in(text, self._file).get(public_id, NOTHING_SET)
        table = parsed(text, self._file).get(public_id)
        before = table if isinstance(table, dict) else {}
        return {
            key: _as_before(getattr(own, key), getattr(known, key) or (), before.get(key, ()))
            for key in OF_ADAPTERS & changes.keys()
            if changes[key] is not None
        }


def _as_before(
    values: tuple[Any, ...], known: tuple[Any, ...], tables: Sequence[Mapping[str, object]]
) -> list[Any]:
    """Plain tables of these adapters or stacks. known, tables: what was read before, and from what."""
    plain: Any = plain_value(values)
    for place, value in enumerate(values):
        for old, table in zip(known, tables, strict=True):
            if old == value:
                plain[place] = dict(table)
            elif old.name == value.name and _path(old) == _path(value) and "path" in table:
                plain[place]["path"] = table["path"]
    return list(plain)


def _path(value: object) -> str | None:
    return value.path if isinstance(value, AttachedAdapter) else None


def _without_empty(models: Mapping[str, ModelSettings]) -> dict[str, ModelSettings]:
    return {name: own for name, own in models.items() if own != NOTHING_SET}
