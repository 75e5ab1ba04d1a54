"""The hyper-parameters that decide how much memory a model takes, within sound limits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.header import SkippedArray
from ggtui.core.errors import HeaderUnreadable
from ggtui.core.memory.families import NEVER_CAUSAL
from ggtui.core.memory.shape import (
    ExpertKeys,
    ModelShape,
    PerLayer,
    RecurrentKeys,
    WindowKeys,
)
from ggtui.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ggtui.adapters.gguf.header import Value

MOST_LAYERS = 512
MOST_EXPERTS = 1024
MOST_HEADS = 1 << 16
LARGEST_WIDTH = 1 << 24
LARGEST_CONTEXT = 1 << 30
LARGEST_WINDOW = 1 << 32
LONGEST_NAME = 64

LOOPED = "nanbeige"
"""Its layers are gone through `num_loops` times, each time with caches of their own."""
ROUTED = "graniteswitch"
"""It has one more layer than it says: a router with one head."""

_STATE_PREFIXES = ("ssm.", "wkv.", "shortconv.", "kda.")
"""Keys of layers whose state does not grow with the context."""


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

    def width(self, key: str) -> int | None:
        """A number of elements. Raises: HeaderUnreadable."""
        return self.natural(key, most=LARGEST_WIDTH)

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

    def entries(self, key: str, count: int, most: int) -> PerLayer | None:
        """The first `count` entries of an array, each within 0 and most; None when there is no array."""
        value = self.get(key)
        if not isinstance(value, tuple):
            return None
        return PerLayer.of(min(max(0, int(each)), most) for each in value[:count] if math.isfinite(each))

    def flags(self, key: str, count: int) -> PerLayer | None:
        """1 or 0 for each of them."""
        return self.entries(key, count, 1)

    def length(self, full_key: str) -> int | None:
        """Number of elements of an array; None when there is no such array."""
        value = self.metadata.get(full_key)
        if isinstance(value, SkippedArray):
            return value.n_items
        return len(value) if isinstance(value, tuple) else None


def model_shape(keys: Keys) -> ModelShape | None:
    """Everything the memory forecast needs of the keys; None when they do not tell the number of layers.

    Raises: HeaderUnreadable for figures at which the engine aborts.
    """
    n_all = keys.natural("block_count", most=MOST_LAYERS)
    if n_all is None:
        return None
    n_nextn = keys.natural("nextn_predict_layers", most=MOST_LAYERS) or 0
    if n_all - n_nextn < 1:
        raise HeaderUnreadable("block_count is out of bounds")
    n_head = keys.naturals("attention.head_count", n_all, MOST_HEADS) or ()
    n_head_kv = keys.naturals("attention.head_count_kv", n_all, MOST_HEADS) or n_head
    n_ff = keys.naturals("feed_forward_length", n_all, LARGEST_WIDTH) or ()
    first = next(iter(n_head), 0)
    n_loops = _loops(keys, n_all)
    has_router = keys.architecture == ROUTED
    k, v = _head_length(keys, "key_length", first), _head_length(keys, "value_length", first)
    return ModelShape(
        architecture=plain(keys.architecture, LONGEST_NAME),
        n_layer_all=n_all * n_loops + has_router,
        n_nextn=n_nextn + has_router,
        n_embd=keys.width("embedding_length") or 0,
        n_vocab=vocabulary_size(keys),
        n_ctx_train=keys.natural("context_length", most=LARGEST_CONTEXT) or 0,
        n_head=PerLayer.of(n_head * n_loops),
        n_head_kv=PerLayer.of(n_head_kv * n_loops + (1,) * has_router),
        n_ff=PerLayer.of(n_ff * n_loops),
        key_length=k,
        value_length=v,
        key_length_swa=_or(keys.width("attention.key_length_swa"), k) if first else 0,
        value_length_swa=_or(keys.width("attention.value_length_swa"), v) if first else 0,
        is_mla=bool(keys.width("attention.key_length_mla") and keys.width("attention.value_length_mla")),
        n_shared_kv=min(n_all, keys.natural("attention.shared_kv_layers", most=MOST_LAYERS) or 0),
        indexer_key_length=keys.width("attention.indexer.key_length") or 0,
        indexer_types=keys.flags("attention.indexer.types", n_all),
        compress_ratios=keys.entries("attention.compress_ratios", n_all, LARGEST_WIDTH),
        is_causal=keys.get("attention.causal") is not False and keys.architecture not in NEVER_CAUSAL,
        window=_window(keys, n_all),
        recurrent=_recurrent(keys, n_all),
        experts=_experts(keys),
    )


def vocabulary_size(keys: Keys) -> int:
    """Tokens of the vocabulary; 0 when the file has none."""
    return keys.length("tokenizer.ggml.tokens") or keys.width("vocab_size") or 0


def _loops(keys: Keys, n_layer: int) -> int:
    if keys.architecture != LOOPED:
        return 1
    return keys.natural("num_loops", most=MOST_LAYERS // n_layer) or 1


def _or(stated: int | None, otherwise: int) -> int:
    return otherwise if stated is None else stated


def _head_length(keys: Keys, which: str, n_head: int) -> int:
    """Elements of a head; 0 for a model whose first layer has none, whatever the file states."""
    stated = keys.width(f"attention.{which}")
    if not n_head:
        return 0
    return _or(stated, (keys.width("embedding_length") or 0) // n_head)


def _window(keys: Keys, n_layer: int) -> WindowKeys:
    value = keys.get("attention.sliding_window_pattern")
    period = value if isinstance(value, int) and 0 <= value <= MOST_LAYERS else None
    return WindowKeys(
        n_swa=keys.natural("attention.sliding_window", most=LARGEST_WINDOW),
        period=None if period is None else int(period),
        pattern=keys.flags("attention.sliding_window_pattern", n_layer),
    )


def _recurrent(keys: Keys, n_layer: int) -> RecurrentKeys | None:
    listed = keys.flags("attention.recurrent_layers", n_layer)
    interval = keys.natural("full_attention_interval", most=MOST_LAYERS) or None
    has_state = any(keys.has_prefix(f"{keys.architecture}.{prefix}") for prefix in _STATE_PREFIXES)
    if not has_state and listed is None and interval is None:
        return None
    return RecurrentKeys(
        conv_kernel=keys.width("ssm.conv_kernel") or 0,
        inner_size=keys.width("ssm.inner_size") or 0,
        state_size=keys.width("ssm.state_size") or 0,
        group_count=keys.width("ssm.group_count") or 0,
        wkv_head_size=keys.width("wkv.head_size") or 0,
        token_shift_count=_or(keys.natural("token_shift_count", most=64), 2),
        shortconv_l_cache=keys.width("shortconv.l_cache") or 0,
        kda_head_dim=keys.width("kda.head_dim") or 0,
        full_attention_interval=interval,
        recurrent_layers=listed,
    )


def _experts(keys: Keys) -> ExpertKeys:
    n_expert = keys.natural("expert_count", most=MOST_EXPERTS) or 0
    n_used = keys.natural("expert_used_count", most=MOST_EXPERTS) or 0
    if n_used > n_expert:
        raise HeaderUnreadable("more experts are used than there are")
    return ExpertKeys(
        n_expert=n_expert,
        n_used=n_used,
        n_ff=keys.width("expert_feed_forward_length") or 0,
        n_ff_shared=keys.width("expert_shared_feed_forward_length") or 0,
        n_shared=keys.natural("expert_shared_count", most=MOST_EXPERTS) or 0,
        n_dense_lead=keys.natural("leading_dense_block_count", most=MOST_LAYERS) or 0,
    )
