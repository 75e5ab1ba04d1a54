"""How a file becomes a name: the public id, the quantisation's label, the place of a shard."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

_SHARD = re.compile(r"^(?P<base>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})$")
_SUFFIX = re.compile(r"\.gguf$", re.IGNORECASE)
_NOT_IN_ID = re.compile(r"[^a-z0-9._-]+")
_QUANT = re.compile(
    r"(?<![a-z0-9])(?:UD-\w+|IQ[1-4]_[a-z]{1,3}|Q\d_K(?:_[SML]|_XL)?|Q\d_[01]|TQ[12]_0"
    r"|MXFP4\w*|NVFP4|BF16|F16|F32)(?![a-z0-9])",
    re.IGNORECASE,
)
_LONGEST_ID = 96

FILE_TYPES: dict[int, str] = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M",
    18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S",
    25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M",
    32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4", 39: "NVFP4", 40: "Q1_0", 41: "Q2_0",
}  # fmt: skip
"""`general.file_type` by number. Source: llama.cpp include/llama.h, enum llama_ftype."""


@dataclass(frozen=True, slots=True)
class ShardName:
    """The place of a file in a model that is cut into several."""

    base: str
    """The stem without the shard's suffix."""
    number: int
    """From 1."""
    count: int


def stem(file_name: str) -> str:
    """The file name without `.gguf`."""
    return _SUFFIX.sub("", file_name)


def shard_of(file_name: str) -> ShardName | None:
    """The shard that a file name like `x-00002-of-00003.gguf` tells of; None for a whole model."""
    match = _SHARD.match(stem(file_name))
    if match is None:
        return None
    shard = ShardName(match["base"], int(match["number"]), int(match["count"]))
    return shard if 1 <= shard.number <= shard.count else None


def shard_names(file_name: str) -> tuple[str, ...]:
    """The names of all shards of the model that this file is of, in order; its own for a whole model."""
    shard = shard_of(file_name)
    if shard is None:
        return (file_name,)
    suffix = file_name[len(stem(file_name)) :]
    numbers = range(1, shard.count + 1)
    return tuple(f"{shard.base}-{number:05}-of-{shard.count:05}{suffix}" for number in numbers)


def model_stem(file_name: str) -> str:
    """The file name without `.gguf` and without a shard's suffix."""
    shard = shard_of(file_name)
    return shard.base if shard else stem(file_name)


def quantisation(file_name: str, file_type: int | None = None, dominant_type: str = "") -> str:
    """The label such as `Q4_K_M`: from the file name, else `general.file_type`, else the commonest type.

    dominant_type: name of the tensor type with the most bytes. Empty when nothing tells.
    """
    labels = _QUANT.findall(model_stem(file_name))
    if labels:
        return str(labels[-1]).upper()
    if file_type is not None and file_type in FILE_TYPES:
        return FILE_TYPES[file_type]
    return dominant_type


def slug(file_name: str, quant: str = "") -> str:
    """The public id that a file asks for: `[a-z0-9._-]`, with its quantisation, never all digits."""
    text = _NOT_IN_ID.sub("-", model_stem(file_name).lower())[:_LONGEST_ID].strip("-._")
    label = _NOT_IN_ID.sub("-", quant.lower()).strip("-._")
    if label and label not in text:
        text = f"{text}-{label}" if text else label
    if not text or text.isdigit():
        return f"model-{text}".rstrip("-")
    return text


def public_id(file_name: str, quant: str, path: str, taken: Container[str]) -> str:
    """The slug, with a short suffix from the path's digest when another model already has it.

    path: canonical path; the same path and the same taken ids always give the same id.
    """
    wanted = slug(file_name, quant)
    if wanted not in taken:
        return wanted
    digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()
    suffixed = (f"{wanted}-{digest[:length]}" for length in range(4, len(digest) + 1))
    return next(candidate for candidate in suffixed if candidate not in taken)
