"""The hyper-parameters that decide how large cache and compute buffer become, within sound limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.adapters.gguf.architectures import (
    COMPRESSED_KEYS,
    NO_CACHE,
    ORDINARY,
    RECURRENT_PREFIXES,
    WINDOWED_BY_KEY,
)
from ggtui.adapters.gguf.header import SkippedArray
from ggtui.core.errors import HeaderUnreadable
from ggtui.core.models import AttentionShape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.adapters.gguf.header import Value

MOST_LAYERS = 512
MOST_EXPERTS = 1024
MOST_HEADS = 1 << 16
LARGEST_WIDTH = 1 << 24


class Keys:
    """The metadata of one file, its hyper-parameters without their prefix."""

    def __init__(self, metadata: Mapping[str, Value], architecture: str) -> None:
        self.metadata = metadata
        self.architecture = architecture

    def get(self, key: str) -> Value | None:
        """A hyper-parameter, None when the file has none."""
        return self.metadata.get(f"{self.architecture}.{key}")

    def has_prefix(self, prefix: str) -> bool:
        """True when any full key starts so."""
        return any(key.startswith(prefix) for key in self.metadata)

    def natural(self, key: str, most: int) -> int | None:
        """A whole number from 0 to most; None when absent or of another type.

        Raises: HeaderUnreadable when it is out of these bounds.
        """
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        if not 0 <= value <= most:
            raise HeaderUnreadable(f"{key} is out of bounds")
        return value

    def naturals(self, key: str, count: int, most: int) -> tuple[int, ...] | None:
        """One whole number per layer, a scalar spread over all `count` of them.

        Raises: HeaderUnreadable when the array has another length or a number is out of bounds.
        """
        value = self.get(key)
        if value is None:
            return None
        if isinstance(value, SkippedArray) or (isinstance(value, tuple) and len(value) != count):
            raise HeaderUnreadable(f"{key} does not have one entry per layer")
        if not isinstance(value, tuple):
            number = self.natural(key, most)
            return None if number is None else (number,) * count
        numbers = tuple(number for number in value if isinstance(number, int) and 0 <= number <= most)
        if len(numbers) != count:
            raise HeaderUnreadable(f"{key} is out of bounds")
        return numbers

    def length(self, full_key: str) -> int | None:
        """Number of elements of an array; None when there is no such array."""
        value = self.metadata.get(full_key)
        if isinstance(value, SkippedArray):
            return value.n_items
        return len(value) if isinstance(value, tuple) else None


def attention_shape(keys: Keys) -> AttentionShape | None:
    """KV heads by layer and their widths; None when the header does not tell.

    Raises: HeaderUnreadable for figures at which the engine aborts.
    """
    n_all = keys.natural("block_count", most=MOST_LAYERS)
    if n_all is None:
        return None
    n_layer = n_all - (keys.natural("nextn_predict_layers", most=MOST_LAYERS) or 0)
    if n_layer < 1:
        raise HeaderUnreadable("block_count is out of bounds")
    if keys.architecture in NO_CACHE:
        return AttentionShape((0,) * n_layer, 0, 0)
    n_head = keys.naturals("attention.head_count", n_all, MOST_HEADS)
    if n_head is None:
        return None
    n_head_kv = keys.naturals("attention.head_count_kv", n_all, MOST_HEADS) or n_head
    lengths = (_head_length(keys, "key_length", n_head[0]), _head_length(keys, "value_length", n_head[0]))
    return AttentionShape(n_head_kv[:n_layer], *lengths, is_ordinary=_is_ordinary(keys))


def _head_length(keys: Keys, which: str, n_head: int) -> int:
    stated = keys.natural(f"attention.{which}", most=LARGEST_WIDTH)
    if stated is not None:
        return stated
    n_embd = keys.natural("embedding_length", most=LARGEST_WIDTH) or 0
    return n_embd // n_head if n_head else 0


def _is_ordinary(keys: Keys) -> bool:
    if keys.architecture not in ORDINARY:
        return False
    if any(keys.get(key) is not None for key in COMPRESSED_KEYS):
        return False
    if keys.architecture in WINDOWED_BY_KEY and keys.natural("attention.sliding_window", most=1 << 40):
        return False
    return not any(keys.has_prefix(f"{keys.architecture}.{prefix}") for prefix in RECURRENT_PREFIXES)


def feed_forward_width(keys: Keys) -> int | None:
    """Largest feed-forward length of any layer; for experts the dense width with the same compute buffer.

    The experts' part of the buffer is n_used (n_embd + 3 n_ff_exp) + 5 n_embd floats per token.
    Raises: HeaderUnreadable for impossible numbers of experts.
    """
    n_layer = keys.natural("block_count", most=MOST_LAYERS)
    if not n_layer:
        return None
    dense = max(keys.naturals("feed_forward_length", n_layer, LARGEST_WIDTH) or (0,))
    n_experts = keys.natural("expert_count", most=MOST_EXPERTS) or 0
    n_used = keys.natural("expert_used_count", most=MOST_EXPERTS) or 0
    if n_used > n_experts:
        raise HeaderUnreadable("more experts are used than there are")
    if not n_used:
        return dense or None
    expert = keys.natural("expert_feed_forward_length", most=LARGEST_WIDTH) or dense
    n_embd = keys.natural("embedding_length", most=LARGEST_WIDTH) or 0
    has_dense_layers = bool(keys.natural("leading_dense_block_count", most=MOST_LAYERS))
    alike = (n_used * (n_embd + 3 * expert) + n_embd) // 3
    return max(alike, dense if has_dense_layers else 0) or None
