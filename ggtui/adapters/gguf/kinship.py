"""Whether two files are of one model, as far as their names tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_QUANT = re.compile(
    r"(?<![a-z0-9])(?:ud[-_])?(?:i?q\d(?:_[a-z0-9]{1,3})*|tq\d_\d|mxfp4\w*|nvfp4|b?fp?(?:16|32))(?![a-z0-9])"
)
_SHARD = re.compile(r"-\d{5}-of-\d{5}")
_SAYS_NOTHING = frozenset(
    (
        *("gguf", "mmproj", "mm", "proj", "projector", "clip", "vision", "vl", "model"),
        *("instruct", "it", "chat", "ud", "sha256"),
    )
)
"""Words that files of different models share."""


def is_related(one: Sequence[str], other: Sequence[str]) -> bool:
    """True when a name of the one says the same model as a name of the other.

    Every word with a digit, such as a size, has to be in both; of the others two thirds.
    """
    return any(_is_alike(_words(a), _words(b)) for a in one for b in other)


def is_one_family(names: Iterable[Sequence[str]]) -> bool:
    """True when these are one model in several quantisations, or a single one."""
    known = list(names)
    return all(is_related(known[0], each) for each in known[1:])


def _words(name: str) -> frozenset[str]:
    bare = _SHARD.sub("", _QUANT.sub("", name.lower()))
    # A point between digits is part of a version.
    words = re.split(r"[^a-z0-9]+", re.sub(r"(?<=\d)\.(?=\d)", "p", bare))
    return frozenset(words) - _SAYS_NOTHING - {""}


def _is_alike(one: frozenset[str], other: frozenset[str]) -> bool:
    if not one or not other:
        return False
    numbers = {word for word in one ^ other if any(letter.isdigit() for letter in word)}
    shared = one & other
    return not numbers and 3 * len(shared) >= 2 * min(len(one), len(other))
