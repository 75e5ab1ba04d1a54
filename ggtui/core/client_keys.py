"""The keys that let clients in, and who holds each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

LARGEST_KEY: Final = 4096
"""Characters."""
SHORTEST_NAMED_KEY: Final = 16
"""Characters of a key behind a name: so the two cannot change places unnoticed."""
_NAME: Final = re.compile(r"[\w.@+-]{1,64}")
_LINE_END: Final = re.compile(r"\r\n?|\n")
_GAP: Final = re.compile(r"[ \t]+")


@dataclass(frozen=True, slots=True)
class ClientKey:
    """One key, and who holds it as people and limits know them."""

    key: str = field(repr=False)
    name: str = ""
    """Empty for the only key there is."""


def parse_keys(text: str) -> tuple[ClientKey, ...]:
    """One key; or several, one a line, each behind the name of who holds it. A line may be a `#` comment.

    Raises: ValueError, which tells what is wrong and in which line; never a key.
    """
    found: list[ClientKey] = []
    names: set[str] = set()
    keys: set[str] = set()
    for number, line in enumerate(_LINE_END.split(text), 1):
        content = line.strip(" \t")
        if not content or content.startswith("#"):
            continue
        each = _parse_line(content, f"line {number}")
        if found and not (each.name and found[0].name):
            raise ValueError(f"line {number}: where there are several keys, each needs a name before it")
        if each.name in names:
            raise ValueError(f"line {number} has a name that another line has")
        if each.key in keys:
            raise ValueError(f"line {number} has a key that another line has")
        found.append(each)
        names.add(each.name)
        keys.add(each.key)
    if not found:
        raise ValueError("it holds no key; a line that begins with # is a comment")
    return tuple(found)


def _parse_line(content: str, place: str) -> ClientKey:
    words = _GAP.split(content)
    if len(words) > 2 or words[-1].startswith("#"):
        raise ValueError(f"{place} must hold one key, or a name and a key, and nothing behind it")
    key = words[-1]
    if not is_sound(key):
        raise ValueError(f"{place} must hold a key without spaces, in ASCII")
    if len(words) == 1:
        return ClientKey(key)
    if not _NAME.fullmatch(words[0]):
        raise ValueError(f"the name in {place} must be one word of letters, digits and . _ - + @, at most 64")
    if len(key) < SHORTEST_NAMED_KEY:
        raise ValueError(f"the key in {place}, behind the name, must have {SHORTEST_NAMED_KEY} characters")
    return ClientKey(key, words[0])


def is_sound(key: str) -> bool:
    """True for what can be sent as a key."""
    return key.isascii() and key.isprintable() and " " not in key and 0 < len(key) <= LARGEST_KEY
