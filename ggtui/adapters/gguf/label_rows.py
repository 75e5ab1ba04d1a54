"""The labels of models, kept beside the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ggtui.core.labels import LONGEST_NAME, LONGEST_TAG, MOST_TAGS, UNLABELLED, Labels
from ggtui.core.text import plain

if TYPE_CHECKING:
    import sqlite3

    from ggtui.core.labels import LabelChange

_SELECT = "SELECT model_id, name, tags, is_favourite FROM labels"
_REPLACE = """
    INSERT OR REPLACE INTO labels (model_id, name, tags, is_favourite)
    SELECT id, ?, ?, ? FROM models WHERE id = ?
"""


def of_all(connection: sqlite3.Connection) -> dict[int, Labels]:
    """By model id; models without labels are left out."""
    return {row[0]: _labels(*row[1:]) for row in connection.execute(_SELECT)}


def change(connection: sqlite3.Connection, model_id: int, wanted: LabelChange) -> Labels:
    """Apply a change to what is kept now; returns what is kept then. Unknown models keep nothing.

    Raises: InvalidRequest.
    """
    connection.execute("BEGIN IMMEDIATE")
    row = connection.execute(f"{_SELECT} WHERE model_id = ?", (model_id,)).fetchone()
    labels = wanted.applied_to(UNLABELLED if row is None else _labels(*row[1:]))
    if labels == UNLABELLED:
        connection.execute("DELETE FROM labels WHERE model_id = ?", (model_id,))
    else:
        tags = msgspec.json.encode(labels.tags)
        connection.execute(_REPLACE, (labels.name, tags, labels.is_favourite, model_id))
    return labels


def _labels(name: object, tags: bytes, is_favourite: object) -> Labels:
    """Made plain once more: another program may have written there."""
    try:
        known = msgspec.json.decode(tags, type=tuple[str, ...])
    except msgspec.MsgspecError:
        known = ()
    shown = tuple(filter(None, (plain(tag, LONGEST_TAG) for tag in known[:MOST_TAGS])))
    return Labels(plain(str(name), LONGEST_NAME), shown, bool(is_favourite))
