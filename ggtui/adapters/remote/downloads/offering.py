"""What a repository offers: its files as models, each with all shards and the projector that it needs."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.adapters.remote.downloads.names import check_path
from ggtui.core.downloads.jobs import FilePart
from ggtui.core.errors import RemoteRefused
from ggtui.core.naming import model_stem, quantisation, shard_of
from ggtui.core.ports.downloads import Offer
from ggtui.core.text import listed, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ggtui.adapters.remote.downloads.names import Wanted
    from ggtui.adapters.remote.hub import HubFile

_PRECISIONS = ("F16", "BF16", "Q8_0", "F32")
"""Of projectors, the best first: half precision is what the engine computes in."""
_WORD = re.compile(r"[a-z0-9]+")
MOST_TOLD = 12


@dataclass(frozen=True, slots=True)
class Group:
    """A whole model: a file, or all its shards in order."""

    files: tuple[FilePart, ...]

    @property
    def path(self) -> str:
        """Of the file that the engine is given."""
        return self.files[0].path

    @property
    def label(self) -> str:
        """The quantisation by its name; empty when that does not tell."""
        return quantisation(_name(self.path))


def offers_of(repository: str, commit: str, files: Iterable[HubFile]) -> tuple[Offer, ...]:
    """The offers, the smallest first. Files with names that lead elsewhere are none, nor are cut models."""
    parts = [FilePart(file.path, file.size_bytes, file.sha256) for file in files if _is_sound(file.path)]
    groups = list(_groups(part for part in parts if not _belongs_to_another(part.path)))
    projectors = [part for part in parts if "mmproj" in _name(part.path).lower()]
    counts = Counter(group.label.upper() for group in groups)
    offers = [
        Offer(
            _model(repository, group, counts[group.label.upper()] == 1),
            plain(group.label, 32),
            commit,
            (*group.files, *_projector_of(group, projectors)),
        )
        for group in groups
    ]
    return tuple(sorted(offers, key=lambda each: (each.size_bytes, each.model)))


def _model(repository: str, group: Group, is_only: bool) -> str:
    return f"{repository}:{group.label}" if group.label and is_only else f"{repository}/{group.path}"


def offer_meant(wanted: Wanted, offers: Sequence[Offer], files: Iterable[HubFile]) -> Offer:
    """The one that a person means. Raises: RemoteRefused, with what there is."""
    if not offers:
        raise RemoteRefused(f"{wanted.repository} has no GGUF model")
    if wanted.path:
        is_model = not _belongs_to_another(wanted.path)
        found = [each for each in offers if is_model and wanted.path in (file.path for file in each.files)]
        return found[0] if len(found) == 1 else _single(wanted, offers, files)
    return _one(wanted, _of_quant(wanted.quant, offers) if wanted.quant else offers, offers)


def _single(wanted: Wanted, offers: Sequence[Offer], files: Iterable[HubFile]) -> Offer:
    """A projector, or another file that is no model by itself."""
    for file in files:
        if file.path == wanted.path and shard_of(_name(file.path)) is None:
            part = FilePart(file.path, file.size_bytes, file.sha256)
            label = plain(quantisation(_name(file.path)), 32)
            return Offer(f"{wanted.repository}/{file.path}", label, offers[0].commit, (part,))
    return _one(wanted, (), offers)


def _of_quant(quant: str, offers: Sequence[Offer]) -> list[Offer]:
    """Those of this quantisation; `Q4_K_XL` means `UD-Q4_K_XL` where there is no other."""
    labels = [(each.label.upper(), each) for each in offers]
    exact = [each for label, each in labels if label == quant.upper()]
    return exact or [each for label, each in labels if label.removeprefix("UD-") == quant.upper()]


def _one(wanted: Wanted, found: Sequence[Offer], offers: Sequence[Offer]) -> Offer:
    if len(found) == 1:
        return found[0]
    names = [plain(each.model, 160) for each in found or offers]
    there_is = f"there is {listed(names, MOST_TOLD)}"
    if found:
        what = f"{wanted.repository} has {len(found)} models that this may mean"
        raise RemoteRefused(f"{what}: {listed(names, MOST_TOLD)}", hint="name one of them")
    raise RemoteRefused(f"{wanted.repository} has no {plain(wanted.quant or wanted.path, 80)}", hint=there_is)


def _groups(parts: Iterable[FilePart]) -> Iterator[Group]:
    """Whole files, and shards that are all there."""
    shards: defaultdict[tuple[str, str, int], dict[int, FilePart]] = defaultdict(dict)
    for part in parts:
        shard = shard_of(_name(part.path))
        if shard is None:
            yield Group((part,))
        else:
            shards[_folder(part.path), shard.base, shard.count][shard.number] = part
    for (_, _, count), by_number in shards.items():
        if len(by_number) == count:
            yield Group(tuple(by_number[number] for number in sorted(by_number)))


def _projector_of(group: Group, projectors: Sequence[FilePart]) -> tuple[FilePart, ...]:
    """The projector for this model: of its folder or above it, of its name, then of the best precision."""
    folder = _folder(group.path)
    near = [each for each in projectors if folder == _folder(each.path)] or [
        each for each in projectors if folder.startswith(_folder(each.path))
    ]
    words = set(_WORD.findall(model_stem(_name(group.path)).lower()))

    def worth(part: FilePart) -> tuple[int, int, str]:
        label = quantisation(_name(part.path))
        others = set(_WORD.findall(model_stem(_name(part.path)).lower())) - set(_WORD.findall(label.lower()))
        rank = _PRECISIONS.index(label) if label in _PRECISIONS else len(_PRECISIONS)
        return -len(others & words), rank, part.path

    return tuple(sorted(near, key=worth)[:1])


def _belongs_to_another(path: str) -> bool:
    name = _name(path).lower()
    return "mmproj" in name or "imatrix" in name


def _is_sound(path: str) -> bool:
    try:
        check_path(path)
    except RemoteRefused:
        return False
    return True


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _folder(path: str) -> str:
    """With its slash; empty for the repository itself."""
    return path[: path.rfind("/") + 1]
