"""One table of models.toml changed in its text, with every comment and the order of a person kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.container import Container
from tomlkit.items import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Set

NEW_FILE = """\
# Settings of single models, one table per public id. People write here by hand, and ggtui what is chosen
# on its screen; it leaves everything else as it is. The README lists the keys.
"""


def edited(text: str, public_id: str, changes: Mapping[str, object]) -> str:
    """The text with these keys of one model set, or removed where the value is None.

    text: valid TOML with plain line ends; empty for a new file.
    """
    document = tomlkit.parse(text or NEW_FILE)
    if public_id not in document:
        if all(value is None for value in changes.values()):
            return text
        document[public_id] = tomlkit.table()
    table: Any = document[public_id]
    own_keys = set(table)
    after_keys = _after_keys(table)
    for key in [key for key, value in changes.items() if value is None and key in table]:
        del table[key]
    for key, value in changes.items():
        if value is not None:
            table[key] = list(value) if isinstance(value, tuple) else value
    _gather(table, changes.keys() - own_keys, after_keys)
    if not table and "#" not in table.as_string() + getattr(table.trivia, "comment", ""):
        document.remove(public_id)
    return document.as_string()


def _after_keys(table: Any) -> int:
    """The place in the table's body behind the last key."""
    places = enumerate(_body(table), start=1)
    return max((place for place, (key, _) in places if key is not None), default=0)


def _gather(table: Any, new_keys: Set[str], place: int) -> None:
    """Put new keys beside the others. They were added below the comment that belongs to the next table."""
    body = _body(table)
    new = [item for item in body if item[0] is not None and item[0].key in new_keys]
    body[:] = [item for item in body if item not in new]
    body[place:place] = new


def _body(table: Any) -> list[tuple[Any, Any]]:
    """The items of a table with a header, comments among them; empty for one that is written inline."""
    if not isinstance(table, Table) or not isinstance(table.value, Container):
        return []
    return table.value.body
