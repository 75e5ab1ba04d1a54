"""Which model a newly found file continues: one that was moved, or replaced in its store, keeps its ids."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

from ggtui.core.stores import StoreKind

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from ggtui.adapters.gguf.found import FoundModel, Place
    from ggtui.adapters.gguf.store import StoredModel

_IN_REVISION = re.compile(r"/models--[^/]+/snapshots/[^/]+/(?P<file>.+)", re.DOTALL)
_Key: TypeAlias = "tuple[object, ...]"


def heirs(
    found: Sequence[FoundModel], known: Iterable[StoredModel], remembered: Iterable[StoredModel]
) -> dict[str, StoredModel]:
    """The row that a file continues, by the canonical path of the file; only for files that have no row.

    found: all models of the places, in the order of the look. known: rows of these places, until this look.
    remembered: all rows, those of other places and of files that have vanished among them.
    A row is inherited when its file is no longer found, or when it is found behind its heir in a cache that
    keeps older revisions: then the older file gets a row of its own.
    """
    taken = {row.canonical: row for row in remembered}
    by_key = _by_key(taken.values())
    ours = {row.id for row in known}
    order = {model.first.canonical: at for at, model in enumerate(found)}
    inherited: dict[str, StoredModel] = {}
    given: set[int] = set()
    for at, model in enumerate(found):
        if model.first.canonical in taken or model.first.problem is not None:
            continue
        candidates = (row for key in _keys_of_model(model) for row in by_key.get(key, ()))
        free = (row for row in candidates if row.id not in given and _is_free(row, order, at, ours))
        if (row := next(free, None)) is not None:
            inherited[model.first.canonical] = row
            given.add(row.id)
    return inherited


def _by_key(rows: Iterable[StoredModel]) -> dict[_Key, list[StoredModel]]:
    """Those known longest come first."""
    found: dict[_Key, list[StoredModel]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.id):
        for key in _keys_of_row(row):
            found[key].append(row)
    return found


def _is_free(row: StoredModel, order: Mapping[str, int], heir_at: int, ours: Container[int]) -> bool:
    at = order.get(row.canonical)
    if at is not None:
        return at > heir_at and _IN_REVISION.search(row.path) is not None
    return row.id in ours or not os.path.lexists(row.path)


def _keys_of_model(model: FoundModel) -> Iterator[_Key]:
    """What it may be known by, the surest first."""
    first = model.first
    yield _as_moved(first.path, (model.size_bytes, model.mtime_ns), len(model.files))
    yield from (_in_store(place, first.path, first.kind) for place in model.places)


def _keys_of_row(row: StoredModel) -> Iterator[_Key]:
    yield _as_moved(row.path, row.stamp[:2], row.n_files)
    yield from (_in_store(place, row.path, row.facts.kind) for place in row.places)


def _as_moved(path: str, size_and_time: tuple[int, ...], n_files: int) -> _Key:
    """The same wherever a file is moved to: its name, size and time."""
    return ("moved", os.path.basename(path), *size_and_time, n_files)


def _in_store(place: Place, path: str, kind: str) -> _Key:
    """The same for whatever a store keeps under one name, whichever content that has at the time."""
    if place.store == StoreKind.OLLAMA:
        return (place.store, place.title, kind)
    match = _IN_REVISION.search(path)
    return (place.store, place.title, match["file"] if match else os.path.basename(path))
