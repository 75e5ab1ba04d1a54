"""How declared and observed differ, in rows of a table and in a line for each change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.backends.remedies import remedy
from ggtui.core.backends.rows import Row, RowState
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ggtui.core.backends.backend import BackendType, Declared

HEAD: Final = ("BACKEND", "MODEL", "STATE", "DOES", "WHY")
NOTHING: Final = "nothing is declared; [[backend]] and [[model]] of config.toml say what should be where"
Document = dict[str, Any]
Standing = dict[tuple[str, str], str]
"""State by backend and model."""


def difference_rows(rows: Iterable[Document], declared: Declared) -> list[tuple[str, ...]]:
    """The cells of each row, by HEAD."""
    types = {each.name: each.type for each in declared.backends}
    return [_cells(each, types) for each in rows]


def _cells(document: Document, types: Mapping[str, BackendType]) -> tuple[str, ...]:
    row = Row(
        document["backend"],
        document["model"] or "",
        RowState(document["state"]),
        document["why"] or "",
        document["download"],
    )
    return (
        _where(row.backend),
        plain(row.model) or "–",
        _state(document),
        remedy(row, types) or "–",
        plain(row.why, 200) or "–",
    )


def standing(rows: Iterable[Document]) -> Standing:
    """What a change is told from."""
    return {(each["backend"], each["model"] or ""): each["state"] for each in rows}


def change_lines(before: Standing, rows: list[Document]) -> list[str]:
    """A line for each model that stands otherwise than before."""
    now = standing(rows)
    why = {(each["backend"], each["model"] or ""): each["why"] or "" for each in rows}
    lines = []
    for key in dict.fromkeys((*now, *before)):
        was, is_now = before.get(key, "new"), now.get(key, "gone")
        if was != is_now:
            name = f"{_where(key[0])} {plain(key[1])}".rstrip()
            reason = f": {plain(why[key], 200)}" if why.get(key) else ""
            lines.append(f"{name}  {was} → {is_now}{reason}")
    return lines


def _where(backend: str) -> str:
    return "here" if backend == THIS_MACHINE else plain(backend)


def _state(document: Document) -> str:
    total = document["total_bytes"]
    if document["state"] != RowState.DOWNLOADING or not total:
        return str(document["state"])
    return f"{document['state']} {min(99, document['completed_bytes'] * 100 // total)}%"
