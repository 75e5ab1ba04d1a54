"""From the looks into the places to the report on them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.disk_use import disk_use
from ggtui.adapters.gguf.listing import adapters
from ggtui.adapters.gguf.store import FolderScan
from ggtui.core.ports.catalog import CatalogReport
from ggtui.core.stores import StoreKind, StoreRoot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from ggtui.adapters.gguf.found import Walk
    from ggtui.adapters.gguf.listing import Entry
    from ggtui.adapters.gguf.roots import Root
    from ggtui.adapters.gguf.store import StoredModel


def scan_of(found: Walk, now: float) -> FolderScan:
    """What is kept of a walk. now: Unix time."""
    lines = (tuple(found.problems), tuple(found.unfinished))
    return FolderScan(now, found.n_files, *lines, is_absent=found.is_absent)


def report_of(
    folders: Sequence[Path],
    roots: Sequence[Root],
    known: Mapping[str, FolderScan],
    rows: Collection[StoredModel],
    listed: Iterable[Entry],
    problem: str | None,
) -> CatalogReport:
    """The report on these places.

    known: the last look into each place, by its path; a place without one was never looked at.
    problem: what is wrong with the database.
    """
    scans = {root: known[root.path] for root in roots if root.path in known}
    told = [text for scan in scans.values() for text in scan.problems]
    stores = tuple(
        StoreRoot(root.store, Path(root.path))
        for root, scan in scans.items()
        if root.store is not StoreKind.FOLDER and not scan.is_absent
    )
    times = [scan.scanned_at for scan in scans.values()]
    return CatalogReport(
        folders=tuple(dict.fromkeys([*map(str, folders), *(str(store.path) for store in stores)])),
        stores=stores,
        problems=tuple(told if problem is None else (problem, *told)),
        unfinished=tuple(text for scan in scans.values() for text in scan.unfinished),
        adapters=adapters(rows),
        disk=disk_use([root for root in roots if not (root in scans and scans[root].is_absent)], rows),
        waste_bytes=sum(entry.waste_bytes for entry in listed),
        n_files=sum(scan.n_files for scan in scans.values()),
        scanned_at=min(times) if times and len(times) == len(roots) else None,
    )
