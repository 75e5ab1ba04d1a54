"""KV bytes of published models, and what they depend on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.memory.cache import BLOCKS, kv_bytes, row_bytes
from ggtui.core.memory.request import LoadRequest
from ggtui.core.memory.shape import ModelShape, WindowKeys
from ggtui.core.models import KvType
from ggtui.core.units import MIB
from tests.shapes import dense_shape

LLAMA = dense_shape()
GEMMA3_27B = replace(
    dense_shape("gemma3", n_layer=62, n_embd=5376, n_ff=21_504, n_head=32, n_head_kv=16),
    window=WindowKeys(n_swa=1024),
)
DEEPSEEK_V3 = replace(
    dense_shape("deepseek2", n_layer=61, n_embd=7168, n_ff=18_432, n_head=128, n_head_kv=1),
    key_length=576,
    value_length=512,
    is_mla=True,
)
GPT_OSS_20B = replace(
    dense_shape("gpt-oss", n_layer=24, n_embd=2880, n_ff=2880, n_head=64, n_head_kv=8, head_length=64),
    window=WindowKeys(n_swa=128),
)
ONE = LoadRequest()


@pytest.mark.parametrize(
    ("shape", "request_", "expected_mib"),
    [
        (LLAMA, ONE, 4096),
        (LLAMA, replace(ONE, cache_type_k=KvType.Q8_0, cache_type_v=KvType.Q8_0), 2176),
        (LLAMA, replace(ONE, cache_type_k=KvType.Q4_0, cache_type_v=KvType.Q4_0), 1152),
        (GEMMA3_27B, ONE, 3184),
        (GEMMA3_27B, replace(ONE, n_parallel=4), 4432),
        (GEMMA3_27B, replace(ONE, swa_full=True), 15_872),
        (DEEPSEEK_V3, ONE, 2196),
        (GPT_OSS_20B, ONE, 786),
    ],
)
def test_published_models_at_32k(shape: ModelShape, request_: LoadRequest, expected_mib: int) -> None:
    assert expected_mib * MIB == kv_bytes(shape, request_, 32_768)


def test_slots_of_their_own_divide_what_is_asked_for_them_all() -> None:
    split = LoadRequest(n_parallel=4, kv_unified=False)

    assert 5056 * MIB == kv_bytes(GEMMA3_27B, split, 32_768 // 4)
    assert kv_bytes(LLAMA, ONE, 32_768) == kv_bytes(LLAMA, split, 32_768 // 4)


def test_rows_are_whole_blocks() -> None:
    for kv_type, (elements, size) in BLOCKS.items():
        assert 0 == row_bytes(kv_type, 0)
        assert size == row_bytes(kv_type, 1)
        assert 7 * size == row_bytes(kv_type, 7 * elements)


def test_without_flash_attention_every_v_is_as_wide_as_the_widest() -> None:
    uneven = replace(LLAMA, n_head_kv=type(LLAMA.n_head_kv).of([8, 4] * 16))

    with_flash = kv_bytes(uneven, ONE, 256)
    without = kv_bytes(uneven, ONE, 256, flash_attn=False)

    assert 256 * 2 * 128 * 16 * (12 + 12) == with_flash
    assert 256 * 2 * 128 * 16 * (12 + 16) == without


@given(st.integers(1, 200_000), st.integers(1, 50_000))
def test_more_context_never_takes_less(n_ctx: int, more: int) -> None:
    for shape in (LLAMA, GEMMA3_27B, DEEPSEEK_V3, GPT_OSS_20B):
        assert kv_bytes(shape, ONE, n_ctx) <= kv_bytes(shape, ONE, n_ctx + more)


@given(st.integers(1, 200_000), st.integers(1, 200), st.booleans())
def test_more_slots_never_take_less(n_ctx: int, n_slots: int, is_unified: bool) -> None:
    fewer = LoadRequest(n_parallel=n_slots, kv_unified=is_unified)
    more = replace(fewer, n_parallel=n_slots + 1)

    for shape in (LLAMA, GEMMA3_27B):
        assert kv_bytes(shape, fewer, n_ctx) <= kv_bytes(shape, more, n_ctx)


@given(st.integers(1, 500_000))
def test_q8_0_takes_34_of_64_parts_of_f16(n_ctx: int) -> None:
    q8_0 = LoadRequest(cache_type_k=KvType.Q8_0, cache_type_v=KvType.Q8_0)

    assert 34 * kv_bytes(GEMMA3_27B, ONE, n_ctx) == 64 * kv_bytes(GEMMA3_27B, q8_0, n_ctx)


def test_the_cache_grows_in_steps_of_256() -> None:
    assert kv_bytes(LLAMA, ONE, 1) == kv_bytes(LLAMA, ONE, 256)
    assert kv_bytes(LLAMA, ONE, 257) == 2 * kv_bytes(LLAMA, ONE, 256)
