"""A model that is named by its file, known to no catalog."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.facts import KIND_MODEL
from ggtui.adapters.gguf.found import look_at, models_of
from ggtui.adapters.gguf.scan import read_facts
from ggtui.adapters.gguf.unlisted import summary_of
from ggtui.core.errors import HeaderUnreadable
from ggtui.core.naming import shard_of
from ggtui.core.text import plain

if TYPE_CHECKING:
    from ggtui.adapters.gguf.facts import ModelFacts
    from ggtui.adapters.gguf.found import FoundModel
    from ggtui.core.models import ModelSummary

_BESIDE = {
    "mmproj": "a vision projector",
    "adapter": "a LoRA adapter",
    "imatrix": "an importance matrix",
    "draft": "a draft head",
    "controlvector": "a control vector",
}


def is_file_name(name: str) -> bool:
    """True when a person means a file rather than a public id, which holds no slash and no suffix."""
    return os.sep in name or name.lower().endswith(".gguf")


def is_address(name: str) -> bool:
    """True for a file or a repository on another machine."""
    return "://" in name or name.lower().startswith("hf:")


def summary_of_file(name: str) -> ModelSummary:
    """What the header of this file tells, all its shards counted.

    Raises: HeaderUnreadable when there is no such file or it is no model; a damaged one shows as `problem`.
    """
    path = Path(name).expanduser().absolute()
    if not path.is_file():
        raise HeaderUnreadable(f"{path} is not a file")
    files = [look_at(str(each)) for each in _shards(path)]
    model = next(models_of(files))
    return summary_of(model, model_facts(model, read_facts(model)))


def model_facts(model: FoundModel, facts: ModelFacts) -> ModelFacts:
    """These facts. Raises: HeaderUnreadable when they are of a file that only belongs to a model."""
    if facts.kind == KIND_MODEL:
        return facts
    words = f"{plain(model.first.name)} is {_BESIDE.get(facts.kind, facts.kind)}, which is no model by itself"
    raise HeaderUnreadable(words, hint="name the model that it belongs to")


def _shards(path: Path) -> list[Path]:
    """The file, or every file of the model it is a part of."""
    shard = shard_of(path.name)
    if shard is None:
        return [path]
    wanted = (shard.base, shard.count)
    places = [(each, shard_of(each.name)) for each in sorted(path.parent.iterdir())]
    return [each for each, other in places if other and (other.base, other.count) == wanted]
