"""Which LoRA files a model could take, the likely ones first, and what each is called when it is attached."""

from __future__ import annotations

import re
from enum import IntEnum
from pathlib import PurePath
from typing import TYPE_CHECKING

from ggtui.core.naming import slug

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from ggtui.core.models import AdapterSummary, ModelSummary

LONGEST_NAME = 64
"""Characters of an adapter's name."""
SHORTEST_HINT = 4
"""Letters and digits that a hint must have to name a model."""
_NOT_IN_NAME = re.compile(r"[\W_]+")


class Match(IntEnum):
    """How likely a LoRA file fits a model, the likeliest first."""

    MADE_FOR = 0
    """It names this model."""
    SAME_KIND = 1
    """It is made for the same architecture."""
    UNKNOWN = 2
    """It tells no architecture."""
    OTHER = 3
    """It is made for another architecture: no server would start with it."""
    BROKEN = 4


def match(file: AdapterSummary, model: ModelSummary) -> Match:
    """How likely this file fits this model, by what both tell of themselves."""
    if file.problem is not None:
        return Match.BROKEN
    if file.architecture and model.architecture and file.architecture != model.architecture:
        return Match.OTHER
    names = [_squeezed(name) for name in (model.public_id, model.name)]
    hints = [_squeezed(hint.rpartition("/")[2]) for hint in file.base_hints]
    if any(hint in name for hint in hints if len(hint) >= SHORTEST_HINT for name in names):
        return Match.MADE_FOR
    return Match.SAME_KIND if file.architecture else Match.UNKNOWN


def why_not(file: AdapterSummary, model: ModelSummary) -> str:
    """Why a server of this model would not start with this file; empty when it may."""
    if file.problem is not None:
        return file.problem
    if match(file, model) is Match.OTHER:
        return f"it is made for {file.architecture}, the model is {model.architecture}"
    return ""


def ordered(files: Iterable[AdapterSummary], model: ModelSummary) -> list[tuple[Match, AdapterSummary]]:
    """The files with how likely they fit, the likeliest first, then by name."""
    return sorted(((match(file, model), file) for file in files), key=lambda each: (each[0], each[1].name))


def reference(file: AdapterSummary, files: Iterable[AdapterSummary]) -> str:
    """What models.toml shall say of this file: its name, so that it may be moved, or its path.

    files: all that were found; of those that share a name the path counts.
    """
    same = [each for each in files if file.name in (each.name, each.path.stem)]
    return file.name if len(same) == 1 else str(file.path)


def proposed_name(file_name: str, taken: Container[str]) -> str:
    """The name that a file asks for behind the colon, which no other adapter or stack of the model has."""
    wanted = slug(PurePath(file_name).name)[:LONGEST_NAME]
    if wanted not in taken:
        return wanted
    numbered = (f"{wanted[: LONGEST_NAME - 3]}-{number}" for number in range(2, 100))
    return next((name for name in numbered if name not in taken), wanted)


def _squeezed(text: str) -> str:
    return _NOT_IN_NAME.sub("", text.lower())
