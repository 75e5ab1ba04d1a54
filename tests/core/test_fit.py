"""The bytes of a model by part, against figures that llama.cpp itself logged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ggtui.core.fit import (
    COMPUTE_DEFAULT_BYTES,
    compute_buffer_bytes,
    estimate,
    kv_cache_bytes,
    kv_cell_bytes,
    padded_ctx,
    row_bytes,
)
from ggtui.core.models import AttentionShape, KvType, LaunchOptions, ModelSummary
from ggtui.core.units import MIB

LLAMA_8B_SHAPE = AttentionShape(n_head_kv=(8,) * 32, key_length=128, value_length=128)
LLAMA_8B = ModelSummary(
    id=1,
    public_id="llama-3.1-8b-q4_k_m",
    name="Llama 3.1 8B",
    architecture="llama",
    size_bytes=4_912_898_048,
    n_ctx_train=131_072,
    attention=LLAMA_8B_SHAPE,
    n_embd=4096,
    n_ff=14_336,
    n_vocab=128_256,
)


@pytest.mark.parametrize(
    ("kv_type", "expected_mib"),
    [(KvType.F16, 4096), (KvType.Q8_0, 2176), (KvType.Q4_0, 1152), (KvType.F32, 8192)],
)
def test_kv_cache_of_an_8b_at_32k_is_what_the_engine_logs(kv_type: KvType, expected_mib: int) -> None:
    options = LaunchOptions(cache_type_k=kv_type, cache_type_v=kv_type)

    assert expected_mib * MIB == kv_cache_bytes(LLAMA_8B_SHAPE, 32_768, options)


def test_k_and_v_have_their_own_types() -> None:
    options = LaunchOptions(cache_type_k=KvType.Q8_0, cache_type_v=KvType.F16)

    assert (2176 + 4096) // 2 * MIB == kv_cache_bytes(LLAMA_8B_SHAPE, 32_768, options)


def test_context_is_rounded_up_to_256() -> None:
    assert [256, 256, 512, 4096] == [padded_ctx(n) for n in (1, 256, 257, 4096)]


def test_slots_share_a_unified_pool_and_have_their_own_otherwise() -> None:
    shared = kv_cache_bytes(LLAMA_8B_SHAPE, 4096, LaunchOptions(n_parallel=4, kv_unified=True))
    apart = kv_cache_bytes(LLAMA_8B_SHAPE, 4096, LaunchOptions(n_parallel=4, kv_unified=False))

    assert 512 * MIB == shared
    assert 4 * shared == apart


def test_layers_without_kv_heads_hold_nothing() -> None:
    half = AttentionShape(n_head_kv=(8, 0) * 16, key_length=128, value_length=128)

    assert kv_cell_bytes(LLAMA_8B_SHAPE, LaunchOptions()) == 2 * kv_cell_bytes(half, LaunchOptions())


def test_without_flash_attention_v_is_as_wide_as_the_widest_layer() -> None:
    uneven = AttentionShape(n_head_kv=(8, 4), key_length=64, value_length=64)

    assert (12 + 12) * 64 * 2 == kv_cell_bytes(uneven, LaunchOptions(flash_attn=True))
    assert (12 + 16) * 64 * 2 == kv_cell_bytes(uneven, LaunchOptions(flash_attn=False))


@pytest.mark.parametrize(
    ("kv_type", "n_bytes"),
    [
        (KvType.F32, 128),
        (KvType.BF16, 64),
        (KvType.Q5_1, 24),
        (KvType.Q5_0, 22),
        (KvType.Q4_1, 20),
        (KvType.IQ4_NL, 18),
    ],
)
def test_a_row_of_one_block(kv_type: KvType, n_bytes: int) -> None:
    assert n_bytes == row_bytes(kv_type, 32)


def test_compute_buffer_of_an_8b_at_32k_is_within_one_percent_of_the_engine() -> None:
    measured = 4 * 512 * 59_398 + 2 * 512 * 32_768

    assert measured == pytest.approx(compute_buffer_bytes(LLAMA_8B, 32_768, LaunchOptions()), rel=0.01)


def test_compute_buffer_grows_a_lot_without_flash_attention() -> None:
    without = compute_buffer_bytes(LLAMA_8B, 32_768, LaunchOptions(flash_attn=False))

    assert 2156 * MIB == pytest.approx(without, rel=0.05)


def test_compute_buffer_of_an_unknown_shape_is_the_labelled_default() -> None:
    unknown = replace(LLAMA_8B, n_ff=None)

    assert COMPUTE_DEFAULT_BYTES == compute_buffer_bytes(unknown, 4096, LaunchOptions())


def test_parts_add_up() -> None:
    parts = estimate(LLAMA_8B, 4096, LaunchOptions())

    assert 4_912_898_048 == parts.weights_bytes
    assert 512 * MIB == parts.kv_bytes
    assert 4 * 128_256 * 4 == parts.output_bytes
    assert parts.total_bytes == (
        parts.weights_bytes + parts.kv_bytes + parts.compute_bytes + parts.output_bytes
    )


def test_an_unknown_cache_counts_nothing() -> None:
    assert 0 == estimate(replace(LLAMA_8B, attention=None), 4096, LaunchOptions()).kv_bytes


def test_more_context_never_takes_less() -> None:
    totals = [estimate(LLAMA_8B, n, LaunchOptions()).total_bytes for n in range(1, 9000, 127)]

    assert sorted(totals) == totals
