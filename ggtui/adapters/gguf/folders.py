"""Walks through a folder at any depth, within bounds and without following a circle of links."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ggtui.adapters.gguf import found as bounds
from ggtui.adapters.gguf.found import (
    UNFINISHED,
    Place,
    Walk,
    group_key,
    is_folder,
    look_at_entry,
    reason,
)
from ggtui.core.stores import StoreKind
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable

DEEPEST = 16


def look(root: str, found: Walk, is_stopped: Callable[[], bool]) -> None:
    """A plain folder: every `*.gguf` in it. Never raises for what it meets."""

    def place_of(folder: str) -> Place:
        return Place(StoreKind.FOLDER, plain(folder), group_key(folder))

    walk_folder(root, found, is_stopped, place_of)


def look_lm_studio(root: str, found: Walk, is_stopped: Callable[[], bool]) -> None:
    """A folder of `<publisher>/<repository>/*.gguf`, where people also keep links and deeper folders."""

    def place_of(folder: str) -> Place:
        return Place(StoreKind.LM_STUDIO, plain(os.path.relpath(folder, root)), group_key(folder))

    walk_folder(root, found, is_stopped, place_of)


def walk_folder(
    root: str,
    found: Walk,
    is_stopped: Callable[[], bool],
    place_of: Callable[[str], Place],
    deepest: int = DEEPEST,
) -> None:
    """Keep every `*.gguf` under root; links are followed wherever they lead.

    place_of: what the files of a folder get as their place.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [(root, 0)]
    while waiting and not found.is_full and not is_stopped():
        folder, depth = waiting.pop()
        try:
            status = os.stat(folder)
        except (OSError, ValueError) as error:
            found.watched[folder] = 0
            found.problems.append(f"{plain(folder)}: {reason(error)}")
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        subfolders = _look_into(folder, found, place_of(folder))
        if depth < deepest:
            waiting.extend((subfolder, depth + 1) for subfolder in reversed(subfolders))


def _look_into(folder: str, found: Walk, place: Place) -> list[str]:
    real_folder = os.path.realpath(folder)
    subfolders = []
    for entry in found.entries(folder):
        name = entry.name.lower()
        if is_folder(entry):
            subfolders.append(entry.path)
        elif name.endswith(".gguf"):
            found.files.append(look_at_entry(entry, real_folder, place))
        elif ".gguf" in name and entry.name.endswith(UNFINISHED):
            found.keep_unfinished(entry, plain(entry.path))
        if len(found.files) >= bounds.MOST_FILES:
            break
    found.check_bounds(folder)
    return subfolders
