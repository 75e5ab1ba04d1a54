"""What the keys of a list of tables may be, as they stand in the file only: texts, words, keys."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NoReturn

from ggtui.config.kinds import Kind, Misfit
from ggtui.config.table_reader import Key
from ggtui.core.deployment.secret import Secret, SecretRef, SecretSource
from ggtui.core.routing.name_settings import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum
    from pathlib import Path


def _no_text(_: str) -> NoReturn:
    raise ValueError


def file_kind(expected: str, read: Callable[[object], object]) -> Kind:
    """Of what stands in the file only."""
    return Kind(expected, read, _no_text)


def _text(raw: object) -> str:
    if not isinstance(raw, str) or not raw.isprintable() or len(raw) > LONGEST_NAME:
        raise ValueError
    return raw.strip()


def _texts(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list):
        raise ValueError
    return tuple(_text(each) for each in raw)


def _secret(raw: object) -> SecretRef:
    if not isinstance(raw, dict):
        raise ValueError
    for key, value in raw.items():
        if key not in ("from", "name", "value"):
            raise Misfit(f".{key}", "is no key of this table", "the keys are from, name, value")
        if not isinstance(value, str) or not value.isprintable():
            raise Misfit(f".{key}", "must be one line of text")
    if raw.get("from") not in tuple(SecretSource):
        raise Misfit(".from", f"must be one of {', '.join(SecretSource)}")
    value = raw.get("value")
    try:
        return SecretRef(
            SecretSource(raw["from"]), raw.get("name", ""), None if value is None else Secret(value)
        )
    except ValueError as error:
        raise Misfit("", f"is not whole: {error}") from None


def anchored_key(ref: SecretRef | None, folder: Path) -> SecretRef | None:
    """The same key; the path of a file counts from the folder."""
    if ref is None or ref.source is not SecretSource.FILE:
        return ref
    return SecretRef(ref.source, os.path.normpath(folder / os.path.expanduser(ref.name)))


def word_of(words: type[StrEnum]) -> Kind:
    """One of these words."""
    return file_kind("one of " + ", ".join(words), lambda raw: words(str(raw)))


def keys_of(kind: Kind, *names: str) -> dict[str, Key]:
    """Keys of one kind, each of which becomes the field of its name."""
    return {name: Key(name, kind) for name in names}


def hidden_keys_of(kind: Kind, *names: str) -> dict[str, Key]:
    """Keys whose wrong value no message repeats."""
    return {name: Key(name, kind, is_quoted=False) for name in names}


TEXT: Final = file_kind(f"one line of text with at most {LONGEST_NAME} characters", _text)
TEXTS: Final = file_kind('a list of texts such as ["one", "two"]', _texts)
SECRET: Final = file_kind('a table such as { from = "env", name = "OPENAI_API_KEY" }', _secret)
