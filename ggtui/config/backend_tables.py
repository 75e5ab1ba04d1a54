"""`[[backend]]`, `[[model]]` and `[[group]]`: every table read to its end, every mistake with its place."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from ggtui.config.backend_kinds import BACKEND_KEYS, BACKEND_MODEL_KEYS, GROUP_KEYS, MODEL_KEYS
from ggtui.config.kinds import shown
from ggtui.config.mistakes import FileMistake
from ggtui.config.table_kinds import anchored_key
from ggtui.config.table_places import key_line, table_lines
from ggtui.config.table_reader import TableReader, called
from ggtui.core.backends.backend import Backend, BackendType, Declared, DeclaredModel, Group
from ggtui.core.backends.problems import BACKEND, GROUP, MODEL, problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

LISTS: Final = (BACKEND, MODEL, GROUP)
"""The lists of tables that are read here."""

_NO_TYPE: Final = BackendType.OPENAI
"""Stands in where the type could not be read: no rule about types says anything then."""


@dataclass(frozen=True, slots=True)
class ReadBackends:
    """What was read. Where there are mistakes, the values beside them are defaults."""

    declared: Declared
    mistakes: tuple[FileMistake, ...]
    groups: frozenset[str] | None = frozenset()
    """Names of the declared groups; None where they cannot be told, as one of them has a mistake."""


NO_BACKENDS: Final = ReadBackends(Declared(), ())


@dataclass(slots=True)
class _Found:
    """The mistakes of one table of a list: field, words, hint."""

    table: str
    index: int
    told: list[tuple[str, str, str]] = field(default_factory=list)


def read_backends(tables: Mapping[str, object], text: str, folder: Path) -> ReadBackends:
    """What a file declares of backends, and all that is wrong with it, in the order of the lists.

    tables: what TOML made of the file. text: the file itself. folder: paths count from there.
    """
    found: list[_Found] = []
    whole: list[FileMistake] = []

    def read(table: str, make: Callable[[Mapping[str, object], TableReader], Any]) -> tuple[Any, ...]:
        raw = tables.get(table, [])
        if not isinstance(raw, list) or not all(isinstance(each, dict) for each in raw):
            hint = f"begin each with a line [[{table}]]"
            line = key_line(text, "", table)
            whole.append(FileMistake(line, f"{table} must be a list of tables", hint, table))
            return ()
        made = []
        for index, each in enumerate(raw):
            reader = TableReader()
            made.append(make(each, reader))
            found.append(_Found(table, index, reader.mistakes))
        return tuple(made)

    declared = Declared(
        read(BACKEND, lambda raw, reader: _backend(raw, folder, reader)),
        read(MODEL, _model),
        read(GROUP, _group),
    )
    groups = _groups(declared, found, whole)
    _add_problems(declared, found, groups)
    return ReadBackends(declared, (*whole, *_placed(declared, found, text)), groups)


def _backend(raw: Mapping[str, object], folder: Path, reader: TableReader) -> Backend:
    values = reader.table("", raw, BACKEND_KEYS)
    if "type" not in raw:
        reader.told("type", "is needed", f"one of {', '.join(BackendType)}")
    models = tuple(_own_model(each, index, reader) for index, each in enumerate(values.pop("models", ())))
    backend = Backend(**{"name": "", "type": _NO_TYPE} | values, models=models)
    return replace(
        backend, base_url=backend.base_url.rstrip("/"), api_key=anchored_key(backend.api_key, folder)
    )


def _own_model(raw: object, index: int, reader: TableReader) -> DeclaredModel:
    within = f"models[{index}]"
    if isinstance(raw, str):
        raw = {"name": raw}
    if isinstance(raw, dict):
        return DeclaredModel(**{"name": ""} | reader.table(f"{within}.", raw, BACKEND_MODEL_KEYS))
    reader.told(within, f"must be a name or a table with a name, not {shown(raw)}")
    return DeclaredModel("")


def _model(raw: Mapping[str, object], reader: TableReader) -> DeclaredModel:
    model = DeclaredModel(**{"name": ""} | reader.table("", raw, MODEL_KEYS))
    return replace(model, name=model.name or model.repository)


def _group(raw: Mapping[str, object], reader: TableReader) -> Group:
    return Group(**{"name": ""} | reader.table("", raw, GROUP_KEYS))


def _groups(
    declared: Declared, found: Iterable[_Found], whole: Iterable[FileMistake]
) -> frozenset[str] | None:
    of_groups = (each.told for each in found if each.table == GROUP)
    is_unread = any(field == "name" for told in of_groups for field, _, _ in told)
    if is_unread or any(each.field == GROUP for each in whole):
        return None
    return frozenset(each.name for each in declared.groups)


def _add_problems(declared: Declared, found: Sequence[_Found], groups: frozenset[str] | None) -> None:
    """What the rules say, where all that a rule looks at could be read."""
    by_place = {(each.table, each.index): each for each in found}
    unread = {place: [field for field, _, _ in each.told] for place, each in by_place.items()}
    for each in problems(declared, groups):
        place = (each.table, each.index)
        is_unsure = groups is None and each.text.startswith("unknown group")
        if not is_unsure and not any(_is_moot(each.field, other) for other in unread[place]):
            by_place[place].told.append((each.field, each.text, each.hint))


def _is_moot(field: str, unread: str) -> bool:
    """True when a rule about this field looks at one that could not be read."""
    one, other = f"{field}.", f"{unread}."
    is_beside = field in ("name", "groups") and unread == "repository"
    return is_beside or one.startswith(other) or other.startswith(one)


def _placed(declared: Declared, found: Iterable[_Found], text: str) -> list[FileMistake]:
    told = [each for each in found if each.told]
    lists: dict[str, Sequence[Backend | DeclaredModel | Group]] = {
        BACKEND: declared.backends,
        MODEL: declared.models,
        GROUP: declared.groups,
    }
    lines = {table: table_lines(text, table, len(lists[table])) for table in {each.table for each in told}}
    return [
        _mistake(each, called(lists[each.table][each.index].name, each.index), lines[each.table], *one)
        for each in told
        for one in each.told
    ]


def _mistake(
    found: _Found, name: str, lines: Sequence[int | None], field: str, words: str, hint: str
) -> FileMistake:
    sentence = f"{found.table} {name}: {field}: {words}"
    return FileMistake(lines[found.index], sentence, hint, field, found.table, name)
