"""What is wrong with a text that is no TOML: the parser's message in words, with the line and the key."""

from __future__ import annotations

import re
import tomllib
from typing import Final

_PLACE: Final = re.compile(r"\s*\(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
_PART: Final = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+)"""
_KEY: Final = re.compile(rf"\s*(?P<key>{_PART}(?:\s*\.\s*{_PART})*)\s*=")
_TABLE_TWICE: Final = re.compile(r"Cannot declare \((?P<parts>.*)\) twice")
_INLINE_TWICE: Final = re.compile(r"Duplicate inline table key '(?P<key>.*)'")
_LONGEST_VALUE: Final = 200
"""Lines; where a value that is longer begins is not looked for."""


def what_is_broken(text: str, message: str) -> tuple[int | None, str]:
    """The line, 0 for the end of the text, None when the message tells none; and what is wrong there.

    text: with plain line ends. message: of tomllib, which counts lines from 1 and stands behind a value.
    """
    place = _PLACE.search(message)
    reason = _PLACE.sub("", message)
    if place is None:
        return None, reason
    line = int(place["line"] or 0)
    if reason == "Cannot overwrite a value":
        return _set_twice(text.split("\n"), line, reason)
    if table := _TABLE_TWICE.fullmatch(reason):
        name = ".".join(re.findall(r"'([^']*)'", table["parts"]))
        return line, f"the table [{name}] stands here for the second time"
    if key := _INLINE_TWICE.fullmatch(reason):
        return line, f"{key['key']} is set twice"
    return line, reason


def _set_twice(lines: list[str], line: int, reason: str) -> tuple[int, str]:
    """Where the key stands whose value ends in this line. What is before it can be read alone."""
    for first in range(line, max(0, line - _LONGEST_VALUE), -1):
        key = _KEY.match(lines[first - 1])
        if key is not None and is_sound("\n".join(lines[: first - 1])):
            parts = " or a part of it" if len(re.findall(_PART, key["key"])) > 1 else ""
            return first, f"{key['key']}{parts} is set for the second time"
    return line, reason


def is_sound(text: str) -> bool:
    """True for a text that is TOML by itself."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True
