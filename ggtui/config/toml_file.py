"""The configuration file: from bytes to values by setting, every mistake named with file, table and key."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, Final

from ggtui.config.kinds import Misfit, shown
from ggtui.config.plain_file import read_plain
from ggtui.config.settings import ALIASES, BY_PLACE, NAMES, SETTINGS, TABLES
from ggtui.config.toml_mistakes import what_is_broken
from ggtui.core.errors import ConfigInvalid
from ggtui.core.nearness import near_names
from ggtui.core.routing.name_settings import NameSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ggtui.config.kinds import Kind
    from ggtui.config.settings import Setting

LARGEST_FILE = 1024 * 1024
"""Bytes; a configuration is a page of text."""

NAME_TABLES: Final = frozenset(each.table for each in (*SETTINGS, ALIASES) if each.part == NAMES)


def read_settings(file: Path) -> dict[Setting, object]:
    """The file's values, checked and typed; relative paths count from the file's folder.

    Raises: ConfigInvalid.
    """
    return _settings(parsed(read_text(file), file), file)


def names_in(text: str, file: Path) -> NameSettings:
    """What this text of the configuration file says of names; nothing else in it is checked.

    Raises: ConfigInvalid.
    """
    tables = {name: value for name, value in parsed(text, file).items() if name in NAME_TABLES}
    fields: dict[str, Any] = {each.field: value for each, value in _settings(tables, file).items()}
    return NameSettings(**fields)


def _settings(tables: Mapping[str, object], file: Path) -> dict[Setting, object]:
    found: dict[Setting, object] = {}
    for name, value in tables.items():
        if name == ALIASES.table:
            found[ALIASES] = _value(file, ALIASES, value)
        elif name in TABLES:
            found |= _table(file, name, value)
        elif ("", name) in BY_PLACE:
            found[BY_PLACE["", name]] = _value(file, BY_PLACE["", name], value)
        else:
            raise _unknown(file, "", name, is_table=isinstance(value, dict))
    return found


def _table(file: Path, table: str, values: object) -> dict[Setting, object]:
    if not isinstance(values, dict):
        raise ConfigInvalid(f"{file}: {table} must be a table", hint=f"write it as [{table}]")
    found: dict[Setting, object] = {}
    for key, value in values.items():
        setting = BY_PLACE.get((table, key))
        if setting is None:
            raise _unknown(file, table, key, is_table=False)
        found[setting] = _value(file, setting, value)
    return found


def _value(file: Path, setting: Setting, raw: object) -> object:
    return value_of(setting.kind, raw, f"{file}: {setting.place}", setting.key)


def value_of(kind: Kind, raw: object, place: str, key: str) -> object:
    """A value as TOML types it, checked. Raises: ConfigInvalid, which begins with the place."""
    try:
        return kind.read(raw, is_text=False)
    except Misfit as misfit:
        raise ConfigInvalid(f"{place}{misfit.where} {misfit.words}", hint=misfit.hint, param=key) from None
    except ValueError:
        raise ConfigInvalid(f"{place} must be {kind.expected}, not {shown(raw)}", param=key) from None


def _unknown(file: Path, table: str, name: str, *, is_table: bool) -> ConfigInvalid:
    if is_table:
        near = [f"[{each}]" for each in near_names(name, TABLES, limit=1)]
        return ConfigInvalid(f"{file}: no table is called [{name}]", hint=_meant(near), param=name)
    nearest = near_names(name, [each.key for each in SETTINGS], limit=1)
    places = [each.place for each in SETTINGS if each.key in nearest]
    where = f"[{table}] has no key {name}" if table else f"no key is called {name}"
    return ConfigInvalid(f"{file}: {where}", hint=_meant(places), param=name)


def _meant(places: list[str]) -> str:
    return f"did you mean {places[0]}?" if places else ""


def parsed(text: str, file: Path) -> dict[str, object]:
    """The tables of a TOML text. Raises: ConfigInvalid, naming this file and the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _broken(file, text, str(error)) from None
    except RecursionError:
        raise ConfigInvalid(f"{file}: nested too deeply") from None


def _broken(file: Path, text: str, message: str) -> ConfigInvalid:
    line, reason = what_is_broken(text, message)
    where = "" if line is None else f", line {line}" if line else ", last line"
    return ConfigInvalid(f"{file}{where}: {reason}", hint="correct that line" if where else "")


def read_text(file: Path) -> str:
    """The content, with plain line ends and without a byte order mark.

    Raises: ConfigInvalid when it cannot be read, is too large or not text.
    """
    try:
        data = read_plain(file, LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigInvalid(f"{file} cannot be read: {error.strerror or error}") from error
    if len(data) > LARGEST_FILE:
        raise ConfigInvalid(f"{file} is larger than {LARGEST_FILE // 1024} KiB")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigInvalid(f"{file}, line {line}: not UTF-8 text", hint="correct that line") from None
