"""The configuration file: from bytes to values by setting, every mistake named with file, table and key."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from ggtui.config.kinds import Misfit, shown
from ggtui.config.plain_file import read_plain
from ggtui.config.settings import BY_PLACE, SETTINGS, TABLES
from ggtui.core.errors import ConfigInvalid
from ggtui.core.nearness import near_names

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.config.kinds import Kind
    from ggtui.config.settings import Setting

LARGEST_FILE = 1024 * 1024
"""Bytes; a configuration is a page of text."""

_PLACE = re.compile(r"\s*\(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


def read_settings(file: Path) -> dict[Setting, object]:
    """The file's values, checked and typed; relative paths count from the file's folder.

    Raises: ConfigInvalid.
    """
    found: dict[Setting, object] = {}
    for name, value in parsed(read_text(file), file).items():
        if name in TABLES:
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
        raise _broken(file, str(error)) from None
    except RecursionError:
        raise ConfigInvalid(f"{file}: nested too deeply") from None


def _broken(file: Path, message: str) -> ConfigInvalid:
    match = _PLACE.search(message)
    reason = _PLACE.sub("", message)
    if match is None:
        return ConfigInvalid(f"{file}: {reason}")
    where = f"line {match['line']}" if match["line"] else "last line"
    return ConfigInvalid(f"{file}, {where}: {reason}", hint="correct that line")


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
