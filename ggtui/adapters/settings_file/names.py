"""Aliases, the default and what is switched off in config.toml; the rest stays as a person wrote it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from ggtui.adapters.settings_file.folders import NEW_FILE
from ggtui.adapters.settings_file.replacing import replaced
from ggtui.config.toml_file import names_in, parsed
from ggtui.core.errors import ConfigInvalid
from ggtui.core.routing.name_settings import check_alias, check_target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ggtui.core.routing.name_settings import NameSettings

ALIASES: Final = "aliases"
NAMES: Final = "names"


class ConfigNames:
    """The NamesPort on the configuration file, which need not exist yet."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def set_alias(self, alias: str, target: str | None) -> NameSettings:
        """Write or remove a line of `[aliases]`; see NamesPort."""
        if target is not None:
            check_alias(alias, target)
        return await self._changed(ALIASES, lambda _: {alias: target})

    async def set_default(self, target: str | None) -> NameSettings:
        """Write or remove `[names] default`; see NamesPort."""
        if target is not None:
            check_target(target)
        return await self._changed(NAMES, lambda _: {"default": target})

    async def set_disabled(self, target: str, is_disabled: bool) -> NameSettings:
        """Add to `[names] disabled`, or take out; see NamesPort."""
        if is_disabled:
            check_target(target)

        def changes(table: Mapping[str, Any]) -> dict[str, object]:
            others = [each for each in table.get("disabled", ()) if each != target]
            now = [*others, target] if is_disabled else others
            is_same = is_disabled and target in table.get("disabled", ())
            return {} if is_same else {"disabled": now or None}

        return await self._changed(NAMES, changes)

    async def _changed(
        self, table: str, changes: Callable[[Mapping[str, Any]], Mapping[str, object]]
    ) -> NameSettings:
        """changes: from the keys of the table to those that are set, or removed with None."""

        def write() -> NameSettings:
            hint = f"make it writable, or set [{table}] there by hand"
            text = replaced(self._file, lambda text: self._edited(text, table, changes), hint)
            return names_in(text, self._file)

        return await asyncio.to_thread(write)

    def _edited(
        self, text: str, table: str, changes: Callable[[Mapping[str, Any]], Mapping[str, object]]
    ) -> str:
        """The new text, proved to differ from the old one in nothing else."""
        from ggtui.adapters.settings_file.edit import edited  # its library costs what reading need not pay

        names_in(text, self._file)
        known = parsed(text, self._file)
        own: Any = known.get(table, {})
        wanted = changes(own)
        try:
            new = edited(text, table, wanted, NEW_FILE)
            after = {key: value for key, value in (own | wanted).items() if value is not None}
            is_sound = _filled(parsed(new, self._file)) == _filled(known | {table: after})
        except (ConfigInvalid, ValueError, LookupError, TypeError, AttributeError):
            is_sound = False
        if not is_sound:
            raise ConfigInvalid(
                f"{self._file}: [{table}] is written in a way that ggtui cannot change",
                hint="write it as a table of its own, or change it by hand",
            )
        return new


def _filled(tables: Mapping[str, object]) -> dict[str, object]:
    return {name: table for name, table in tables.items() if table != {}}
