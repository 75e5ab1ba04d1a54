"""Reads what the files of a model tell of it; whatever is wrong with them becomes one sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.facts import KIND_MODEL, ModelFacts, broken_facts, facts_of
from ggtui.adapters.gguf.header import read_header
from ggtui.core.errors import HeaderUnreadable
from ggtui.core.stores import StoreKind

if TYPE_CHECKING:
    from ggtui.adapters.gguf.found import FoundModel
    from ggtui.adapters.gguf.weights import PlaceSums


def read_facts(model: FoundModel) -> ModelFacts:
    """The facts of a model from the headers of all its files; a broken one is told in `problem`."""
    first = model.first
    facts = _of_headers(model)
    if facts.kind == KIND_MODEL and first.kind:
        facts = replace(facts, kind=first.kind)
    return replace(facts, name=first.alias) if first.place.store == StoreKind.OLLAMA else facts


def _of_headers(model: FoundModel) -> ModelFacts:
    name = model.first.name
    # Only the first shard tells of the model, so without it there is nothing to read.
    problem = model.first.problem or (_missing(model) if 1 in model.missing else None)
    if problem is not None:
        return broken_facts(name, problem)
    try:
        header = read_header(Path(model.first.path))
        facts = facts_of(header, name)
    except HeaderUnreadable as error:
        return broken_facts(name, error.message)
    return _with_shards(facts, model, header.tensors.places) if model.n_expected > 1 else facts


def _missing(model: FoundModel) -> str:
    numbers = ", ".join(str(number) for number in model.missing[:5])
    more = ", …" if len(model.missing) > 5 else ""
    return f"shard {numbers}{more} of {model.n_expected} is missing"


def _with_shards(facts: ModelFacts, model: FoundModel, places: PlaceSums) -> ModelFacts:
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
        places.merge(header.tensors.places)
        if header.needed_bytes > header.file_bytes:
            problem = problem or f"shard {number} of {model.n_expected} is an incomplete download"
    return replace(facts, n_params=n_params or None, weights=places.weights(), problem=problem)
