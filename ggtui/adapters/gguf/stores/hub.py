"""The Hugging Face cache, and the flat folder of older llama.cpp builds, which may lie in one place."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.folders import walk_folder
from ggtui.adapters.gguf.found import (
    UNFINISHED,
    FoundFile,
    Place,
    Walk,
    group_key,
    is_folder,
    look_at_entry,
    lost,
)
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

REPOSITORY = "models--"
DEEPEST = 4
"""Folders inside a revision; repositories put the shards of one model into a folder of their own."""
LONGEST_REVISION = 64


def look(root: str, store: str, found: Walk, is_stopped: Callable[[], bool]) -> None:
    """Every model of the cache: repositories first, then files that lie directly in it."""
    entries = found.entries(root)
    for entry in entries:
        if found.is_full or is_stopped():
            return
        if entry.name.startswith(REPOSITORY) and is_folder(entry):
            _look_into_repository(entry.path, store, found, is_stopped)
    _keep_flat(root, store, entries, found)


def _look_into_repository(folder: str, store: str, found: Walk, is_stopped: Callable[[], bool]) -> None:
    title = plain(os.path.basename(folder)[len(REPOSITORY) :].replace("--", "/", 1))
    place = Place(store, title, group_key(folder))
    found.entries(os.path.join(folder, "refs"), may_lack=True)
    revisions = found.entries(os.path.join(folder, "snapshots"), may_lack=True)
    current = _current_revision(folder)
    n_before = len(found.files)
    for revision in sorted(revisions, key=lambda entry: entry.name != current):
        if is_folder(revision):
            walk_folder(revision.path, found, is_stopped, lambda _: place, DEEPEST)
    inside = _Inside(folder, os.path.dirname(folder))
    found.files[n_before:] = [inside.checked(file) for file in found.files[n_before:]]
    for blob in found.entries(os.path.join(folder, "blobs"), may_lack=True):
        if blob.name.endswith(UNFINISHED):
            found.keep_unfinished(blob, place.words)


def _current_revision(folder: str) -> str:
    """The revision that `main` names; empty when it cannot be read."""
    path = os.path.join(folder, "refs", "main")
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(fd, LONGEST_REVISION).decode("ascii", "replace").strip()
    except OSError:
        return ""
    finally:
        os.close(fd)


class _Inside:
    """The real folders that the links of a store may lead into."""

    def __init__(self, *folders: str) -> None:
        self._starts = tuple(os.path.realpath(folder) + os.sep for folder in folders)

    def checked(self, file: FoundFile) -> FoundFile:
        """The file, or a problem in its place when its link leads out of the store."""
        if file.problem is not None or file.canonical.startswith(self._starts):
            return file
        return lost(file.path, "its link leads out of the store", file.place)


def _keep_flat(root: str, store: str, entries: Iterable[os.DirEntry[str]], found: Walk) -> None:
    """Files named `<org>_<repo>_<file>.gguf`. What belongs to one repository is told by its manifest."""
    repositories = dict(_manifests(entries))
    real_root = os.path.realpath(root)
    inside = _Inside(root)
    for entry in entries:
        name = entry.name
        if name.lower().endswith(".gguf") and not is_folder(entry):
            prefix = max((each for each in repositories if name.startswith(each)), key=len, default="")
            title = repositories.get(prefix, plain(name))
            place = Place(store, title, group_key(os.path.join(root, prefix or name)))
            file = inside.checked(look_at_entry(entry, real_root, place))
            found.files.append(replace(file, alias=plain(name[len(prefix) :]) if prefix else ""))
        elif ".gguf" in name.lower() and name.endswith(UNFINISHED):
            found.keep_unfinished(entry, f"{store} {plain(name)}")


def _manifests(entries: Iterable[os.DirEntry[str]]) -> Iterable[tuple[str, str]]:
    """What files begin with, and their repository, by the notes `manifest=<org>=<repo>=<tag>.json`."""
    for entry in entries:
        head, *rest = entry.name.split("=")
        if head == "manifest" and len(rest) == 3 and entry.name.endswith(".json"):
            org, repository, _ = rest
            yield f"{org}_{repository}_", plain(f"{org}/{repository}")
