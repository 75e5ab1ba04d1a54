"""What each layer keeps: a full cache, one as wide as its window, a recurrent state, or several of them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ggtui.core.memory.families import (
    COMPRESSED,
    GEMMA3N_KV_LAYERS,
    GLM_INDEXER_FROM_CTX,
    HYBRID_BY_HEADS,
    HYBRID_BY_INTERVAL,
    HYBRID_NEMOTRON,
    HYBRID_PARALLEL,
    NO_CACHE,
    RECURRENT,
    SPARSE_INDEXED,
    TRUNK_ONLY,
    WINDOWS,
    PatternKey,
    WindowRule,
)
from ggtui.core.memory.shape import RecurrentKeys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.memory.shape import ModelShape, PerLayer


INDEXED_RATIO = 4
RATIOS = (INDEXED_RATIO, 128)
"""Tokens for one compressed cell; the engine knows these two."""


class LayerCache(NamedTuple):
    """Elements that one layer keeps for each token, and whether it keeps a state beside."""

    k: int = 0
    v: int = 0
    is_windowed: bool = False
    index_k: int = 0
    """Elements of the indexer's K; kept for every token, also by a layer with a window."""
    index_v: int = 0
    ratio: int = 0
    """Tokens that one of its compressed cells stands for; 0 when it keeps none."""
    is_recurrent: bool = False


def layer_caches(shape: ModelShape, *, flash_attn: bool = True) -> tuple[LayerCache, ...]:
    """One entry for each of the n_layer_all layers.

    flash_attn: without it every layer's V is as wide as the widest of them.
    """
    if shape.architecture in COMPRESSED:
        return _compressed(shape)
    windowed, attends, recurrent = window_layers(shape), _attending(shape), recurrent_layers(shape)
    heads = _figures(shape.n_head_kv, shape.n_layer_all)
    k_widths, v_widths = _widths(shape, windowed, heads)
    widest = 0 if flash_attn else max(v_widths, default=0)
    indexed = _indexed(shape)
    caches = []
    for at in range(shape.n_layer_all):
        k = k_widths[at] if attends[at] else 0
        v = (widest or v_widths[at]) if attends[at] and not shape.is_mla else 0
        index_k, index_v = (shape.indexer_key_length, _index_v(shape)) if indexed[at] else (0, 0)
        caches.append(LayerCache(k, v, windowed[at] and attends[at], index_k, index_v, 0, recurrent[at]))
    return tuple(caches)


def _compressed(shape: ModelShape) -> tuple[LayerCache, ...]:
    """Source: llama.cpp src/llama-kv-cache-dsv4.cpp."""
    heads = _figures(shape.n_head_kv, shape.n_layer_all)
    ratios = _figures(shape.compress_ratios, shape.n_layer_all)
    windowed = window_rule(shape) is not None
    return tuple(
        LayerCache(
            n * shape.key_length,
            is_windowed=windowed,
            index_k=shape.indexer_key_length if ratio == INDEXED_RATIO else 0,
            ratio=ratio if ratio in RATIOS else 0,
        )
        for n, ratio in zip(heads, ratios, strict=True)
    )


def _figures(per_layer: PerLayer | None, n_layer: int) -> tuple[int, ...]:
    """One figure per layer, 0 for those the file says nothing of."""
    figures = per_layer.figures if per_layer is not None else ()
    return figures[:n_layer] + (0,) * (n_layer - len(figures))


def _widths(shape: ModelShape, windowed: Sequence[bool], heads: Sequence[int]) -> tuple[list[int], list[int]]:
    pairs = list(zip(windowed, heads, strict=True))
    k = [n * (shape.key_length_swa if is_windowed else shape.key_length) for is_windowed, n in pairs]
    v = [n * (shape.value_length_swa if is_windowed else shape.value_length) for is_windowed, n in pairs]
    return k, v


def window_rule(shape: ModelShape) -> WindowRule | None:
    """The rule of this architecture, when this very model has windows by it."""
    rule = WINDOWS.get(shape.architecture)
    if rule is None or (rule.only_n_layer is not None and shape.n_layer != rule.only_n_layer):
        return None
    return rule if window_width(shape, rule) else None


def window_width(shape: ModelShape, rule: WindowRule) -> int:
    """Tokens that a windowed layer looks back; 0 for no window."""
    stated = shape.window.n_swa
    if rule.fixed_width is not None:
        is_on = stated != 0 if rule.is_always_on else bool(stated)
        return rule.fixed_width if is_on else 0
    return (rule.default_width or 0) if stated is None else stated


