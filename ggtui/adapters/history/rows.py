"""Generations as rows: read newest first, written in place of their older selves, pruned at the old end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ggtui.adapters.history.database import COLUMNS
from ggtui.core.history import ENDED_WITH_GGTUI, MOST_KEPT, Generation
from ggtui.core.routing.adapters import AdapterRef

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_WRITE = f"INSERT OR REPLACE INTO generations ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def newest(connection: sqlite3.Connection, n: int) -> tuple[Generation, ...]:
    """The n newest, newest first. Raises: sqlite3.Error."""
    rows = connection.execute(f"SELECT {COLUMNS} FROM generations ORDER BY number DESC LIMIT ?", (n,))
    return tuple(_generation(row) for row in rows)


def close_left_behind(connection: sqlite3.Connection) -> None:
    """Those that still serve have ended with their ggtui. Raises: sqlite3.Error."""
    with connection:
        connection.execute(
            "UPDATE generations SET how_ended = ? WHERE how_ended = ''",
            (ENDED_WITH_GGTUI,),
        )


def write(connection: sqlite3.Connection, generations: Sequence[Generation]) -> None:
    """Write all of them or none; the oldest beyond MOST_KEPT go. Raises: sqlite3.Error."""
    with connection:
        connection.executemany(_WRITE, [_row(each) for each in generations])
        connection.execute(
            "DELETE FROM generations WHERE number <= (SELECT max(number) FROM generations) - ?", (MOST_KEPT,)
        )


def _row(generation: Generation) -> tuple[object, ...]:
    return (
        generation.number,
        generation.public_id,
        generation.path,
        msgspec.json.encode(generation.adapters),
        generation.n_ctx,
        generation.began,
        generation.why,
        generation.ended,
        generation.how_ended,
        generation.n_requests,
    )


def _generation(row: tuple[Any, ...]) -> Generation:
    number, public_id, path, adapters, n_ctx, began, why, ended, how, n_requests = row
    return Generation(
        number=number,
        public_id=public_id,
        path=path,
        n_ctx=n_ctx,
        began=began,
        why=why,
        adapters=_adapters(adapters),
        ended=ended,
        how_ended=how,
        n_requests=n_requests,
    )


def _adapters(data: object) -> tuple[AdapterRef, ...]:
    """None where another hand has written something else."""
    try:
        return msgspec.json.decode(data if isinstance(data, bytes) else b"", type=tuple[AdapterRef, ...])
    except msgspec.MsgspecError:
        return ()
