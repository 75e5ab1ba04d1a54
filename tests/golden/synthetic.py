"""Invented hyper-parameters for every architecture; no two quantities are equal by accident."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from tests.golden.extras import extras
from tests.golden.families import (
    ARRAY_PATTERN,
    DELTA_NET,
    DRAFT_LAYERS,
    EXPERTS,
    LAYERS,
    MAMBA,
    MLA,
    MROPE,
    NO_PATTERN,
    ODD_HEADS,
    PATTERN_NEEDED,
    WINDOWED,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.golden.header_file import Keys

Parts = dict[str, Any]
"""Keys without the architecture's prefix."""


def models(architecture: str) -> Iterator[tuple[str, list[Keys]]]:
    """(name, candidates) of each invented model of this architecture.

    The first candidate that the engine loads is the model: what an architecture cannot express, such as
    values wider than keys, is left out of the later ones.
    """
    seed = zlib.crc32(architecture.encode())
    for number, make in enumerate(
        (_grouped, _wide_values, _many_heads, _by_layer, _with_draft_layer, _odd_heads)
    ):
        candidates = [_with_prefix(architecture, parts) for parts in make(architecture, seed)]
        if candidates:
            yield f"{architecture}-{number + 1}", candidates


def _with_prefix(architecture: str, parts: Parts) -> Keys:
    head: Keys = {"general.architecture": architecture, "tokenizer.ggml.model": "no_vocab"}
    if "bert" in architecture:
        head["tokenizer.ggml.token_type_count"] = 2
    named = {key if key.startswith("xielu.") else f"{architecture}.{key}": key for key in parts}
    return head | {name: parts[key] for name, key in named.items() if parts[key] is not None}


def _grouped(architecture: str, seed: int) -> Iterator[Parts]:
    """Grouped queries, heads wider than embedding / heads, a window shorter than every context."""
    for head in (96, None):
        parts = _base(architecture, 6 + seed % 5, 768, 2304 + 256 * (seed % 3), 12, 4, head, head)
        yield _finished(architecture, parts, window=200 + seed % 97, variant=0)
    parts = _base(architecture, 6 + seed % 5, 768, 2304 + 256 * (seed % 3), 12, None, None, None)
    yield _finished(architecture, parts, window=200 + seed % 97, variant=0)


def _wide_values(architecture: str, seed: int) -> Iterator[Parts]:
    """Values wider than keys, a window longer than the smaller contexts, keys of features not used."""
    if architecture in MLA:
        return
    for key, value in ((64, 128), (128, 128), (None, None)):
        parts = _base(architecture, 9 + seed % 4, 1536, 4608, 16, 2, key, value)
        yield _finished(architecture, parts, window=4096 + 32 * (seed % 11), variant=1)


def _many_heads(architecture: str, seed: int) -> Iterator[Parts]:
    """One KV head per head by leaving its key out, head size by division, odd numbers of layers."""
    parts = _base(architecture, 11 + 2 * (seed % 3), 1280, 3328, 10, None, None, None)
    yield _finished(architecture, parts, window=1024, variant=2)


def _by_layer(architecture: str, seed: int) -> Iterator[Parts]:
    """Heads, KV heads and feed-forward lengths that change from layer to layer."""
    if architecture in MLA:
        return
    for varied in (("kv", "ff"), ("kv",), ("ff",)):
        parts = _base(architecture, 8 + seed % 3, 1024, 2816, 16, 4, 64, 64)
        layers = range(parts["block_count"])
        if "kv" in varied:
            parts["attention.head_count_kv"] = [(1, 2, 4, 8)[layer * 3 % 4] for layer in layers]
        if "ff" in varied:
            parts["feed_forward_length"] = [2048 + 256 * (layer % 4) for layer in layers]
        yield _finished(architecture, parts, window=700, variant=3)


def _with_draft_layer(architecture: str, seed: int) -> Iterator[Parts]:
    """A last layer that only predicts drafts."""
    if architecture not in DRAFT_LAYERS:
        return
    for head in (96, None):
        parts = _base(architecture, 8 + seed % 3, 768, 2560, 12, 4, head, head)
        if architecture in LAYERS:
            parts["block_count"] += 1
        finished = _finished(architecture, parts, window=300, variant=0)
        kv_heads = finished["attention.head_count_kv"]
        if isinstance(kv_heads, list):
            kv_heads[-1] = max(kv_heads)
        yield finished | {"nextn_predict_layers": 1}


