"""Ollama's store: manifests that name blobs by their digest."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from ggtui.adapters.gguf.found import (
    UNFINISHED,
    FoundFile,
    Place,
    Walk,
    group_key,
    is_folder,
    look_at,
    lost,
    reason,
)
from ggtui.core.stores import StoreKind
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
LARGEST_MANIFEST = 1 << 20
LAYER_KINDS = {
    "application/vnd.ollama.image.model": "model",
    "application/vnd.ollama.image.projector": "mmproj",
    "application/vnd.ollama.image.adapter": "adapter",
}
"""What a layer is, by its media type; layers of other types are no weights."""
MOST_LAYERS = 256
USUAL_HOST, USUAL_SPACE = "registry.ollama.ai", "library"


class _Layer(msgspec.Struct, rename="camel"):
    media_type: str = ""
    digest: str = ""


class _Manifest(msgspec.Struct):
    layers: list[_Layer]


def look(root: str, found: Walk, is_stopped: Callable[[], bool]) -> None:
    """Every model, projector and adapter that a manifest names. Never raises for what it meets."""
    blobs = os.path.join(root, "blobs")
    inside = tuple(os.path.realpath(each) + os.sep for each in (root, blobs))
    for path, name in _manifests(root, found):
        if found.is_full or is_stopped():
            return
        try:
            manifest = _read(path)
        except (OSError, ValueError, RecursionError) as error:
            words = reason(error) if isinstance(error, OSError) else "no manifest"
            found.problems.append(f"{plain(path)}: {words}")
            continue
        place = Place(StoreKind.OLLAMA, name, group_key(path))
        found.files.extend(_files(manifest, blobs, inside, place))
    for blob in found.entries(blobs, may_lack=True):
        if blob.name.endswith(UNFINISHED):
            found.keep_unfinished(blob, str(StoreKind.OLLAMA))


def _manifests(root: str, found: Walk) -> Iterator[tuple[str, str]]:
    """Path and name of each: `manifests/<host>/<namespace>/<name>/<tag>`."""
    found.entries(root)
    folders: list[tuple[str, tuple[str, ...]]] = [(os.path.join(root, "manifests"), ())]
    for _ in range(3):
        folders = [
            (entry.path, (*names, entry.name))
            for folder, names in folders
            for entry in found.entries(folder, may_lack=True)
            if is_folder(entry)
        ]
    for folder, names in folders:
        # `latest` is most often a second name of something that has a better one.
        for entry in sorted(found.entries(folder), key=lambda entry: entry.name == "latest"):
            yield entry.path, _name(names, entry.name)


def _name(names: tuple[str, ...], tag: str) -> str:
    """As Ollama shows it, such as `llama3.2:1b`: without the parts that go without saying."""
    host, space, model = names
    if host != USUAL_HOST:
        return plain(f"{host}/{space}/{model}:{tag}")
    return plain(f"{model}:{tag}" if space == USUAL_SPACE else f"{space}/{model}:{tag}")


def _read(path: str) -> _Manifest:
    """Raises: OSError, ValueError, RecursionError."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_MANIFEST:
            raise ValueError("not a manifest")
        return msgspec.json.decode(os.read(fd, LARGEST_MANIFEST), type=_Manifest)
    finally:
        os.close(fd)


def _files(manifest: _Manifest, blobs: str, inside: tuple[str, ...], place: Place) -> Iterator[FoundFile]:
    for layer in manifest.layers[:MOST_LAYERS]:
        kind = LAYER_KINDS.get(layer.media_type)
        if kind is None:
            continue
        # Before it becomes a path: a digest may hold anything.
        digest = DIGEST.fullmatch(layer.digest)
        if digest is None:
            file = lost(
                os.path.join(blobs, group_key(layer.digest)), "its manifest names no sound digest", place
            )
        else:
            file = _inside(look_at(os.path.join(blobs, f"sha256-{digest[1]}"), place), inside)
        yield replace(file, alias=place.title, kind=kind)


def _inside(file: FoundFile, starts: tuple[str, ...]) -> FoundFile:
    if file.problem is not None or file.canonical.startswith(starts):
        return file
    return lost(file.path, "its link leads out of the store", file.place)
