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
    from collections.abc import Callable

    from ggtui.adapters.gguf.found import FoundModel
    from ggtui.adapters.gguf.header import Header
    from ggtui.adapters.gguf.weights import PlaceSums


def _on_this_disk(path: str) -> Header:
    return read_header(Path(path))


def read_facts(model: FoundModel, header_of: Callable[[str], Header] = _on_this_disk) -> ModelFacts:
    """The facts of a model from the headers of all its files; a broken one is told in `problem`.

    header_of: reads the header of the file at this path, wherever that is, or raises HeaderUnreadable.
    """
    first = model.first
    facts = _of_headers(model, header_of)
    if facts.kind == KIND_MODEL and first.kind:
        facts = replace(facts, kind=first.kind)
    return replace(facts, name=first.alias) if first.place.store == StoreKind.OLLAMA else facts


def _of_headers(model: FoundModel, header_of: Callable[[str], Header]) -> ModelFacts:
    name = model.first.name
    # Only the first shard tells of the model, so without it there is nothing to read.
    problem = model.first.problem or (_missing(model) if 1 in model.missing else None)
    if problem is not None:
        return broken_facts(name, problem)
    try:
        header = header_of(model.first.path)
        facts = facts_of(header, name)
    except HeaderUnreadable as error:
        return broken_facts(name, error.message)
    return _with_shards(facts, model, header.tensors.places, header_of) if model.n_expected > 1 else facts


def _missing(model: FoundModel) -> str:
    numbers = ", ".join(str(number) for number in model.missing[:5])
    more = ", …" if len(model.missing) > 5 else ""
    return f"shard {numbers}{more} of {model.n_expected} is missing"


def _with_shards(
    facts: ModelFacts, model: FoundModel, places: PlaceSums, header_of: Callable[[str], Header]
) -> ModelFacts:
    if model.missing:
        return replace(facts, problem=_missing(model))
    n_params = facts.n_params or 0
    problem = facts.problem
    for number, file in enumerate(model.files[1:], start=2):
        try:
            header = header_of(file.path)
        except HeaderUnreadable as error:
            return replace(facts, problem=f"shard {number} of {model.n_expected}: {error.message}")
        n_params += header.tensors.n_elements
        places.merge(header.tensors.places)
        if header.needed_bytes > header.file_bytes:
            problem = problem or f"shard {number} of {model.n_expected} is an incomplete download"
    return replace(facts, n_params=n_params or None, weights=places.weights(), problem=problem)
