"""Which files of a model may go: arithmetic over what was seen, without a look at the disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.core.removal import LONGEST_PATH, DoomedFile, RemovalPlan
from ggtui.core.stores import StoreKind
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

HUBS = (StoreKind.HUGGING_FACE, StoreKind.LLAMA_CPP)
NAMED = 3
"""Places that a sentence names before it counts the rest."""


@dataclass(frozen=True, slots=True)
class SeenRoot:
    """A place that is looked at."""

    path: str
    """Absolute, as it was named."""
    real: str
    """Without links."""
    store: StoreKind = StoreKind.FOLDER


@dataclass(frozen=True, slots=True)
class SeenName:
    """A name in a folder, and the file that it leads to."""

    path: str
    """Absolute, as it was found."""
    folder: str
    """Real path of the folder that holds the name."""
    stamp: tuple[int, ...]
    """Device, inode, size and time of the name itself."""
    target: SeenFile | None
    """None for a link that leads nowhere."""
    is_link: bool = False
    is_direct: bool = True
    """False for a link to a link."""
    is_writable: bool = True
    """False when nothing can be removed from the folder."""
    store: str = StoreKind.FOLDER
    title: str = ""
    """What its store calls it."""

    @property
    def entry(self) -> tuple[str, str]:
        """The same for two paths that lead to one name through linked folders."""
        return self.folder, os.path.basename(self.path)


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file at the end of all links."""

    path: str
    """Real path."""
    stamp: tuple[int, ...]
    """Device, inode, size and time."""
    n_names: int = 1
    """Hard links."""
    is_regular: bool = True
    is_writable: bool = True
    """False when nothing can be removed from its folder."""

    @property
    def key(self) -> tuple[int, ...]:
        """Device and inode."""
        return self.stamp[:2]


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that a plan depends on."""

    own: tuple[SeenName, ...]
    """The names that the model is launched by, all its shards."""
    all: tuple[SeenName, ...]
    """Every name anywhere that leads to one of its files."""
    roots: tuple[SeenRoot, ...]
    copies: tuple[str, ...] = ()
    """Places with a copy of its own content."""
    is_whole: bool = True
    """False when some places hold too much to be looked through."""


class _Refused(Exception):
    def __init__(self, words: str, hint: str = "") -> None:
        super().__init__(words)
        self.hint = hint


def removal_plan(model_id: int, public_id: str, seen: Seen) -> RemovalPlan:
    """What would go. Either every name of the model goes, or nothing does.

    A link always goes alone when anything else leads to its target, or the target is not of the same place.
    """
    files: list[DoomedFile] = []
    kept = [f"a copy stays: {place}" for place in seen.copies]
    try:
        _check_all(seen)
        for name in seen.own:
            _check_name(name, seen)
            if not name.is_link:
                files.append(_whole(name, seen))
                continue
            files.append(DoomedFile(name.path, 0, name.stamp, is_link=True))
            target = name.target
            if target is None:
                continue
            reason = _why_target_stays(name, target, seen)
            if reason:
                kept.append(f"{plain(target.path, LONGEST_PATH)} stays: {reason}")
            else:
                files.append(DoomedFile(target.path, target.stamp[2], target.stamp))
    except _Refused as refused:
        return RemovalPlan(model_id, public_id, refusal=str(refused), hint=refused.hint)
    ordered = (*(file for file in files if file.is_link), *(file for file in files if not file.is_link))
    return RemovalPlan(model_id, public_id, tuple(dict.fromkeys(ordered)), tuple(kept))


def _check_all(seen: Seen) -> None:
    if not seen.own:
        raise _Refused("its file has gone", "look for the models again")
    if not seen.is_whole:
        raise _Refused("the models folders hold too much to know what else leads to its files")
    for name in seen.own:
        owner = next((root for root in seen.roots if root.store in _OWNERS and _is_in(name, root)), None)
        if owner is not None:
            raise _Refused(f"its file belongs to {_OWNERS[owner.store]}", _owner_hint(owner.store, seen))


_OWNERS: dict[str, str] = {StoreKind.OLLAMA: "Ollama", StoreKind.LM_STUDIO: "LM Studio"}
"""Programs that keep books on what lies in their stores, so that removing is for them to do."""


def _is_in(name: SeenName, root: SeenRoot) -> bool:
    return _is_under(os.path.dirname(name.path), root.path) or _is_under(name.folder, root.real)


def _owner_hint(store: str, seen: Seen) -> str:
    if store == StoreKind.OLLAMA:
        names = dict.fromkeys(name.title for name in seen.all if name.store == store and name.title)
        return "; ".join(f"ollama rm {name}" for name in names) or "remove it with ollama rm"
    return "remove it in LM Studio, under My Models"


def _check_name(name: SeenName, seen: Seen) -> None:
    roots = _holding(name.path, seen.roots)
    if not any(_is_under(name.folder, root.real) for root in roots):
        raise _Refused(f"{_shown(name.folder)} lies outside of the models folders")
    if not name.is_writable:
        raise _Refused(f"nothing can be removed from {_shown(name.folder)}: no permission")


def _whole(name: SeenName, seen: Seen) -> DoomedFile:
    """A file that is no link: it goes only when nothing else would miss it."""
    target = name.target
    if target is None or not target.is_regular:
        raise _Refused(f"{_shown(name.path)} is no ordinary file")
    others = _others(name, target, seen)
    if others:
        raise _Refused(f"other places lead to it: {_listed(others)}", "remove those first")
    if target.n_names > 1:
        raise _Refused(
            f"{_shown(name.path)} has {target.n_names} names on its disk, so that removing one frees nothing",
            "remove it by hand",
        )
    return DoomedFile(name.path, target.stamp[2], target.stamp)


def _why_target_stays(name: SeenName, target: SeenFile, seen: Seen) -> str:
    """Why only the link goes; empty when its target may go too."""
    others = _others(name, target, seen)
    if others:
        return f"something else leads to it: {_listed(others)}"
    if target.n_names > 1:
        return f"it has {target.n_names} names on its disk"
    if not target.is_regular:
        return "it is no ordinary file"
    if not name.is_direct:
        return "it is reached by a link to a link"
    if not _is_same_place(name, target, seen.roots):
        return "it lies outside of the place that the link is in"
    return "" if target.is_writable else "nothing can be removed from its folder: no permission"


def _is_same_place(name: SeenName, target: SeenFile, roots: tuple[SeenRoot, ...]) -> bool:
    """True when the target belongs to the place of the link, and to no other."""
    folder = os.path.dirname(target.path)
    own = [root for root in _holding(name.path, roots) if _is_under(name.folder, root.real)]
    hub = next((root for root in own if root.store in HUBS), None)
    if hub is not None:
        return folder == os.path.join(_repository(name.folder, hub.real), "blobs")
    strangers = [root for root in roots if root not in own and _is_under(folder, root.real)]
    return not strangers and any(_is_under(folder, root.real) for root in own)


def _repository(folder: str, hub: str) -> str:
    """The repository of a hub's cache that a folder is in."""
    first = os.path.relpath(folder, hub).split(os.sep)[0]
    return os.path.join(hub, first)


def _others(name: SeenName, target: SeenFile, seen: Seen) -> list[str]:
    """Paths of further names that lead to the same file, those of other stores among them."""
    found = (
        each
        for each in (*seen.own, *seen.all)
        if each.target is not None and each.target.key == target.key and each.entry != name.entry
    )
    return list(dict.fromkeys(_shown(each.path) for each in found))


def _listed(paths: list[str]) -> str:
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return ", ".join(paths[:NAMED]) + more


def _holding(path: str, roots: Iterable[SeenRoot]) -> list[SeenRoot]:
    return [root for root in roots if _is_under(os.path.dirname(path), root.path)]


def _is_under(folder: str, root: str) -> bool:
    return folder == root or folder.startswith(root.rstrip(os.sep) + os.sep)


def _shown(path: str) -> str:
    return plain(path, LONGEST_PATH)
