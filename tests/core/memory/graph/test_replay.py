"""The widest point of a graph: by hand for one layer, and what must hold for any model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ggtui.core.memory.families import KNOWN
from ggtui.core.memory.graph.replay import widest_floats
from ggtui.core.memory.graph.walk import Launch
from ggtui.core.memory.shape import ExpertKeys, ModelShape, RecurrentKeys
from tests.shapes import dense_shape

LLAMA_8B = dense_shape()
"""4096 wide, feed-forward 14,336, 32 heads of 128."""


def test_a_gated_layer_holds_the_stream_three_feed_forwards_and_the_gap_that_attention_left() -> None:
    stream, gap = 4096, 2 * 4096

    assert 512 * (stream + gap + 3 * 14_336) == widest_floats(LLAMA_8B, Launch(512))


def test_without_flash_attention_the_scores_of_all_heads_are_held() -> None:
    without = widest_floats(LLAMA_8B, Launch(512, is_flash=False, full_cells=32_768))

    assert without > 512 * 32 * 32_768
    assert widest_floats(LLAMA_8B, Launch(512)) == widest_floats(
        LLAMA_8B, Launch(512, is_flash=False, full_cells=256)
    )


def test_experts_come_back_as_wide_as_the_embedding_each() -> None:
    few, many = (
        replace(dense_shape("qwen3moe", n_embd=2048), experts=ExpertKeys(128, used, 768)) for used in (8, 16)
    )

    assert widest_floats(many, Launch(512)) - widest_floats(few, Launch(512)) == pytest.approx(
        512 * 8 * (3 * 768 + 2048), rel=0.01
    )


def test_a_recurrent_state_counts_once_for_each_slot() -> None:
    keys = RecurrentKeys(conv_kernel=4, inner_size=5120, state_size=128, group_count=1)
    shape = replace(dense_shape("mamba2", n_layer=4, n_embd=2560, n_ff=0), recurrent=keys)

    one, seven = (widest_floats(shape, Launch(518, slots)) for slots in (1, 7))

    assert seven - one >= 6 * 5120 * 128


@pytest.mark.parametrize("architecture", [*sorted(KNOWN), "not-known-yet"])
def test_a_walk_never_fails_and_never_shrinks_with_the_batch(architecture: str) -> None:
    keys = RecurrentKeys(4, 2048, 16, 1, wkv_head_size=64 if "rwkv" in architecture else 0)
    shape = replace(dense_shape(architecture, n_layer=3), recurrent=keys)

    small, large = (widest_floats(shape, Launch(n_tokens)) for n_tokens in (256, 512))

    assert 0 < small < large


def test_a_header_that_tells_little_is_walked_through_too() -> None:
    assert 0 < widest_floats(ModelShape("llama", n_layer_all=2, n_embd=64), Launch(512))
    assert 0 < widest_floats(ModelShape("gemma3n", n_layer_all=1, n_embd=64), Launch(512))
