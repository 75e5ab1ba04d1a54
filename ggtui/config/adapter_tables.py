"""LoRA adapters and stacks as models.toml has them: lists of tables, every mistake with its place in them."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ggtui.config import kinds
from ggtui.config.kinds import Kind, Misfit, shown
from ggtui.core.model_settings import plain_value
from ggtui.core.nearness import near_names
from ggtui.core.routing.adapters import (
    NAME_RULE,
    WEIGHT_RULE,
    AdapterRef,
    AdapterStack,
    AttachedAdapter,
    NamedStack,
    is_adapter_name,
    is_weight,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def _name(raw: object) -> str:
    if not isinstance(raw, str) or not is_adapter_name(raw):
        raise ValueError
    return raw


def _weight(raw: object) -> float:
    if not isinstance(raw, (int, float)) or not is_weight(raw):
        raise ValueError
    return float(raw)


def _path(raw: object) -> str:
    if not isinstance(raw, str) or not raw.isprintable():
        raise ValueError
    return raw.strip()


def _no_text(_: str) -> NoReturn:
    raise ValueError


_NAME: Final = Kind(NAME_RULE, _name, _name)
_WEIGHT: Final = Kind(WEIGHT_RULE, _weight, _no_text)
_PATH: Final = Kind("the path of a LoRA file or the name of one that was found", _path, _path)
_PART: Final = {"name": _NAME, "weight": _WEIGHT}
_ADAPTER: Final = {"name": _NAME, "path": _PATH, "weight": _WEIGHT}


def _parts(raw: object) -> tuple[AdapterRef, ...]:
    parts = tuple(AdapterRef(**fields) for fields in _tables(raw, _PART))
    if not parts:
        raise ValueError
    return parts


_PARTS: Final = Kind('a list such as [{ name = "code", weight = 0.8 }, { name = "chat" }]', _parts, _no_text)
_STACK: Final = {"name": _NAME, "adapters": _PARTS, "normalise": kinds.SWITCH}


def _attached(raw: object) -> tuple[AttachedAdapter, ...]:
    return tuple(AttachedAdapter(**fields) for fields in _tables(raw, _ADAPTER))


def _stacks(raw: object) -> tuple[NamedStack, ...]:
    tables = _tables(raw, _STACK, required=("name", "adapters"))
    return tuple(NamedStack(**fields | {"adapters": AdapterStack(fields["adapters"])}) for fields in tables)


ADAPTERS: Final = Kind('a list such as [{ name = "code", path = "code.gguf" }]', _attached, _no_text)
STACKS: Final = Kind(
    'a list such as [{ name = "both", adapters = [{ name = "code" }, { name = "chat" }] }]', _stacks, _no_text
)


def _tables(
    raw: object, fields: Mapping[str, Kind], required: tuple[str, ...] = ("name",)
) -> list[dict[str, Any]]:
    """The tables of a list, each field checked. Values of ggtui count as what they are in a file."""
    if not isinstance(raw, (list, tuple)):
        raise ValueError
    plain = plain_value(tuple(raw))
    assert isinstance(plain, list)
    return [_table(f"[{place}]", each, fields, required) for place, each in enumerate(plain)]


def _table(where: str, raw: object, fields: Mapping[str, Kind], required: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise Misfit(where, f"must be a table with a name, not {shown(raw)}")
    missing = next((each for each in required if each not in raw), None)
    unknown = next((each for each in raw if each not in fields), None)
    if unknown is not None:
        nearest = near_names(str(unknown), list(fields), limit=1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"the keys are {', '.join(fields)}"
        raise Misfit(where, f"has no key {unknown}", hint)
    if missing is not None:
        raise Misfit(where, f"has no {missing}", f"{missing} is {fields[missing].expected}")
    return {key: _field(f"{where}.{key}", fields[key], value) for key, value in raw.items()}


def _field(where: str, kind: Kind, raw: object) -> object:
    try:
        return kind.read(raw, is_text=False)
    except Misfit as misfit:
        raise misfit.within(where) from None
    except ValueError:
        raise Misfit(where, f"must be {kind.expected}, not {shown(raw)}") from None


def anchored(adapters: tuple[AttachedAdapter, ...], folder: Path) -> tuple[AttachedAdapter, ...]:
    """With every path that is a file's absolute, counted from the folder; the name of a found LoRA stays."""
    return tuple(replace(each, path=_of_file(each.path, folder)) for each in adapters)


def is_file(path: str) -> bool:
    """True for a path, False for the name of a LoRA that was found: told by the separator or the ending."""
    return os.sep in path or path.lower().endswith(".gguf")


def _of_file(path: str, folder: Path) -> str:
    if not is_file(path):
        return path
    return os.path.normpath(folder / os.path.expanduser(path))


def check_together(adapters: tuple[AttachedAdapter, ...], stacks: tuple[NamedStack, ...]) -> None:
    """That names are used once, and that stacks apply what is there.

    Raises: Misfit, whose place begins with the key.
    """
    taken: set[str] = set()
    names = [(f"adapters[{place}].name", each.name) for place, each in enumerate(adapters)]
    names += [(f"stacks[{place}].name", each.name) for place, each in enumerate(stacks)]
    for where, name in names:
        if name in taken:
            hint = "adapters and stacks of a model share their names"
            raise Misfit(where, f"{name} is in use already", hint)
        taken.add(name)
    known = [each.name for each in adapters]
    for place, stack in enumerate(stacks):
        _check_parts(f"stacks[{place}].adapters", stack, known)


def _check_parts(where: str, stack: NamedStack, known: list[str]) -> None:
    seen: set[str] = set()
    for place, part in enumerate(stack.adapters.adapters):
        if part.name not in known:
            hint = f"the adapters are {', '.join(known)}" if known else "the model has no adapters"
            raise Misfit(f"{where}[{place}].name", f"{part.name} is no adapter of the model", hint)
        if part.name in seen:
            raise Misfit(f"{where}[{place}].name", f"{part.name} is in this stack already")
        seen.add(part.name)
