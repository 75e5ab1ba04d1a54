"""The hyper-parameters behind cache and compute buffer, and their limits."""

from __future__ import annotations

import pytest

from ggtui.adapters.gguf.header import SkippedArray, Value
from ggtui.adapters.gguf.shape import Keys, attention_shape, feed_forward_width
from ggtui.core.errors import HeaderUnreadable
from ggtui.core.models import AttentionShape

LEAST: dict[str, Value] = {"block_count": 2, "embedding_length": 64, "attention.head_count": 4}


def keys(architecture: str = "llama", /, **changes: Value) -> Keys:
    """Keys of this architecture; underscores of two in a row stand for a dot."""
    own = LEAST | {name.replace("__", "."): value for name, value in changes.items()}
    return Keys({f"{architecture}.{name}": value for name, value in own.items()}, architecture)


def test_kv_heads_default_to_heads() -> None:
    assert AttentionShape((4, 4), 16, 16) == attention_shape(keys())


def test_head_lengths_may_be_stated() -> None:
    stated = keys(attention__head_count_kv=2, attention__key_length=128, attention__value_length=64)

    assert AttentionShape((2, 2), 128, 64) == attention_shape(stated)


def test_heads_may_differ_by_layer() -> None:
    uneven = keys(attention__head_count=(4, 8), attention__head_count_kv=(0, 2))

    assert AttentionShape((0, 2), 16, 16) == attention_shape(uneven)


def test_prediction_layers_hold_no_cache() -> None:
    assert AttentionShape((4,), 16, 16) == attention_shape(keys(nextn_predict_layers=1))


@pytest.mark.parametrize("name", ["block_count", "attention.head_count"])
def test_without_these_keys_the_shape_is_unknown(name: str) -> None:
    without = {f"llama.{key}": value for key, value in LEAST.items() if key != name}

    assert attention_shape(Keys(without, "llama")) is None


@pytest.mark.parametrize(
    ("architecture", "changes", "expected"),
    [
        ("llama", {}, True),
        ("qwen3", {}, True),
        ("phi3", {"attention__sliding_window": 2048}, True),
        ("gemma3", {}, False),
        ("gpt-oss", {}, False),
        ("mamba", {"ssm__state_size": 16}, False),
        ("llama", {"ssm__state_size": 16}, False),
        ("olmo2", {}, True),
        ("olmo2", {"attention__sliding_window": 4096}, False),
        ("deepseek2", {}, True),
        ("deepseek2", {"attention__key_length_mla": 192}, False),
        ("brand-new", {}, False),
    ],
)
def test_only_known_plain_architectures_are_ordinary(
    architecture: str, changes: dict[str, Value], expected: bool
) -> None:
    shape = attention_shape(keys(architecture, **changes))

    assert shape is not None
    assert expected is shape.is_ordinary


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
    ],
)
def test_figures_at_which_the_engine_aborts_are_refused(changes: dict[str, Value]) -> None:
    with pytest.raises(HeaderUnreadable):
        attention_shape(keys(**changes))


def test_no_heads_at_all_divide_nothing() -> None:
    assert AttentionShape((0, 0), 0, 0) == attention_shape(keys(attention__head_count=0))


def test_a_figure_of_another_type_is_absent() -> None:
    assert attention_shape(keys(block_count="2")) is None
    assert attention_shape(keys(block_count=True)) is None


def test_the_width_of_a_dense_model_is_its_largest_layer() -> None:
    assert 256 == feed_forward_width(keys(feed_forward_length=(128, 256)))
    assert feed_forward_width(keys()) is None


def test_experts_count_as_a_dense_width_with_the_same_buffer() -> None:
    qwen3_30b = keys(
        "qwen3moe",
        embedding_length=2048,
        feed_forward_length=6144,
        expert_count=128,
        expert_used_count=8,
        expert_feed_forward_length=768,
    )

    width = feed_forward_width(qwen3_30b)

    assert width is not None
    assert 45_062 == pytest.approx(3 * width + 4 * 2048, rel=0.001)


def test_leading_dense_layers_count_where_they_are_wider() -> None:
    mixed = keys(
        feed_forward_length=10_000,
        expert_count=8,
        expert_used_count=2,
        expert_feed_forward_length=100,
        leading_dense_block_count=1,
    )

    assert 10_000 == feed_forward_width(mixed)


@pytest.mark.parametrize("changes", [{"expert_count": 1025}, {"expert_count": 2, "expert_used_count": 3}])
def test_impossible_experts_are_refused(changes: dict[str, Value]) -> None:
    with pytest.raises(HeaderUnreadable):
        feed_forward_width(keys(feed_forward_length=128, **changes))
