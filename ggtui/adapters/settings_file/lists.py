"""A list in a TOML text, changed item by item: what stays keeps its comments and its form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.container import Container
from tomlkit.items import AoT, Array, Comment, Table

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence


def put(table: MutableMapping[str, Any], key: str, value: object) -> None:
    """Set a key. Tables within a list are known by their `name`, other items by what they are.

    value: of plain TOML types; a list of tables is written as tables in one array, one in each line.
    Raises: ValueError where that would lose a comment on something else.
    """
    old = table.get(key)
    if not isinstance(value, (list, tuple)):
        table[key] = value
    elif not isinstance(old, (Array, AoT)) or not _brought(old, list(value)):
        if isinstance(old, AoT):
            raise ValueError("tables with headers of their own are not put in another order")
        table[key] = _array(value)


def remove(table: MutableMapping[str, Any], key: str) -> None:
    """Delete a key with its value; what stands behind the last of several tables is about what follows."""
    value = table[key]
    left = body(value[-1])[after_keys(value[-1]) :] if isinstance(value, AoT) and value else []
    del table[key]
    body(table).extend(left)


def _brought(items: Any, wanted: Sequence[Any]) -> bool:
    """Change the list in place; False where an item changes its place, so that it is better made anew."""
    names = [_name_of(each) for each in wanted]
    staying = [name for name in map(_name_of, items.unwrap()) if name in names]
    if staying != [name for name in names if name in staying] or len(set(map(repr, names))) < len(names):
        return False
    for place in reversed(range(len(items))):
        if _name_of(items.unwrap()[place]) not in names:
            _take_out(items, place)
    for place, each in enumerate(wanted):
        if place == len(items) or _name_of(items.unwrap()[place]) != names[place]:
            items.insert(place, _item(each, is_inline=isinstance(items, Array)))
        elif isinstance(each, dict):
            _bring_table(items[place], each)
    return bool(items.unwrap() == wanted)


def _take_out(items: Any, place: int) -> None:
    """Delete an item. A comment behind the last key of a table is about what follows, and stays."""
    left = body(items[place])[after_keys(items[place]) :]
    if any(isinstance(item, Comment) for _, item in left):
        if place == 0:
            raise ValueError("the comment behind it has no place then")
        body(items[place - 1]).extend(left)
    del items[place]


def body(table: Any) -> list[tuple[Any, Any]]:
    """The items of a table with a header, comments among them; empty for one that is written inline."""
    if not isinstance(table, Table) or not isinstance(table.value, Container):
        return []
    return table.value.body


def after_keys(table: Any) -> int:
    """The place in the table's body behind the last key."""
    places = enumerate(body(table), start=1)
    return max((place for place, (key, _) in places if key is not None), default=0)


def _name_of(item: Any) -> object:
    return item.get("name") if isinstance(item, dict) else item


def _bring_table(table: Any, wanted: dict[str, Any]) -> None:
    for key in [key for key in table if key not in wanted]:
        del table[key]
    for key, value in wanted.items():
        if key not in table or table.unwrap()[key] != value:
            put(table, key, value)


def _array(values: Sequence[Any]) -> Array:
    array = tomlkit.array()
    for each in values:
        array.append(_item(each, is_inline=True))
    if any(isinstance(each, dict) for each in values):
        array.multiline(True)
    return array


def _item(value: Any, *, is_inline: bool) -> Any:
    if not isinstance(value, dict):
        return value
    table: Any = tomlkit.inline_table() if is_inline else tomlkit.table()
    for key, each in value.items():
        table[key] = _flat(each)
    return table


def _flat(value: Any) -> Any:
    """Within a table of one line, a list is one line too."""
    if not isinstance(value, (list, tuple)):
        return value
    array = tomlkit.array()
    for each in value:
        array.append(_item(each, is_inline=True))
    return array
