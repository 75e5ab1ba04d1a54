"""The configuration file: from bytes to values by setting, every mistake named with file, table and key."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, Final

from ggtui.config.backend_tables import LISTS, read_backends
from ggtui.config.deployment_tables import TABLE, read_deployments
from ggtui.config.kinds import Misfit, shown
from ggtui.config.mistakes import FileMistake, FileReading
from ggtui.config.plain_file import read_plain
from ggtui.config.settings import (
    ALIASES,
    BY_FIELD,
    BY_PLACE,
    DECLARED,
    DEPLOYMENTS,
    NAMES,
    SETTINGS,
    TABLES,
)
from ggtui.config.table_places import key_line
from ggtui.config.table_reader import called
from ggtui.config.toml_mistakes import what_is_broken
from ggtui.core.errors import ConfigInvalid
from ggtui.core.nearness import near_names
from ggtui.core.routing.name_settings import NameSettings
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ggtui.config.backend_tables import ReadBackends
    from ggtui.config.kinds import Kind
    from ggtui.config.settings import Setting

LARGEST_FILE = 1024 * 1024
"""Bytes; a configuration is a page of text."""

LISTS_OF_TABLES: Final = (TABLE, *LISTS)

NAME_TABLES: Final = frozenset(each.table for each in (*SETTINGS, ALIASES) if each.part == NAMES)


def read_settings(file: Path) -> dict[Setting, object]:
    """The file's values, checked and typed; relative paths count from the file's folder.

    Raises: ConfigInvalid.
    """
    reading = read_to_the_end(file)
    if reading.mistakes:
        raise reading.failure()
    return reading.found


def read_to_the_end(file: Path, is_local: Callable[[str], bool] | None = None) -> FileReading:
    """The same with every mistake. is_local: whether a model is of this machine; None if not known yet.

    Raises: ConfigInvalid when the file cannot be read, or is no TOML.
    """
    text = read_text(file)
    return _settings(parsed(text, file), FileReading(file, text), is_local)


def names_in(text: str, file: Path) -> NameSettings:
    """What this text of the configuration file says of names; nothing else in it is checked.

    Raises: ConfigInvalid.
    """
    tables = {name: value for name, value in parsed(text, file).items() if name in NAME_TABLES}
    reading = _settings(tables, FileReading(file, text))
    if reading.mistakes:
        raise reading.failure()
    fields: dict[str, Any] = {each.field: value for each, value in reading.found.items()}
    return NameSettings(**fields)


def _settings(
    tables: Mapping[str, object], reading: FileReading, is_local: Callable[[str], bool] | None = None
) -> FileReading:
    for table, key, value in _entries(tables):
        try:
            setting = _setting(reading.file, table, key, value)
            reading.found[setting] = _value(reading.file, setting, value)
        except ConfigInvalid as failure:
            reading.told(failure, key_line(reading.text, table, key))
    if any(name in tables for name in LISTS_OF_TABLES):
        _lists(tables, reading, is_local)
    return reading


def _entries(tables: Mapping[str, object]) -> Iterator[tuple[str, str, object]]:
    """Table, key and value of everything but lists of tables; one whose keys a person chooses has no key."""
    for name, value in tables.items():
        if name == ALIASES.table:
            yield name, "", value
        elif name in TABLES and isinstance(value, dict):
            for key, inner in value.items():
                yield name, key, inner
        elif name not in LISTS_OF_TABLES:
            yield "", name, value


def _setting(file: Path, table: str, key: str, value: object) -> Setting:
    """What is set there. Raises: ConfigInvalid."""
    if table == ALIASES.table:
        return ALIASES
    if not table and key in TABLES:
        hint = f"did you mean [[{key.removesuffix('s')}]]?" if _is_meant_as_list(key, value) else ""
        raise ConfigInvalid(f"{file}: {key} must be a table", hint=hint or f"write it as [{key}]", param=key)
    setting = BY_PLACE.get((table, key))
    if setting is None:
        raise _unknown(file, table, key, is_table=not table and _is_table(value))
    return setting


def _is_table(value: object) -> bool:
    """True for a table, and for a list of tables."""
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(e, dict) for e in value))


def _is_meant_as_list(key: str, value: object) -> bool:
    return isinstance(value, list) and key.removesuffix("s") in LISTS_OF_TABLES


def _lists(
    tables: Mapping[str, object], reading: FileReading, is_local: Callable[[str], bool] | None
) -> None:
    backends = read_backends(tables, reading.text, reading.file.parent)
    reading.found[DECLARED] = backends.declared
    reading.mistakes += backends.mistakes
    if TABLE in tables:
        _deployments(tables[TABLE], reading, backends, is_local)


def _deployments(
    raw: object, reading: FileReading, backends: ReadBackends, is_local: Callable[[str], bool] | None
) -> None:
    read = read_deployments(raw, reading.text, reading.file.parent, is_local, backends)
    reading.found[DEPLOYMENTS], reading.lines = read.deployments, read.lines
    reading.mistakes += read.mistakes
    named = reading.found.get(BY_FIELD["default"])
    for index, deployment in enumerate(read.deployments):
        if named and deployment.default:
            reading.mistakes.append(
                _default_twice(reading, called(deployment.name, index), index, str(named))
            )


def _default_twice(reading: FileReading, name: str, index: int, named: str) -> FileMistake:
    line = key_line(reading.text, "names", "default")
    there = f"[names] default in line {line}" if line else "[names] default"
    words = f"deployment {name}: default: '{plain(named, 60)}' is the default already, by {there}"
    return FileMistake(reading.lines[index], words, "keep one of both", "default", DEPLOYMENTS.table, name)


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
        nearest = near_names(name, [*TABLES, *LISTS_OF_TABLES], limit=1)
        near = [f"[[{each}]]" if each in LISTS_OF_TABLES else f"[{each}]" for each in nearest]
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
    except ValueError:
        raise ConfigInvalid(f"{file}: a number in it has thousands of digits") from None


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
