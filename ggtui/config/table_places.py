"""In which line of a configuration file something stands: the parser of TOML does not tell."""

from __future__ import annotations

import re
from typing import Final

from ggtui.config.toml_mistakes import is_sound

_HEADER: Final = re.compile(r"""\s*\[{1,2}\s*(?P<name>[^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?$""")


def table_lines(text: str, table: str, count: int) -> tuple[int | None, ...]:
    """The line of each table of a list, from 1, in their order; None for what is not found.

    text: sound TOML with plain line ends. table: the name of the list. count: how many tables it has.
    """
    name = rf"""(?:{table}|"{table}"|'{table}')"""
    header, key = re.compile(rf"\s*\[\[\s*{name}\s*\]\]"), re.compile(rf"\s*{name}\s*=")
    lines = text.split("\n")
    found: list[int | None] = []
    begins = 0
    for number, line in enumerate(lines):
        # what looks like a header may stand inside a text of several lines, which is no TOML when cut
        if header.match(line) and is_sound("\n".join(lines[begins:number])):
            found.append(number + 1)
            begins = number
    if not found:  # written as a list
        first = next((number + 1 for number, line in enumerate(lines) if key.match(line)), None)
        found = [first] * count
    return tuple([*found, *[None] * count][:count])


def key_line(text: str, table: str, key: str) -> int | None:
    """The line of a key of a table that stands once, from 1; None when it is not found.

    table: empty for what stands before all tables. A key that is no name of a setting is found in quotes.
    """
    name = rf"""["']?{re.escape(key)}["']?\s*[.=]"""
    own = re.compile(rf"\s*{name}")
    dotted = re.compile(rf"""\s*["']?{re.escape(table)}["']?\s*(?:\.\s*{name}|=)""")
    within = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _HEADER.match(line):
            within = header["name"].strip("\"'")
            if (not table and within == key) or (within == table and not key):
                return number
        elif own.match(line) if within == table else (not within and dotted.match(line)):
            return number
    return None
