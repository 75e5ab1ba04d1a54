"""Takes a model's files off the disk: sees what leads to them, and looks again right before each goes."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.found import reason
from ggtui.adapters.gguf.removal import HUBS, Seen, SeenFile, SeenName, SeenRoot, removal_plan
from ggtui.adapters.gguf.stores.hub import REPOSITORY
from ggtui.core.errors import RemovalRefused
from ggtui.core.naming import shard_names
from ggtui.core.removal import LONGEST_PATH
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ggtui.adapters.gguf.found import FoundFile, Place
    from ggtui.adapters.gguf.listing import Entry
    from ggtui.adapters.gguf.roots import Root
    from ggtui.core.removal import DoomedFile, RemovalPlan

CHANGED = "its files are not what they were when this was shown"
LOOK_AGAIN = "look at it again"


def plan_of(entry: Entry, roots: Sequence[Root]) -> RemovalPlan:
    """What removing this model would do now. Walks through all places, which may take a second."""
    row = entry.row
    return removal_plan(row.id, row.public_id, _seen(row.path, _copies(entry), roots))


def remove(plan: RemovalPlan) -> None:
    """Remove the files of a plan that was made a moment ago.

    Raises: RemovalRefused, which tells how many had gone before.
    """
    if plan.refusal:
        raise RemovalRefused(plan.refusal, hint=plan.hint)
    for n_gone, file in enumerate(plan.files):
        try:
            _unlink(file)
        except (OSError, ValueError) as error:
            before = f"; {n_gone} of {len(plan.files)} files had gone before" if n_gone else ""
            path = plain(file.path, LONGEST_PATH)
            raise RemovalRefused(f"{path}: {reason(error)}{before}", hint=LOOK_AGAIN) from error


def _unlink(file: DoomedFile) -> None:
    """Remove one name, by its folder: nothing that happens to the path meanwhile leads elsewhere."""
    folder, base = os.path.split(file.path)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        now = os.stat(base, dir_fd=descriptor, follow_symlinks=False)
        if _stamp(now) != file.stamp:
            raise ValueError(CHANGED)
        os.unlink(base, dir_fd=descriptor)
    finally:
        os.close(descriptor)


def _copies(entry: Entry) -> tuple[str, ...]:
    own: tuple[Place, ...] = entry.row.places
    elsewhere = (place.words for place in entry.places if place not in own)
    return tuple(dict.fromkeys((*elsewhere, *entry.copies)))


def _seen(path: str, copies: tuple[str, ...], roots: Sequence[Root]) -> Seen:
    folder, first = os.path.split(path)
    own = tuple(_names(os.path.join(folder, name) for name in shard_names(first)))
    wanted = {name.target.key for name in own if name.target is not None}
    walks = [root.walk() for root in roots]
    files = [file for walk in walks for file in walk.files if (file.device, file.inode) in wanted]
    found = [named for file in files if (named := _name(file.path, file)) is not None]
    found += _names(path for name in own for path in _hub_links(name, roots))
    return Seen(
        own=own,
        all=tuple(name for name in found if name.target is not None and name.target.key in wanted),
        roots=tuple(SeenRoot(root.path, os.path.realpath(root.path), root.store) for root in roots),
        copies=copies,
        is_whole=not any(walk.is_full for walk in walks),
    )


def _names(paths: Iterable[str]) -> Iterator[SeenName]:
    return (name for path in paths if (name := _name(path)) is not None)


def _name(path: str, found: FoundFile | None = None) -> SeenName | None:
    """What lies there now; None when nothing does."""
    try:
        status = os.lstat(path)
        folder = os.path.realpath(os.path.dirname(path))
        is_link = stat.S_ISLNK(status.st_mode)
        is_direct = not is_link or not os.path.islink(os.path.join(folder, os.readlink(path)))
    except (OSError, ValueError):
        return None
    return SeenName(
        path,
        folder,
        _stamp(status),
        _file(path),
        is_link=is_link,
        is_direct=is_direct,
        is_writable=os.access(folder, os.W_OK | os.X_OK),
        store=found.place.store if found else "",
        title=found.place.title if found else "",
    )


def _file(path: str) -> SeenFile | None:
    try:
        status = os.stat(path)
        real = os.path.realpath(path)
    except (OSError, ValueError):
        return None
    return SeenFile(
        real,
        _stamp(status),
        status.st_nlink,
        is_regular=stat.S_ISREG(status.st_mode),
        is_writable=os.access(os.path.dirname(real), os.W_OK | os.X_OK),
    )


def _hub_links(name: SeenName, roots: Sequence[Root]) -> Iterator[str]:
    """Every name in all revisions of the repository that a hub's file is of, whatever it ends with."""
    for root in roots:
        real = os.path.realpath(root.path)
        if root.store not in HUBS or not name.folder.startswith(real + os.sep):
            continue
        repository = os.path.relpath(name.folder, real).split(os.sep)[0]
        if repository.startswith(REPOSITORY):
            for folder, _, files in os.walk(os.path.join(real, repository, "snapshots")):
                yield from (os.path.join(folder, file) for file in files)


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
