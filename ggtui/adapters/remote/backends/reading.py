"""The documents of backends, read as those of strangers: what is not as it should be counts as not told."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ggtui.core.errors import BackendError
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.backends.observed import PulledModel

MOST_MODELS: Final = 20_000
MOST_PARTS: Final = 200_000
"""Lists and objects in a document; of other values five times as many."""
LONGEST_NAME: Final = 512
LONGEST_WORD: Final = 64
_DIGEST: Final = re.compile(r"(?:sha256[:-])?([0-9a-f]{64})", re.IGNORECASE)
_MOST: Final = (1 << 63) - 1


def parsed(data: bytes) -> object:
    """The document. Raises: ValueError for what is none, or is made of more parts than any list of models.

    No other thread runs while a document is read: two million empty lists took 2.7 s.
    """
    if data.count(b"[") + data.count(b"{") > MOST_PARTS or data.count(b",") > 5 * MOST_PARTS:
        raise ValueError("it has too many parts")
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except UnicodeDecodeError:
        raise ValueError("it is no text") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON: {error.msg} at character {error.pos}") from None


def _refuse_constant(name: str) -> object:
    raise ValueError(f"it is no JSON: {name} is no number")


def rows(document: object, *members: str) -> list[dict[str, Any]]:
    """The objects in the list that is the first of these members.

    Raises: ValueError when there is no list, or one that nobody would read.
    """
    told = document if isinstance(document, dict) else {}
    found = next((told[each] for each in members if isinstance(told.get(each), list)), None)
    if found is None:
        raise ValueError("there is no list of models in it")
    if len(found) > MOST_MODELS:
        raise ValueError(f"it lists more than {MOST_MODELS} models")
    return [each for each in found if isinstance(each, dict)]


def name_of(row: dict[str, Any], *members: str) -> str:
    """The first member that is a name; empty when none is, since a name that hides something is none."""
    for member in members:
        name = row.get(member)
        if isinstance(name, str) and name and name == plain(name, LONGEST_NAME):
            return name
    return ""


def word(row: dict[str, Any], member: str) -> str:
    """A short text for a person; empty when there is none."""
    text = row.get(member)
    return plain(text, LONGEST_WORD) if isinstance(text, str) else ""


def words(row: dict[str, Any], member: str, most: int = 32) -> tuple[str, ...]:
    """Short texts; what is none is left out."""
    found = row.get(member)
    listed = found[:most] if isinstance(found, list) else []
    return tuple(plain(each, LONGEST_WORD) for each in listed if isinstance(each, str))


def natural(row: dict[str, Any], *members: str) -> int:
    """The first member that is a number above 0; 0 when none is."""
    for member in members:
        number = row.get(member)
        if type(number) is int and 0 < number <= _MOST:
            return number
    return 0


def inner(row: object, member: str) -> dict[str, Any]:
    """The object that is this member; empty when there is none."""
    found = row.get(member) if isinstance(row, dict) else None
    return found if isinstance(found, dict) else {}


def digest(row: dict[str, Any]) -> str:
    """`sha256:` and 64 digits; empty when it is none."""
    text = row.get("digest")
    match = _DIGEST.fullmatch(text) if isinstance(text, str) else None
    return f"sha256:{match[1].lower()}" if match else ""


def moment(row: dict[str, Any], member: str) -> float | None:
    """Unix time of a text such as `2025-06-01T12:00:00.5+02:00` or a number; None for none after 1970."""
    told = row.get(member)
    try:
        if type(told) is int:
            seconds = datetime.fromtimestamp(told, UTC).timestamp()
        elif isinstance(told, str) and len(told) <= LONGEST_WORD:
            at = datetime.fromisoformat(told)
            seconds = at.timestamp() if at.tzinfo is not None else 0.0
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return seconds if seconds > 0 else None


def each_once(models: Iterable[PulledModel]) -> tuple[PulledModel, ...]:
    """Those with a name, the first of each."""
    found: dict[str, PulledModel] = {}
    for model in models:
        if model.name:
            found.setdefault(model.name, model)
    return tuple(found.values())


def failure(text: str) -> BackendError:
    """The failure with this text, on one line."""
    return BackendError(plain(text, 1024))