def window_layers(shape: ModelShape) -> tuple[bool, ...]:
    """Which layers look through a window; layers that only predict further tokens seldom do."""
    rule = window_rule(shape)
    if rule is None:
        return (False,) * shape.n_layer_all
    n_layer, window = shape.n_layer_all if rule.includes_nextn else shape.n_layer, shape.window
    nextn = (False,) * (shape.n_layer_all - n_layer)
    if rule.pattern is PatternKey.NONE:
        attends = [heads > 0 for heads in _figures(shape.n_head_kv, n_layer)]
        return (*attends, *nextn)
    takes_array = rule.pattern in (PatternKey.ARRAY, PatternKey.EITHER)
    if takes_array and window.pattern is not None:
        return (*map(bool, _figures(window.pattern, n_layer)), *nextn)
    if rule.pattern is PatternKey.ARRAY:
        return (*((bool(window.period),) * n_layer), *nextn)
    period = rule.period if window.period is None else window.period
    return (*(_is_in_window(at, period, rule) for at in range(n_layer)), *nextn)


@lru_cache(maxsize=512)
def has_full_layers(shape: ModelShape) -> bool:
    """True when a layer attends to the whole context; a short model may have windows only."""
    return any(layer.k and not layer.is_windowed for layer in layer_caches(shape))


def _is_in_window(layer: int, period: int, rule: WindowRule) -> bool:
    if period == 0:
        return True
    place = layer % period
    return place != 0 if rule.is_dense_first else place < period - 1


def recurrent_layers(shape: ModelShape) -> tuple[bool, ...]:
    """Which layers keep a state of fixed size."""
    name, n_all = shape.architecture, shape.n_layer_all
    heads = _figures(shape.n_head_kv, n_all)
    if name in RECURRENT or name in HYBRID_PARALLEL:
        return (True,) * n_all
    if name in HYBRID_BY_HEADS:
        return tuple(n == 0 and at < shape.n_layer for at, n in enumerate(heads))
    if name in HYBRID_BY_INTERVAL:
        return _by_interval(shape)
    if name in HYBRID_NEMOTRON:
        widths = _figures(shape.n_ff, n_all)
        return tuple(at < shape.n_layer and heads[at] == 0 and widths[at] == 0 for at in range(n_all))
    return (False,) * n_all


def _by_interval(shape: ModelShape) -> tuple[bool, ...]:
    keys = shape.recurrent or RecurrentKeys()
    n_all, n_layer = shape.n_layer_all, shape.n_layer
    if keys.recurrent_layers is not None:
        listed = _figures(keys.recurrent_layers, n_all)
        return tuple(at < n_layer and bool(listed[at]) for at in range(n_all))
    interval = keys.full_attention_interval or HYBRID_BY_INTERVAL[shape.architecture]
    return tuple(at < n_layer and (at + 1) % interval != 0 for at in range(n_all))


def _attending(shape: ModelShape) -> tuple[bool, ...]:
    """Which layers own a KV cache."""
    name, n_all = shape.architecture, shape.n_layer_all
    if name in NO_CACHE or name in RECURRENT:
        return (False,) * n_all
    if name in HYBRID_BY_HEADS or name in HYBRID_BY_INTERVAL:
        is_trunk = [at < shape.n_layer or name in HYBRID_BY_HEADS for at in range(n_all)]
        return tuple(t and not r for t, r in zip(is_trunk, recurrent_layers(shape), strict=True))
    if name in HYBRID_NEMOTRON:
        widths, recurrent = _figures(shape.n_ff, n_all), recurrent_layers(shape)
        return tuple(not r and width == 0 for r, width in zip(recurrent, widths, strict=True))
    owners = n_all
    if name == "gemma3n":
        owners = GEMMA3N_KV_LAYERS
    elif name == "gemma4":
        owners = n_all - shape.n_shared_kv
    elif name in TRUNK_ONLY:
        owners = shape.n_layer
    return tuple(at < owners for at in range(n_all))


def _indexed(shape: ModelShape) -> tuple[bool, ...]:
    """Which layers keep an indexer's K beside their own cache."""
    n_all, name = shape.n_layer_all, shape.architecture
    if not shape.indexer_key_length:
        return (False,) * n_all
    if name == "minimax-m3":
        return tuple(at >= shape.experts.n_dense_lead for at in range(n_all))
    if name not in SPARSE_INDEXED:
        return (False,) * n_all
    full = shape.indexer_types.figures if shape.indexer_types is not None else None
    if full is None and name == "glm-dsa" and shape.n_ctx_train >= GLM_INDEXER_FROM_CTX:
        full = _glm_indexers(shape.n_layer)
    if full is None or name == "deepseek32":
        full = (1,) * shape.n_layer
    return tuple(at < shape.n_layer and at < len(full) and bool(full[at]) for at in range(n_all))


def _glm_indexers(n_layer: int) -> tuple[int, ...]:
    """The engine's own table, src/models/glm-dsa.cpp: two full ones, then the first of every four."""
    return tuple(int(at < 2 or (at - 2) % 4 == 0) for at in range(n_layer))


def _index_v(shape: ModelShape) -> int:
    return 0 if shape.is_mla else shape.value_length
