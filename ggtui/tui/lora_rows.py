"""The adapters of a model and the LoRA files that it could take, as rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ggtui.core.names_json import LONGEST_PATH
from ggtui.core.routing.endpoints import EndpointStatus
from ggtui.core.text import plain
from ggtui.tui.lora_files import Match, ordered, why_not

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ggtui.core.models import AdapterSummary
    from ggtui.core.routing.endpoints import ModelEndpoint
    from ggtui.core.snapshot import EngineSnapshot, ModelStatus
    from ggtui.tui.weights import Weights


class Kind(StrEnum):
    """What a row is about."""

    HEADING = "heading"
    NOTE = "note"
    """Words in place of rows."""
    ADAPTER = "adapter"
    """It is attached."""
    STACK = "stack"
    FILE = "file"
    """It was found, and is not attached."""
    TYPED = "typed"
    """A file whose path is typed."""


SECTIONS: dict[Match, str] = {
    Match.MADE_FOR: "found, made for this model",
    Match.SAME_KIND: "found, for the same architecture",
    Match.UNKNOWN: "found, the architecture is not told",
    Match.OTHER: "found, for other architectures",
    Match.BROKEN: "found, cannot be used",
}


@dataclass(frozen=True, slots=True)
class LoraRow:
    """One line of the screen."""

    kind: Kind
    name: str
    """Of the adapter, the stack or the file; of a heading and a note, its words."""
    endpoint: ModelEndpoint | None = None
    """What clients ask for, of what is attached."""
    weight: float | None = None
    """As models.toml says; as it is now while that has not been read."""
    live: float | None = None
    """What is applied now; None when nobody has a server that carries it, or changed it."""
    size_bytes: int | None = None
    """Of its tensors, else of the file."""
    file: str = ""
    """Path, plain text."""
    made_for: str = ""
    """Models or architecture, as the file tells."""
    found: AdapterSummary | None = None
    why: str = ""
    """Why it cannot be used, one sentence; empty when it can."""

    @property
    def key(self) -> str:
        """Which row it is."""
        return key_of(self.kind, self.name, self.file if self.kind is Kind.FILE else "")

    @property
    def is_heading(self) -> bool:
        """The cursor passes over words."""
        return self.kind in (Kind.HEADING, Kind.NOTE)


def key_of(kind: Kind, name: str, file: str = "") -> str:
    """The key of a row. file: of a file that was found; names of those may be equal."""
    return f"{kind} {name} {file}"


def lora_rows(
    snapshot: EngineSnapshot, model: ModelStatus, weights: Weights, kept: Mapping[str, float], words: str = ""
) -> tuple[LoraRow, ...]:
    """What is attached, the stacks, then the files, the likely ones first; of all those that hold the words.

    kept: weights by adapter, as models.toml says; empty while that has not been read.
    """
    wanted = words.lower().split()
    attached = [row for row in _attached(snapshot, model, weights, kept) if _holds(row, wanted)]
    stacks = [row for row in attached if row.kind is Kind.STACK]
    singles = [row for row in attached if row.kind is Kind.ADAPTER]
    rows = [_heading(f"attached to {model.summary.public_id}"), *singles]
    if not singles:
        rows.append(LoraRow(Kind.NOTE, "none" if wanted else "none: enter on a file below attaches it"))
    if stacks:
        rows += [_heading("stacks, as models.toml has them"), *stacks]
    rows += _sections(row for row in _files(snapshot, model) if _holds(row[1], wanted))
    if not snapshot.catalog.adapters:
        rows += [_heading("found"), LoraRow(Kind.NOTE, "no LoRA file is in the model folders")]
    return (*rows, LoraRow(Kind.TYPED, "another file: type its path"))


def _heading(words: str) -> LoraRow:
    return LoraRow(Kind.HEADING, words)


def _holds(row: LoraRow, wanted: Iterable[str]) -> bool:
    text = " ".join((row.name, row.file, row.made_for)).lower()
    return all(word in text for word in wanted)


def _attached(
    snapshot: EngineSnapshot, model: ModelStatus, weights: Weights, kept: Mapping[str, float]
) -> list[LoraRow]:
    public_id = model.summary.public_id
    files = model.options.adapters if model.options is not None else ()
    places = {each.name: place for place, each in enumerate(files)}
    carried = {
        each.name for target in snapshot.targets if target.public_id == public_id for each in target.adapters
    }
    rows = []
    for endpoint in snapshot.endpoints:
        if endpoint.base_model != public_id or endpoint.adapter is None:
            continue
        if [each.name for each in endpoint.stack.adapters] != [endpoint.adapter]:
            rows.append(LoraRow(Kind.STACK, endpoint.adapter, endpoint, why=_why(endpoint)))
            continue
        row = _adapter(endpoint, weights, kept, is_carried=endpoint.adapter in carried)
        if endpoint.adapter in places:
            file = files[places[endpoint.adapter]]
            row = replace(row, file=plain(str(file.path), LONGEST_PATH), size_bytes=file.loaded_bytes)
        rows.append(row)
    return sorted(rows, key=lambda row: (places.get(row.name, len(places)), row.name))


def _adapter(
    endpoint: ModelEndpoint, weights: Weights, kept: Mapping[str, float], *, is_carried: bool
) -> LoraRow:
    name = endpoint.adapter or ""
    now = weights.of(endpoint.base_model, name, endpoint.stack.adapters[0].weight)
    weight = kept.get(name, now)
    live = now if is_carried or weight != now else None
    return LoraRow(Kind.ADAPTER, name, endpoint, weight, live, why=_why(endpoint))


def _why(endpoint: ModelEndpoint) -> str:
    if endpoint.status is EndpointStatus.DISABLED:
        return "it is switched off; N and then space switches it on"
    return endpoint.why.removeprefix(f"adapter {endpoint.adapter}: ")


def _files(snapshot: EngineSnapshot, model: ModelStatus) -> Iterator[tuple[Match, LoraRow]]:
    """The files that are not attached."""
    carried = {each.path for each in model.options.adapters} if model.options is not None else set()
    free = (file for file in snapshot.catalog.adapters if file.path not in carried)
    for how, file in ordered(free, model.summary):
        yield (
            how,
            LoraRow(
                Kind.FILE,
                file.name,
                size_bytes=file.tensor_bytes or file.size_bytes,
                file=plain(str(file.path), LONGEST_PATH),
                made_for=", ".join(file.base_hints) or file.architecture,
                found=file,
                why=why_not(file, model.summary),
            ),
        )


def _sections(files: Iterable[tuple[Match, LoraRow]]) -> list[LoraRow]:
    rows: list[LoraRow] = []
    last: Match | None = None
    for how, row in files:
        if how is not last:
            rows.append(_heading(SECTIONS[how]))
            last = how
        rows.append(row)
    return rows
