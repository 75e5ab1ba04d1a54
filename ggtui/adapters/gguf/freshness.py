"""Whether a file is still what the catalog remembers of it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.found import FoundModel, look_at, reason
from ggtui.adapters.gguf.scan import read_facts
from ggtui.adapters.gguf.store import stamp_of
from ggtui.core.naming import shard_names

if TYPE_CHECKING:
    from ggtui.adapters.gguf.facts import ModelFacts
    from ggtui.adapters.gguf.store import StoredModel

GONE = "its file has gone; look for the models again"
SHARD_GONE = "a shard of it has gone; look for the models again"


def is_unchanged(model: FoundModel, row: StoredModel | None) -> bool:
    """True when the row tells of this model as it lies there now."""
    if row is None:
        return False
    return row.path == model.first.path and row.stamp == stamp_of(model) and row.places == model.places


def file_as_it_is(row: StoredModel) -> tuple[ModelFacts, bool]:
    """The facts of a model as its file is now, and whether the file or one of its shards has gone."""
    try:
        os.stat(row.path)
    except (FileNotFoundError, NotADirectoryError):
        return replace(row.facts, problem=GONE), True
    except (OSError, ValueError) as error:
        return replace(row.facts, problem=reason(error)), False
    if row.n_files > 1 and row.facts.problem is None:
        is_whole = all(os.path.exists(path) for path in _shards(row.path))
        return (row.facts, False) if is_whole else (replace(row.facts, problem=SHARD_GONE), True)
    current = FoundModel((look_at(row.path),))
    is_known = row.n_files != 1 or stamp_of(current) == row.stamp
    return row.facts if is_known else read_facts(current), False


def _shards(path: str) -> list[str]:
    folder, name = os.path.split(path)
    return [os.path.join(folder, each) for each in shard_names(name)]
