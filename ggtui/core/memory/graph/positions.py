"""t5: a bias of each head for each distance, and an encoder whose result every layer of the decoder reads.

Source: llama.cpp src/models/t5.cpp and build_pos_bias in src/llama-graph.cpp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ggtui.core.memory.graph.walk import Launch
    from ggtui.core.memory.shape import ModelShape

AROUND = 6
"""Vectors of the embedding's width beside the scores: input, stream, norm, queries and gaps."""


def positions_floats(shape: ModelShape, launch: Launch, full: int) -> float:
    """Floats of the batch where scores, the bias and a copy of it are in use, or the encoder is read."""
    if shape.architecture == "t5encoder":
        return _biased(shape, launch, launch.n_tokens, launch.n_tokens)
    if shape.architecture != "t5":
        return 0.0
    n_read = shape.n_ctx_train
    share = 0.5 if launch.is_flash else 1.0
    beside = n_read * shape.n_embd + share * n_read * launch.n_tokens
    biased = beside + _biased(shape, launch, full, n_values=full)
    inputs = launch.n_tokens * ((1 + share) * full + AROUND * shape.n_embd)
    return max(biased, beside + inputs + _read(shape, launch, n_read))


def _biased(shape: ModelShape, launch: Launch, cells: int, n_values: int) -> float:
    """Distances as whole numbers, the mask, scores, biases and their copy, and V laid across."""
    share = 0.5 if launch.is_flash else 1.0
    n_head = shape.n_head_first
    scores = launch.n_tokens * cells * (1 + share + 3 * n_head)
    values = n_head * shape.value_length * n_values
    return scores + values * 0.5 + launch.n_tokens * (AROUND - 2) * shape.n_embd


def _read(shape: ModelShape, launch: Launch, n_read: int) -> float:
    """Keys and values of all that the encoder has written."""
    n_head = shape.n_head_first
    keys = n_read * n_head * shape.key_length
    if launch.is_flash:
        return 2.5 * keys
    return 3 * keys + n_read * n_head * launch.n_tokens
