"""What the models take in each place, each file counted once, and how much room is left there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.facts import KIND_MODEL
from ggtui.core.ports.catalog import PlaceUse
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ggtui.adapters.gguf.roots import Root
    from ggtui.adapters.gguf.store import StoredModel

LONGEST_PATH = 4096


def disk_use(roots: Sequence[Root], rows: Iterable[StoredModel]) -> tuple[PlaceUse, ...]:
    """By place, in the order of the places. A file belongs to the first place that holds it.

    Of copies, all but the one known longest are waste, where they lie.
    """
    figures = {root: [0, 0, 0] for root in roots}
    files: set[tuple[int, ...]] = set()
    contents: set[tuple[int, str]] = set()
    for row in sorted(rows, key=lambda row: row.id):
        root = _root_of(row, roots)
        if root is None:
            continue
        found = figures[root]
        found[0] += row.facts.kind == KIND_MODEL
        if all(row.file_id) and row.file_id in files:
            continue
        files.add(row.file_id)
        found[1] += row.size_bytes
        content = (row.size_bytes, row.digest)
        if row.digest and content in contents:
            found[2] += row.size_bytes
        contents.add(content)
    return tuple(
        PlaceUse(
            root.store, plain(root.path, LONGEST_PATH), n_models, n_bytes, waste_bytes, _free_bytes(root.path)
        )
        for root, (n_models, n_bytes, waste_bytes) in figures.items()
    )


def _root_of(row: StoredModel, roots: Iterable[Root]) -> Root | None:
    holding = (root for path in (row.canonical, row.path) for root in roots if root.holds(path))
    return next(holding, None)


def _free_bytes(folder: str) -> int | None:
    try:
        found = os.statvfs(folder)
    except (OSError, ValueError):
        return None
    return found.f_bavail * found.f_frsize
