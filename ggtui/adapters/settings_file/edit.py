"""One table of a TOML file changed in its text, with every comment and the order of a person kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tomlkit

from ggtui.adapters.settings_file.lists import after_keys, body, put, remove

if TYPE_CHECKING:
    from collections.abc import Mapping, Set

NEW_FILE = """\
# Settings of single models, one table per public id. People write here by hand, and ggtui what is chosen
# on its screen; it leaves everything else as it is. The README lists the keys.
"""


def edited(text: str, name: str, changes: Mapping[str, object], new_file: str = NEW_FILE) -> str:
    """The text with these keys of one table set, or removed where the value is None.

    text: valid TOML with plain line ends; empty for a new file, which begins with new_file.
    name: of the table, which is made when there is none; the public id in models.toml.
    """
    document = tomlkit.parse(text or new_file)
    if name not in document:
        if all(value is None for value in changes.values()):
            return text
        document[name] = tomlkit.table()
    table: Any = document[name]
    own_keys = set(table)
    place = after_keys(table)
    for key in [key for key, value in changes.items() if value is None and key in table]:
        remove(table, key)
    for key, value in changes.items():
        if value is not None:
            put(table, key, value)
    _gather(table, changes.keys() - own_keys, place)
    if not table and "#" not in table.as_string() + getattr(table.trivia, "comment", ""):
        document.remove(name)
    return document.as_string()


def _gather(table: Any, new_keys: Set[str], place: int) -> None:
    """Put new keys beside the others. They were added below the comment that belongs to the next table."""
    items = body(table)
    new = [item for item in items if item[0] is not None and item[0].key in new_keys]
    items[:] = [item for item in items if item not in new]
    items[place:place] = new
