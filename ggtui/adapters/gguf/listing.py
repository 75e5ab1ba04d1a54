"""From stored rows to what is listed: copies come together, projectors find their models."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.facts import KIND_MODEL
from ggtui.adapters.gguf.kinship import is_one_family, is_related
from ggtui.core.models import AdapterSummary, ModelSummary
from ggtui.core.stores import StoreKind
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ggtui.adapters.gguf.found import Place
    from ggtui.adapters.gguf.store import StoredModel

OWN_VARIANTS = frozenset(
    ["gemma3", "gpt-oss", "gptoss", "lfm2", "mistral3", "mllama", "qwen25vl", "qwen35", "qwen35moe"]
)
"""Architectures of which Ollama writes files of its own, which llama.cpp may not take."""


@dataclass(slots=True)
class Entry:
    """One model as it is listed, with every row that is the same model."""

    row: StoredModel
    """The one known longest: its ids stay when a copy comes or goes."""
    places: list[Place] = field(default_factory=list)
    waste_bytes: int = 0
    copies: list[str] = field(default_factory=list)
    """Public ids of copies that are listed for themselves."""
    projectors: list[Entry] = field(default_factory=list)
    """Those that may belong to it."""

    @property
    def stores(self) -> set[str]:
        """The stores that have it."""
        return {place.store for place in self.places}

    @property
    def groups(self) -> set[str]:
        """Keys of everything it belongs to."""
        return {place.group for place in self.places if place.group}

    @property
    def words(self) -> tuple[str, ...]:
        """Its places, each once."""
        return tuple(dict.fromkeys(place.words for place in self.places))

    @property
    def projector(self) -> Entry | None:
        """The one that is launched with it; None when a person has to choose."""
        return self.projectors[0] if len(self.projectors) == 1 else None


def entries(rows: Iterable[StoredModel]) -> list[Entry]:
    """The models, each with the projectors that may be its own."""
    known = list(rows)
    models = _together(row for row in known if row.facts.kind == KIND_MODEL)
    projectors = _together(row for row in known if row.facts.kind == "mmproj" and row.facts.problem is None)
    for projector in projectors:
        beside = [model for model in models if projector.groups & model.groups]
        for model in its_models(projector, beside):
            model.projectors.append(projector)
    return models


def _together(rows: Iterable[StoredModel]) -> list[Entry]:
    """One entry per file, and per content where copies lie in different stores.

    Copies within one store stay apart: whoever keeps two names there wants two.
    """
    found: list[Entry] = []
    by_file: dict[tuple[int, ...], Entry] = {}
    by_content: dict[tuple[int, str], list[Entry]] = {}
    for row in sorted(rows, key=lambda row: row.id):
        entry = by_file.get(row.file_id) if all(row.file_id) else None
        if entry is None:
            alike = by_content.setdefault((row.size_bytes, row.digest), []) if row.digest else []
            if alike:
                alike[0].waste_bytes += row.size_bytes
            stores = {place.store for place in row.places}
            entry = next((each for each in alike if not stores & each.stores), None)
            if entry is None:
                if alike:
                    alike[0].copies.append(row.public_id)
                entry = Entry(row)
                found.append(entry)
                alike.append(entry)
            by_file[row.file_id] = entry
        entry.places.extend(row.places)
    return found


def its_models(projector: Entry, beside: Sequence[Entry]) -> list[Entry]:
    """The models among these that a projector may belong to: launched with a strange one, a model fails.

    beside: the models of its folder or repository. A folder that holds models of one family holds their
    projector; among others the name has to tell.
    """
    given = projector.row.facts.projection_dim
    fitting = [
        model
        for model in beside
        if given is None or model.row.facts.n_embd is None or given == model.row.facts.n_embd
    ]
    if is_one_family(_names(model) for model in beside):
        return fitting
    own = _names(projector)
    return [model for model in fitting if is_related(own, _names(model))]


def _names(entry: Entry) -> tuple[str, ...]:
    """What a file calls itself, and what it is called."""
    return entry.row.facts.name, os.path.basename(entry.row.path)


def summary(entry: Entry, overhead_bytes: int | None = None) -> ModelSummary:
    """What everybody may see of a model. overhead_bytes: what the driver took in the newest load here."""
    row, facts = entry.row, entry.row.facts
    return ModelSummary(
        id=row.id,
        public_id=row.public_id,
        measured=row.measured,
        overhead_bytes=overhead_bytes,
        name=row.labels.name or facts.name,
        given_name=row.labels.name,
        tags=row.labels.tags,
        is_favourite=row.labels.is_favourite,
        architecture=facts.architecture,
        size_bytes=row.size_bytes,
        quantisation=facts.quantisation,
        n_params=facts.n_params,
        n_ctx_train=facts.n_ctx_train,
        n_ctx_chosen=row.n_ctx,
        loaded_at=row.loaded_at,
        capabilities=facts.capabilities,
        shape=facts.shape,
        weights=facts.weights,
        problem=facts.problem,
        warning=_warning(entry),
        store=entry.places[0].store if entry.places else "",
        places=entry.words,
        waste_bytes=entry.waste_bytes,
        copies=tuple(entry.copies),
        projector=_file_name(entry.projector) if entry.projector else "",
        projector_bytes=entry.projector.row.size_bytes if entry.projector else 0,
        projector_candidates=tuple(map(_file_name, entry.projectors)) if entry.projector is None else (),
    )


def _file_name(entry: Entry) -> str:
    if any(place.store == StoreKind.OLLAMA for place in entry.places[:1]):
        return entry.row.facts.name
    return plain(os.path.basename(entry.row.path))


def _warning(entry: Entry) -> str | None:
    architecture = entry.row.facts.architecture
    if entry.stores != {StoreKind.OLLAMA} or architecture not in OWN_VARIANTS:
        return None
    return f"llama.cpp may not load it: Ollama has a variant of {architecture} of its own"


def adapters(rows: Iterable[StoredModel]) -> tuple[AdapterSummary, ...]:
    """The LoRA adapters, ordered by name."""
    found = _together(row for row in rows if row.facts.kind == "adapter")
    return tuple(sorted(map(_adapter, found), key=lambda each: (each.name, str(each.path))))


def _adapter(entry: Entry) -> AdapterSummary:
    row, facts = entry.row, entry.row.facts
    # Ollama keeps an adapter under the name of the model that it was made with.
    told = tuple(place.title for place in entry.places if place.store == StoreKind.OLLAMA)
    return AdapterSummary(
        name=facts.name,
        architecture=facts.architecture,
        size_bytes=row.size_bytes,
        path=Path(row.path),
        base_hints=tuple(dict.fromkeys((*facts.base_names, *told))),
        places=entry.words,
        problem=facts.problem,
        tensor_bytes=facts.tensor_bytes,
    )
