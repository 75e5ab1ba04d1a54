"""What a look at the disk finds: files with their places, and the models that they make up."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ggtui.core.naming import shard_of
from ggtui.core.stores import StoreKind
from ggtui.core.text import plain
from ggtui.core.units import gib

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_FILES = 20_000
MOST_FOLDERS = 50_000
SETTLED_NS = 2_000_000_000
"""A folder that changed so recently may change again within one tick of its file system's clock."""
UNFINISHED = (".incomplete", ".part", ".partial", ".downloadInProgress", ".crdownload", "-partial")
"""Endings that programs give to a file while they download it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file lies, in the words of its store."""

    store: str = StoreKind.FOLDER
    title: str = ""
    """A folder, a repository, or a name with its tag; plain text."""
    group: str = ""
    """Files with the same key belong together, such as a model and its projector."""

    @property
    def words(self) -> str:
        """The place as one line."""
        return f"{self.store} {self.title}".rstrip()


def group_key(path: str) -> str:
    """The key of a group that is told by a path; names that are no text have one too."""
    return hashlib.blake2s(os.fsencode(path), digest_size=10).hexdigest()


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A GGUF file as the folder shows it, followed through links."""

    path: str
    """Absolute, as found: the engine looks for further shards beside this name."""
    canonical: str
    size_bytes: int
    mtime_ns: int
    device: int
    inode: int
    problem: str | None = None
    """Why it is no file to read."""
    place: Place = Place()
    alias: str = ""
    """Its name, where the file's own says nothing; plain text."""
    kind: str = ""
    """What its store says it is; empty leaves that to the header."""

    @property
    def name(self) -> str:
        """What it is called: the alias, else the file name as found."""
        return self.alias or os.path.basename(self.path)


@dataclass(frozen=True, slots=True)
class FoundModel:
    """One model: a file, or its shards in order."""

    files: tuple[FoundFile, ...]
    n_expected: int = 1
    places: tuple[Place, ...] = ()
    """Every place it was found in; the first file's own comes first."""

    @property
    def first(self) -> FoundFile:
        """The file that the engine is given."""
        return self.files[0]

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(file.size_bytes for file in self.files)

    @property
    def mtime_ns(self) -> int:
        """Of the file that changed last."""
        return max(file.mtime_ns for file in self.files)

    @property
    def missing(self) -> tuple[int, ...]:
        """Numbers of the shards that are not there."""
        present = {shard.number for file in self.files if (shard := shard_of(file.name))}
        return tuple(n for n in range(1, self.n_expected + 1) if n not in present) if present else ()


@dataclass(slots=True)
class Walk:
    """What a walk through one or several places has found so far."""

    files: list[FoundFile] = field(default_factory=list)
    """As often as they were seen."""
    problems: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    watched: dict[str, int] = field(default_factory=dict)
    """By folder that was visited, its stamp before it was read."""
    n_folders: int = 0
    is_full: bool = False
    is_absent: bool = False
    """True when the place does not exist."""

    def entries(self, folder: str, *, may_lack: bool = False) -> list[os.DirEntry[str]]:
        """Visible entries by name. A folder that cannot be read is told, not raised.

        Hidden ones are left out: caches keep notes and half-finished files there.
        may_lack: that it does not exist is no problem.
        """
        self.watched[folder] = folder_stamp(folder)
        try:
            with os.scandir(folder) as entries:
                visible = [entry for entry in entries if not entry.name.startswith(".")]
        except (OSError, ValueError) as error:
            if not (may_lack and isinstance(error, FileNotFoundError)):
                self.problems.append(f"{plain(folder)}: {reason(error)}")
            return []
        self.n_folders += 1
        self.check_bounds(folder)
        return sorted(visible, key=lambda entry: entry.name)

    def check_bounds(self, folder: str) -> None:
        """End the walk when it has found too much."""
        if not self.is_full and (len(self.files) >= MOST_FILES or self.n_folders >= MOST_FOLDERS):
            self.is_full = True
            self.problems.append(f"{plain(folder)}: too many files or folders, the rest is left out")

    def keep_unfinished(self, entry: os.DirEntry[str], where: str) -> None:
        """Tell of a download that has not ended."""
        try:
            size_bytes = entry.stat().st_size
        except OSError:
            return
        self.unfinished.append(f"{where}: a download has not ended, {gib(size_bytes)} so far")

    @property
    def n_files(self) -> int:
        """Different files."""
        return len({file.canonical for file in self.files})


def folder_stamp(folder: str) -> int:
    """What changes when an entry comes or goes, or a right is given: ns; -1 while that cannot be trusted.

    0 for a folder that cannot be seen.
    """
    try:
        changed_ns = os.stat(folder).st_ctime_ns
    except (OSError, ValueError):
        return 0
    return -1 if abs(time.time_ns() - changed_ns) < SETTLED_NS else changed_ns


def is_folder(entry: os.DirEntry[str]) -> bool:
    """True for a folder or a link to one."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def look_at(path: str, place: Place = Place()) -> FoundFile:  # frozen
    """The file at this path as it is now; a link that leads nowhere is a file with a problem."""
    try:
        status = os.stat(path)
        canonical = os.path.realpath(path)
    except (OSError, ValueError) as error:
        return lost(path, reason(error), place)
    return _file(path, canonical, status, place)


def look_at_entry(entry: os.DirEntry[str], real_folder: str, place: Place) -> FoundFile:
    """The same for an entry of a folder whose real path is known, which saves most of the time."""
    try:
        if entry.is_symlink():
            return look_at(entry.path, place)
        return _file(entry.path, os.path.join(real_folder, entry.name), entry.stat(), place)
    except OSError as error:
        return lost(entry.path, reason(error), place)


def _file(path: str, canonical: str, status: os.stat_result, place: Place) -> FoundFile:
    stamp = (status.st_size, status.st_mtime_ns, status.st_dev, status.st_ino)
    return FoundFile(path, canonical, *stamp, place=place)


def lost(path: str, problem: str, place: Place) -> FoundFile:
    """A file that is not to be read."""
    return FoundFile(path, os.path.abspath(path), 0, 0, 0, 0, problem, place)


def reason(error: OSError | ValueError) -> str:
    """Why a path cannot be read, in words."""
    text = (error.strerror if isinstance(error, OSError) else None) or "cannot be read"
    return text[:1].lower() + text[1:]


def models_of(files: Iterable[FoundFile]) -> Iterator[FoundModel]:
    """Files as models: shards of one folder and one name come together, in their order."""
    shards: dict[tuple[str, str, int], dict[int, FoundFile]] = {}
    for file in files:
        shard = shard_of(file.name)
        if shard is None:
            yield FoundModel((file,), places=(file.place,))
        else:
            place = (os.path.dirname(file.path), shard.base, shard.count)
            shards.setdefault(place, {})[shard.number] = file
    for (_, _, count), by_number in shards.items():
        ordered = tuple(by_number[number] for number in sorted(by_number))
        yield FoundModel(ordered, count, (ordered[0].place,))


def merged(models: Iterable[FoundModel]) -> list[FoundModel]:
    """Each file once, with all its places, under the name it was found by first.

    Of two sets of shards that begin with the same file, the more complete one is launched.
    """
    by_file: dict[str, FoundModel] = {}
    for model in models:
        key = model.first.canonical
        known = by_file.get(key)
        if known is None:
            by_file[key] = model
            continue
        places = tuple(dict.fromkeys((*known.places, *model.places)))
        better = model if len(model.missing) < len(known.missing) else known
        by_file[key] = replace(better, places=places)
    return list(by_file.values())