def _odd_heads(architecture: str, seed: int) -> Iterator[Parts]:
    """Heads of 80, which no quantised cache type divides."""
    if architecture in ODD_HEADS:
        parts = _base(architecture, 7 + seed % 3, 1280, 3584, 16, 4, None, None)
        yield _finished(architecture, parts, window=2048, variant=0)


def _base(
    architecture: str, n_layer: int, n_embd: int, n_ff: int, n_head: int, n_kv: int | None,
    key: int | None, value: int | None,
) -> Parts:  # fmt: skip
    return {
        "vocab_size": 32768 + n_ff,
        "context_length": 131072,
        "embedding_length": n_embd,
        "block_count": LAYERS.get(architecture, n_layer),
        "feed_forward_length": n_ff,
        "attention.head_count": n_head,
        "attention.head_count_kv": n_kv,
        "attention.key_length": key,
        "attention.value_length": value,
        "attention.layer_norm_epsilon": 1e-5,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "rope.dimension_count": key or n_embd // n_head,
    }


def _finished(architecture: str, parts: Parts, window: int, variant: int) -> Parts:
    head = parts["attention.key_length"] or parts["embedding_length"] // parts["attention.head_count"]
    if architecture in MROPE:
        parts["rope.dimension_sections"] = [head // 8, head // 8, head // 8, 0]
    if architecture in EXPERTS:
        parts |= _experts(parts, variant)
    if architecture in MLA:
        parts |= _mla(architecture, variant)
    if architecture in MAMBA:
        parts |= _mamba(architecture, parts, variant)
    if architecture in DELTA_NET:
        parts |= _delta_net(variant)
    if architecture in WINDOWED or variant == 1:
        parts |= _window(architecture, parts["block_count"], window, variant)
    parts |= extras(architecture, parts, variant)
    return parts


def _experts(parts: Parts, variant: int) -> Parts:
    return {
        "expert_count": (16, 32, 8, 24)[variant],
        "expert_used_count": (4, 8, 2, 3)[variant],
        "expert_feed_forward_length": (384, 512, 1792, 640)[variant],
        "expert_shared_count": 1,
        "expert_shared_feed_forward_length": (384, 1024, 896, 640)[variant],
        "expert_gating_func": 2,
        "leading_dense_block_count": (1, 2, 0, 1)[variant],
        "interleave_moe_layer_step": (1, 2, 1, 1)[variant],
        "expert_group_scale": 0.05,
        "experts_per_group": 2,
    }


def _mla(architecture: str, variant: int) -> Parts:
    rank, rope = ((512, 64), (0, 0), (256, 32))[variant]
    n_kv: int | list[int] = 1
    return {
        "attention.head_count_kv": n_kv,
        "attention.key_length": rank + rope,
        "attention.value_length": rank,
        "attention.key_length_mla": 128 + rope,
        "attention.value_length_mla": 128,
        "attention.q_lora_rank": 384,
        "attention.kv_lora_rank": rank,
        "rope.dimension_count": rope,
    }


def _mamba(architecture: str, parts: Parts, variant: int) -> Parts:
    inner = parts["embedding_length"] * 2
    return {
        "ssm.conv_kernel": 4,
        "ssm.inner_size": inner,
        "ssm.state_size": (128, 64, 16, 128)[variant],
        "ssm.time_step_rank": inner // 64,
        "ssm.group_count": (1, 2, 4, 8)[variant] if architecture not in ("mamba", "jamba", "plamo2") else 0,
    }


def _delta_net(variant: int) -> Parts:
    n_value_heads = (32, 16, 8, 48)[variant]
    return {
        "ssm.conv_kernel": 4,
        "ssm.state_size": 128,
        "ssm.group_count": n_value_heads // 2,
        "ssm.time_step_rank": n_value_heads,
        "ssm.inner_size": 128 * n_value_heads,
    }


def _window(architecture: str, n_layer: int, window: int, variant: int) -> Parts:
    if architecture in NO_PATTERN:
        return {"attention.sliding_window": window}
    pattern: object = (3, 2, None, 5)[variant]
    if architecture in ARRAY_PATTERN or (pattern is None and architecture in PATTERN_NEEDED):
        pattern = [layer % (3 + variant) != 1 for layer in range(n_layer)]
    return {"attention.sliding_window": window, "attention.sliding_window_pattern": pattern}
