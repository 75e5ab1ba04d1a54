"""What earlier loads took, kept beside the catalog: the newest of each model, for the file as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ggtui.core.load_history import LoadRecord

if TYPE_CHECKING:
    import sqlite3

    from ggtui.core.memory.compute import MeasuredCompute

KEPT = 32
"""Records of each model."""

_INSERT = """
    INSERT INTO load_records (model_id, at, size_bytes, mtime_ns, record)
    SELECT id, ?, size_bytes, mtime_ns, ? FROM models WHERE id = ?
"""
_TRIM = """
    DELETE FROM load_records WHERE model_id = ? AND rowid NOT IN
        (SELECT rowid FROM load_records WHERE model_id = ? ORDER BY at DESC, rowid DESC LIMIT ?)
"""
_SELECT = """
    SELECT model_id, record FROM load_records JOIN models ON models.id = model_id
        AND models.size_bytes = load_records.size_bytes AND models.mtime_ns = load_records.mtime_ns
    {where} ORDER BY at DESC, load_records.rowid DESC
"""
_OF_ALL = _SELECT.format(where="")
_OF_ONE = _SELECT.format(where="WHERE model_id = ?")


def add(connection: sqlite3.Connection, model_id: int, record: LoadRecord) -> None:
    """Keep one more, and forget the oldest; a model that does not exist is ignored."""
    connection.execute(_INSERT, (record.at, msgspec.json.encode(record), model_id))
    connection.execute(_TRIM, (model_id, model_id, KEPT))


def of_model(connection: sqlite3.Connection, model_id: int) -> tuple[LoadRecord, ...]:
    """The records of one model, the newest first."""
    rows = connection.execute(_OF_ONE, (model_id,))
    return tuple(record for _, data in rows if (record := _decoded(data)) is not None)


def measured(connection: sqlite3.Connection) -> dict[int, tuple[MeasuredCompute, ...]]:
    """What loads have taught of each model, the newest first."""
    found: dict[int, list[MeasuredCompute]] = {}
    for model_id, data in connection.execute(_OF_ALL):
        record = _decoded(data)
        if record is not None and record.measured is not None:
            found.setdefault(model_id, []).append(record.measured)
    return {model_id: tuple(dict.fromkeys(each)) for model_id, each in found.items()}


def newest_overhead(connection: sqlite3.Connection) -> int | None:
    """What the driver took on each device in the newest load that tells, of any model; None for none."""
    rows = connection.execute("SELECT record FROM load_records ORDER BY at DESC, rowid DESC")
    records = (_decoded(data) for (data,) in rows)
    overheads = (record.overhead_bytes for record in records if record is not None)
    return next((n_bytes for n_bytes in overheads if n_bytes is not None), None)


def _decoded(data: bytes) -> LoadRecord | None:
    """None for a record of another shape, which an older or newer ggtui wrote."""
    try:
        return msgspec.json.decode(data, type=LoadRecord)
    except msgspec.MsgspecError:
        return None
