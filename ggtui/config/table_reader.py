"""Reads one table of a list of tables to its end: what each key may be, and every mistake with its field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ggtui.config.kinds import Misfit, shown
from ggtui.core.nearness import near_names
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ggtui.config.kinds import Kind


@dataclass(frozen=True, slots=True)
class Key:
    """One key: the field that its value becomes, and what it may be. Two spellings may share a field."""

    field: str
    kind: Kind
    is_quoted: bool = True
    """False: a message does not repeat the value, which may be a key."""


@dataclass(frozen=True, slots=True)
class Part:
    """A table inside a deployment, with what is made of it."""

    make: Callable[..., object]
    keys: Mapping[str, Key]

    @property
    def expected(self) -> str:
        """Ends the sentence "serving must be …"."""
        return f"a table with any of {', '.join(each for each in self.keys if not each.endswith('_ms'))}"


class TableReader:
    """Reads tables to their end and keeps what is wrong: field, words, hint."""

    def __init__(self) -> None:
        self.mistakes: list[tuple[str, str, str]] = []

    def told(self, field: str, words: str, hint: str = "") -> None:
        """Keep a mistake."""
        self.mistakes.append((field, words, hint))

    def table(self, within: str, raw: Mapping[str, object], keys: Mapping[str, Key | Part]) -> dict[str, Any]:
        """Values by field, without those that are wrong."""
        values: dict[str, Any] = {}
        spelled: dict[str, str] = {}
        for key, value in raw.items():
            known = keys.get(key)
            if known is None:
                self.told(f"{within}{plain(key, 60)}", "is no key here", meant(key, keys))
            elif isinstance(known, Part):
                values |= self._part(key, value, known)
            elif known.field in spelled:
                self.told(f"{within}{key}", f"is set already, as {spelled[known.field]}")
            else:
                spelled[known.field] = key
                values |= self._value(f"{within}{key}", value, known)
        return values

    def _part(self, key: str, raw: object, part: Part) -> dict[str, Any]:
        if isinstance(raw, dict):
            return {key: part.make(**self.table(f"{key}.", raw, part.keys))}
        self.told(key, f"must be {part.expected}")
        return {}

    def _value(self, place: str, raw: object, key: Key) -> dict[str, Any]:
        try:
            return {key.field: key.kind.read(raw, is_text=False)}
        except Misfit as misfit:
            self.told(f"{place}{misfit.where}", misfit.words, misfit.hint)
        except ValueError:
            ending = f", not {shown(raw)}" if key.is_quoted else ""
            self.told(place, f"must be {key.kind.expected}{ending}")
        return {}


def meant(key: str, keys: Mapping[str, Key | Part]) -> str:
    """A hint for a key that does not exist: the nearest that does, else all of them."""
    inner = [f"{name}.{each}" for name, part in keys.items() if isinstance(part, Part) for each in part.keys]
    nearest = near_names(key, [*keys, *inner], limit=1)
    return f"did you mean {nearest[0]}?" if nearest else f"the keys are {', '.join(keys)}"


def called(name: str, index: int) -> str:
    """How a message calls a table of a list: by its name, else by its number in the file."""
    return f"'{plain(name, 60)}'" if name.strip() else f"number {index + 1}"
