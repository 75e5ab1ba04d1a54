"""What a setting may be: one reader for TOML's typed values and one for text from environment and flags."""

from __future__ import annotations

import math
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.core.errors import InvalidRequest
from ggtui.core.keep_alive import parse_keep_alive
from ggtui.core.model_settings import AUTO
from ggtui.core.models import KvType

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"0", "false", "no", "off"})


class Misfit(ValueError):
    """A mistake inside a value that has parts: where in it, and what is wrong there."""

    def __init__(self, where: str, words: str, hint: str = "") -> None:
        """where: what follows the name of the setting, such as `[1].weight`. words: what follows both."""
        super().__init__(words)
        self.where = where
        self.words = words
        self.hint = hint

    def within(self, where: str) -> Misfit:
        """The same mistake, as seen from around this part."""
        return Misfit(where + self.where, self.words, self.hint)


def shown(raw: object) -> str:
    """A wrong value as a message may quote it."""
    text = repr(raw)
    return text if len(text) <= 60 else f"a {type(raw).__name__}"


@dataclass(frozen=True, slots=True)
class Kind:
    """A set of values. Both readers raise ValueError for anything outside it."""

    expected: str
    """Ends the sentence "port must be …"."""
    of_value: Callable[[object], object]
    """From a value as TOML types it."""
    of_text: Callable[[str], object]
    """From the text of a flag or an environment variable."""

    def read(self, raw: object, *, is_text: bool) -> object:
        """The setting's value. Raises: ValueError."""
        return self.of_text(str(raw)) if is_text else self.of_value(raw)


def _required(condition: bool) -> None:
    if not condition:
        raise ValueError


def _text(raw: object) -> str:
    if not isinstance(raw, str) or not raw.isprintable():
        raise ValueError
    return raw


def _switch(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise ValueError
    return raw


def _switch_of_text(raw: str) -> bool:
    word = raw.strip().lower()
    _required(word in _ON | _OFF)
    return word in _ON


def _folder(raw: object) -> Path:
    text = _text(raw)
    _required(bool(text.strip()))
    try:
        return Path(text).expanduser()
    except RuntimeError:  # the home of somebody unknown
        raise ValueError from None


def _program(raw: object) -> str:
    text = _text(raw)
    if text.startswith("~"):
        _folder(text)
    return text


def _folders(raw: object) -> tuple[Path, ...]:
    if isinstance(raw, str):
        return (_folder(raw),)
    return tuple(_folder(each) for each in _list(raw))


def _list(raw: object) -> list[object]:
    if not isinstance(raw, (list, tuple)):
        raise ValueError
    return list(raw)


def _kv_type(raw: object) -> KvType:
    return KvType(_text(raw).lower())


def whole(low: int, high: int) -> Kind:
    """A whole number, both ends included."""

    def value(raw: object) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int):
            raise ValueError
        _required(low <= raw <= high)
        return raw

    return Kind(f"a whole number from {low} to {high}", value, lambda raw: value(int(raw)))


def number(low: float, high: float) -> Kind:
    """A number, both ends included."""
    return Kind(f"a number from {low:g} to {high:g}", *_between(low, high))


def seconds(low: float, high: float) -> Kind:
    """A time in seconds, both ends included."""
    return Kind(f"seconds from {low:g} to {high:g}", *_between(low, high))


def _between(low: float, high: float) -> tuple[Callable[[object], float], Callable[[str], float]]:
    """The two readers of a number."""

    def value(raw: object) -> float:
        if isinstance(raw, bool) or not isinstance(raw, (int, float)):
            raise ValueError
        _required(low <= raw <= high)
        return float(raw)

    return value, lambda raw: value(float(raw))


def one_of(*words: str) -> Kind:
    """One of these words."""

    def value(raw: object) -> str:
        word = _text(raw).lower()
        _required(word in words)
        return word

    return Kind("one of " + ", ".join(words), value, value)


def or_auto(kind: Kind, auto: object = None) -> Kind:
    """The same, or the word `auto`, which leaves the choice to others and reads as the value `auto`."""

    def value(raw: object) -> object:
        return auto if raw == "auto" else kind.of_value(raw)

    def text(raw: str) -> object:
        return auto if raw.strip().lower() == "auto" else kind.of_text(raw)

    return Kind(f'{kind.expected}, or "auto"', value, text)


def member_of(words: type[StrEnum]) -> Kind:
    """One of these words, as a member of the enumeration."""
    return Kind("one of " + ", ".join(words), lambda raw: words(_text(raw)), words)


def some_of(*words: str) -> Kind:
    """Any of these words, each once, in the order given; as text separated by commas, or `none`."""

    def value(raw: object) -> tuple[str, ...]:
        given = tuple(dict.fromkeys(_text(each).lower() for each in _list(raw)))
        _required(set(given) <= set(words))
        return given

    def text(raw: str) -> tuple[str, ...]:
        return value([each.strip() for each in raw.split(",")]) if raw.strip().lower() != "none" else ()

    return Kind("a list of " + ", ".join(words), value, text)


def _keep_alive(raw: object) -> float | str:
    """As it was written: a person reads "10m" more easily than 600."""
    if not isinstance(raw, (int, float, str)):
        raise ValueError
    try:
        seconds = parse_keep_alive(raw)
    except InvalidRequest:
        raise ValueError from None
    _required(seconds is not None and math.isfinite(seconds))
    return raw


def or_word_auto(kind: Kind) -> Kind:
    """The same, or the word `auto`, which reads as itself: it overrides a choice made elsewhere."""
    base = or_auto(kind)
    return Kind(
        base.expected,
        lambda raw: AUTO if raw == AUTO else base.of_value(raw),
        lambda raw: AUTO if raw.strip().lower() == AUTO else base.of_text(raw),
    )


TEXT = Kind("one line of text", _text, _text)
PROGRAM = Kind("a path or the name of a program", _program, _program)
SWITCH = Kind("true or false", _switch, _switch_of_text)
FOLDER = Kind("a path", _folder, _folder)
FOLDERS = Kind(
    "a list of paths",
    _folders,
    lambda raw: tuple(_folder(each) for each in raw.split(os.pathsep) if each.strip()),
)
WORDS = Kind(
    "a list of texts",
    lambda raw: tuple(_text(each) for each in _list(raw)),
    lambda raw: tuple(shlex.split(raw)),
)
KV_TYPE = Kind("one of " + ", ".join(KvType), _kv_type, _kv_type)
KEEP_ALIVE = Kind('seconds, a time such as "10m", or -1 for ever', _keep_alive, _keep_alive)
