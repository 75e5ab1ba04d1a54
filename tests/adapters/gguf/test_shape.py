"""The hyper-parameters behind caches, states and compute buffer, and their limits."""

from __future__ import annotations

import pytest

from ggtui.adapters.gguf.header import SkippedArray, Value
from ggtui.adapters.gguf.shape import Keys, model_shape
from ggtui.core.errors import HeaderUnreadable
from ggtui.core.memory.shape import ModelShape, PerLayer, RecurrentKeys, WindowKeys

LEAST: dict[str, Value] = {"block_count": 2, "embedding_length": 64, "attention.head_count": 4}


def keys(architecture: str = "llama", /, **changes: Value) -> Keys:
    """Keys of this architecture; underscores of two in a row stand for a dot."""
    own = LEAST | {name.replace("__", "."): value for name, value in changes.items()}
    return Keys({f"{architecture}.{name}": value for name, value in own.items()}, architecture)


def shape_of(architecture: str = "llama", /, **changes: Value) -> ModelShape:
    """The shape of these keys."""
    found = model_shape(keys(architecture, **changes))
    assert found is not None
    return found


def test_kv_heads_default_to_heads_and_their_length_to_a_share_of_the_embedding() -> None:
    shape = shape_of()

    assert ((4, 4), (4, 4)) == (shape.n_head.figures, shape.n_head_kv.figures)
    assert (16, 16, 16, 16) == (
        shape.key_length,
        shape.value_length,
        shape.key_length_swa,
        shape.value_length_swa,
    )


def test_head_lengths_may_be_stated_and_differ_in_windows() -> None:
    shape = shape_of(
        attention__head_count_kv=2,
        attention__key_length=128,
        attention__value_length=64,
        attention__key_length_swa=32,
    )

    assert (2, 2) == shape.n_head_kv.figures
    assert (128, 64) == (shape.key_length, shape.value_length)
    assert (32, 64) == (shape.key_length_swa, shape.value_length_swa)


def test_heads_may_differ_by_layer() -> None:
    shape = shape_of(attention__head_count=(4, 8), attention__head_count_kv=(0, 2))

    assert (0, 2) == shape.n_head_kv.figures


def test_layers_that_only_predict_further_tokens_are_told_apart() -> None:
    shape = shape_of(nextn_predict_layers=1)

    assert (2, 1, 1) == (shape.n_layer_all, shape.n_nextn, shape.n_layer)


def test_without_a_number_of_layers_the_shape_is_unknown() -> None:
    without = {f"llama.{key}": value for key, value in LEAST.items() if key != "block_count"}

    assert model_shape(Keys(without, "llama")) is None


def test_both_compressed_lengths_make_a_compressed_cache() -> None:
    one = shape_of("deepseek2", attention__key_length_mla=192)
    both = shape_of("deepseek2", attention__key_length_mla=192, attention__value_length_mla=128)

    assert [False, True] == [one.is_mla, both.is_mla]


def test_a_window_pattern_may_be_one_number_or_one_entry_for_each_layer() -> None:
    one = shape_of("gemma3", attention__sliding_window=512, attention__sliding_window_pattern=6)
    each = shape_of("gemma4", attention__sliding_window=512, attention__sliding_window_pattern=(True, False))

    assert WindowKeys(512, 6, None) == one.window
    assert WindowKeys(512, None, PerLayer.of((1, 0))) == each.window


def test_sizes_of_a_state_are_kept_only_where_there_is_one() -> None:
    mamba = shape_of("mamba", ssm__conv_kernel=4, ssm__inner_size=128, ssm__state_size=16)

    assert RecurrentKeys(conv_kernel=4, inner_size=128, state_size=16) == mamba.recurrent
    assert shape_of().recurrent is None


def test_a_looped_model_has_its_layers_several_times_and_a_router_is_one_more() -> None:
    looped = shape_of("nanbeige", num_loops=2)
    routed = shape_of("graniteswitch")

    assert (4, 4, 4, 4) == looped.n_head_kv.figures
    assert (3, 1) == (routed.n_layer_all, routed.n_nextn)
    assert (4, 4, 1) == routed.n_head_kv.figures


@pytest.mark.parametrize(
    "changes",
    [
        {"block_count": 0},
        {"block_count": 513},
        {"block_count": -1},
        {"nextn_predict_layers": 2},
        {"attention__head_count": -1},
        {"attention__head_count": (4,)},
        {"attention__head_count": (4, 4, 4)},
        {"attention__head_count_kv": (4, -1)},
        {"attention__head_count_kv": (4, 0.5)},
        {"attention__head_count_kv": SkippedArray(2000)},
        {"attention__key_length": 1 << 40},
        {"expert_count": 1025},
        {"expert_count": 2, "expert_used_count": 3},
    ],
)
def test_figures_at_which_the_engine_aborts_are_refused(changes: dict[str, Value]) -> None:
    with pytest.raises(HeaderUnreadable):
        model_shape(keys(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"attention__sliding_window_pattern": (float("nan"), float("inf"))},
        {"attention__recurrent_layers": (1.5, -7)},
        {"attention__sliding_window_pattern": -3},
        {"attention__indexer__types": SkippedArray(9)},
    ],
)
def test_odd_entries_by_layer_are_passed_over(changes: dict[str, Value]) -> None:
    assert 2 == shape_of(**changes).n_layer_all


def test_no_heads_at_all_divide_nothing() -> None:
    shape = shape_of(attention__head_count=0, attention__key_length=64)

    assert (0, 0, 0) == (shape.key_length, shape.value_length, shape.n_head_first)


def test_a_figure_of_another_type_is_absent() -> None:
    assert model_shape(keys(block_count="2")) is None
    assert model_shape(keys(block_count=True)) is None


def test_experts_have_widths_of_their_own() -> None:
    shape = shape_of(
        "qwen3moe",
        feed_forward_length=6144,
        expert_count=128,
        expert_used_count=8,
        expert_feed_forward_length=768,
    )

    assert (128, 8, 768) == (shape.experts.n_expert, shape.experts.n_used, shape.experts.n_ff)
    assert (6144, 6144) == shape.n_ff.figures
