"""Launches that the engine refuses, known before they are tried. Source: llama.cpp src/llama-context.cpp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.memory.cache import BLOCKS, is_quantised
from ggtui.core.memory.compute import uses_flash_attention
from ggtui.core.memory.families import COMPRESSED, NO_TENSOR_SPLIT
from ggtui.core.memory.layers import window_layers
from ggtui.core.memory.request import MOST_SLOTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ggtui.core.memory.request import LoadRequest
    from ggtui.core.memory.shape import ModelShape
    from ggtui.core.models import KvType


def refusals(
    shape: ModelShape | None, request: LoadRequest, *, splits_tensors: bool = False
) -> tuple[str, ...]:
    """Why the engine would refuse this launch, one sentence each; empty when it may be tried.

    splits_tensors: `-sm tensor` was asked for.
    """
    if request.n_parallel > MOST_SLOTS:
        return (f"the engine serves at most {MOST_SLOTS} slots",)
    if shape is None:
        return ()
    found = list(_of_cache(shape, request))
    if splits_tensors and shape.architecture in NO_TENSOR_SPLIT:
        found.append(f"{shape.architecture} cannot be split by tensors")
    return tuple(found)


def _of_cache(shape: ModelShape, request: LoadRequest) -> Iterator[str]:
    k, v = request.cache_type_k, request.cache_type_v
    if is_quantised(v) and not uses_flash_attention(shape, request):
        yield f"a V cache of {v} needs flash attention"
    if (shape.is_mla or shape.architecture in COMPRESSED) and k is not v:
        yield f"{shape.architecture} takes only one cache type for K and V, not {k} and {v}"
    if uses_flash_attention(shape, request):
        windowed = any(window_layers(shape))
        yield from _of_block("K", k, shape.key_length, shape.key_length_swa if windowed else 0)
        yield from _of_block("V", v, shape.value_length, shape.value_length_swa if windowed else 0)


def _of_block(which: str, kv_type: KvType, *widths: int) -> Iterator[str]:
    block = BLOCKS[kv_type][0]
    uneven = next((width for width in widths if width % block), None)
    if uneven is not None:
        yield f"a {which} cache of {kv_type} needs heads of whole {block}s; this model has {uneven}"
