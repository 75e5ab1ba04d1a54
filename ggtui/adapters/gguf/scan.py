"""Looks through folders for GGUF files and puts shards together."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.facts import ModelFacts, broken_facts, facts_of
from ggtui.adapters.gguf.header import read_header
from ggtui.core.errors import HeaderUnreadable
from ggtui.core.naming import shard_of
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MOST_FILES = 20_000
MOST_FOLDERS = 50_000
DEEPEST = 16


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

    @property
    def name(self) -> str:
        """The file name as found."""
        return os.path.basename(self.path)


@dataclass(frozen=True, slots=True)
class FoundModel:
    """One model: a file, or its shards in order."""

    files: tuple[FoundFile, ...]
    n_expected: int = 1

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
    """What a walk through the folders has found."""

    files: dict[str, FoundFile] = field(default_factory=dict)
    """By canonical path, so that a file reached twice is found once."""
    problems: list[str] = field(default_factory=list)
    n_folders: int = 0
    is_full: bool = False


def walk(folders: Iterable[Path], is_stopped: Callable[[], bool] = lambda: False) -> Walk:
    """All `*.gguf` under the folders, at any depth, within bounds. Never raises for what it meets.

    Hidden entries are left out: caches keep their half-finished files there.
    """
    found = Walk()
    for folder in folders:
        _walk_one(os.path.abspath(folder), found, is_stopped)
    return found


def _walk_one(root: str, found: Walk, is_stopped: Callable[[], bool]) -> None:
    seen: set[tuple[int, int]] = set()
    waiting = [(root, 0)]
    while waiting and not found.is_full and not is_stopped():
        folder, depth = waiting.pop()
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            subfolders = _look_into(folder, found)
        except (OSError, ValueError) as error:
            found.problems.append(f"{plain(folder)}: {_reason(error)}")
            continue
        if depth < DEEPEST:
            waiting.extend((subfolder, depth + 1) for subfolder in reversed(subfolders))


def _look_into(folder: str, found: Walk) -> list[str]:
    subfolders = []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                subfolders.append(entry.path)
            elif entry.name.lower().endswith(".gguf"):
                _keep(found, entry.path)
    found.n_folders += 1
    if len(found.files) >= MOST_FILES or found.n_folders >= MOST_FOLDERS:
        found.is_full = True
        found.problems.append(f"{plain(folder)}: too many files or folders, the rest is left out")
    return subfolders


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _keep(found: Walk, path: str) -> None:
    file = look_at(path)
    found.files.setdefault(file.canonical, file)


def look_at(path: str) -> FoundFile:
    """The file at this path as it is now; a link that leads nowhere is a file with a problem."""
    try:
        status = os.stat(path)
    except OSError as error:
        return FoundFile(path, os.path.abspath(path), 0, 0, 0, 0, problem=_reason(error))
    canonical = os.path.realpath(path)
    return FoundFile(path, canonical, status.st_size, status.st_mtime_ns, status.st_dev, status.st_ino)


def _reason(error: OSError | ValueError) -> str:
    text = (error.strerror if isinstance(error, OSError) else None) or "cannot be read"
    return text[:1].lower() + text[1:]


def models_of(files: Iterable[FoundFile]) -> Iterator[FoundModel]:
    """Files as models: shards of one folder and one name come together, in their order."""
    shards: dict[tuple[str, str, int], dict[int, FoundFile]] = {}
    for file in files:
        shard = shard_of(file.name)
        if shard is None:
            yield FoundModel((file,))
        else:
            place = (os.path.dirname(file.path), shard.base, shard.count)
            shards.setdefault(place, {})[shard.number] = file
    for (_, _, count), by_number in shards.items():
        yield FoundModel(tuple(by_number[number] for number in sorted(by_number)), count)


def read_facts(model: FoundModel) -> ModelFacts:
    """The facts of a model from the headers of all its files; a broken one is told in `problem`."""
    name = model.first.name
    # Only the first shard tells of the model, so without it there is nothing to read.
    problem = model.first.problem or (_missing(model) if 1 in model.missing else None)
    if problem is not None:
        return broken_facts(name, problem)
    try:
        facts = facts_of(read_header(Path(model.first.path)), name)
    except HeaderUnreadable as error:
        return broken_facts(name, error.message)
    return _with_shards(facts, model) if model.n_expected > 1 else facts


def _missing(model: FoundModel) -> str:
    numbers = ", ".join(str(number) for number in model.missing[:5])
    more = ", …" if len(model.missing) > 5 else ""
    return f"shard {numbers}{more} of {model.n_expected} is missing"


def _with_shards(facts: ModelFacts, model: FoundModel) -> ModelFacts:
    if model.missing:
        return replace(facts, problem=_missing(model))
    n_params = facts.n_params or 0
    problem = facts.problem
    for number, file in enumerate(model.files[1:], start=2):
        try:
            header = read_header(Path(file.path))
        except HeaderUnreadable as error:
            return replace(facts, problem=f"shard {number} of {model.n_expected}: {error.message}")
        n_params += header.tensors.n_elements
        if header.needed_bytes > header.file_bytes:
            problem = problem or f"shard {number} of {model.n_expected} is an incomplete download"
    return replace(facts, n_params=n_params or None, problem=problem)
