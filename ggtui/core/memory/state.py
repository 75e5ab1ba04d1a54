"""Recurrent state: of fixed size for each slot, whatever the context. Source: src/llama-hparams.cpp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.memory.families import COMPRESSED, ROLLS_BACK
from ggtui.core.memory.layers import RATIOS, recurrent_layers

if TYPE_CHECKING:
    from ggtui.core.memory.request import LoadRequest
    from ggtui.core.memory.shape import ModelShape

F32_BYTES = 4


def state_bytes_by_layer(shape: ModelShape, request: LoadRequest) -> tuple[int, ...]:
    """Bytes of each layer's state for all slots, in layer order; 0 for a layer that keeps none."""
    if shape.architecture in COMPRESSED:
        return _compressor_states(shape, request)
    n_states = max(1, request.n_parallel) * (1 + _kept_back(shape, request))
    each = (_shift_elements(shape) + _state_elements(shape)) * F32_BYTES * n_states
    return tuple(each if is_recurrent else 0 for is_recurrent in recurrent_layers(shape))


def _compressor_states(shape: ModelShape, request: LoadRequest) -> tuple[int, ...]:
    """What is gathered of the tokens of the next compressed cell: values and scores."""
    n_planes = 2 * F32_BYTES * max(1, request.n_parallel) * (1 + _kept_back(shape, request))
    narrow, wide = min(RATIOS), max(RATIOS)
    by_ratio = {
        narrow: n_planes * 2 * narrow * 2 * (shape.key_length + shape.indexer_key_length),
        wide: n_planes * wide * shape.key_length,
    }
    ratios = shape.compress_ratios.figures if shape.compress_ratios is not None else ()
    each = [by_ratio.get(ratio, 0) for ratio in ratios[: shape.n_layer]]
    return (*each, *((0,) * (shape.n_layer_all - len(each))))


def state_bytes(shape: ModelShape, request: LoadRequest) -> int:
    """Bytes of all of them."""
    return sum(state_bytes_by_layer(shape, request))


def _kept_back(shape: ModelShape, request: LoadRequest) -> int:
    return request.n_draft if shape.architecture in ROLLS_BACK else 0


def _shift_elements(shape: ModelShape) -> int:
    """Elements of the last inputs that a layer keeps: `n_embd_r`."""
    keys = shape.recurrent
    if keys is None:
        return 0
    if keys.wkv_head_size:
        return keys.token_shift_count * shape.n_embd
    if keys.shortconv_l_cache:
        return shape.n_embd * (keys.shortconv_l_cache - 1)
    if keys.kda_head_dim:
        n_kept = keys.conv_kernel - 1 if keys.conv_kernel else 3
        return 3 * n_kept * shape.n_head_first * keys.kda_head_dim
    return max(0, keys.conv_kernel - 1) * (keys.inner_size + 2 * keys.group_count * keys.state_size)


def _state_elements(shape: ModelShape) -> int:
    """Elements of the state itself: `n_embd_s`."""
    keys = shape.recurrent
    if shape.architecture == "minimax-01":
        return shape.key_length**2 * shape.n_head_first
    if keys is None:
        return 0
    if keys.wkv_head_size:
        return shape.n_embd * keys.wkv_head_size
    if keys.kda_head_dim:
        return keys.kda_head_dim**2 * shape.n_head_first
    return keys.state_size * keys.inner_size
