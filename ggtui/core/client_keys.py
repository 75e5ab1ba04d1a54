"""The keys that let clients in, and who holds each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_KEY: Final = 4096
"""Characters."""
LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class ClientKey:
    """One key, and who holds it as people and limits know them."""

    key: str = field(repr=False)
    name: str = ""
    """Empty for the only key there is."""


def parse_keys(text: str) -> tuple[ClientKey, ...]:
    """One key; or several, one a line, each behind the name of who holds it. `#` begins a comment.

    Raises: ValueError, which tells what is wrong and in which line; never a key.
    """
    found: list[ClientKey] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) > 2:
            raise ValueError(f"line {number} must hold one key, or a name and a key")
        found.append(ClientKey(words[-1], words[0] if len(words) == 2 else ""))
        _check(found, f"line {number}")
    if not found:
        raise ValueError("it must hold a key")
    return tuple(found)


def _check(found: Sequence[ClientKey], line: str) -> None:
    """What was found last."""
    *others, newest = found
    if not is_sound(newest.key):
        raise ValueError(f"{line} must hold a key without spaces, in ASCII")
    if newest.name and not (newest.name.isprintable() and len(newest.name) <= LONGEST_NAME):
        raise ValueError(f"the name in {line} must have at most {LONGEST_NAME} characters")
    if others and not (newest.name and others[0].name):
        raise ValueError(f"{line}: where there are several keys, each needs a name before it")
    if newest.name in [each.name for each in others]:
        raise ValueError(f"{line} has a name that another line has")
    if newest.key in [each.key for each in others]:
        raise ValueError(f"{line} has a key that another line has")


def is_sound(key: str) -> bool:
    """True for what can be sent as a key."""
    return key.isascii() and key.isprintable() and " " not in key and 0 < len(key) <= LARGEST_KEY
