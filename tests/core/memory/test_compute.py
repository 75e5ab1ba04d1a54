"""The compute buffer: published models, and what a load teaches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ggtui.core.memory.compute import (
    UNKNOWN_BYTES,
    ComputeSource,
    MeasuredCompute,
    compute_bytes,
    compute_source,
    host_compute_bytes,
    learned,
    tokens_at_once,
)
from ggtui.core.memory.request import LoadRequest
from ggtui.core.memory.shape import ExpertKeys, ModelShape
from ggtui.core.models import KvType
from ggtui.core.units import MIB
from tests.shapes import dense_shape

LLAMA_8B = dense_shape()
LLAMA_70B = dense_shape(n_layer=80, n_embd=8192, n_ff=28_672, n_head=64)
QWEN3_06B = dense_shape("qwen3", n_layer=28, n_embd=1024, n_ff=3072, n_head=16)
DEEPSEEK_V3 = replace(
    dense_shape("deepseek2", n_layer=61, n_embd=7168, n_head=128, n_head_kv=1),
    is_mla=True,
    key_length=576,
    value_length=512,
    experts=ExpertKeys(256, 8, 2048, n_shared=1, n_dense_lead=3),
)
DEEPSEEK_V2_LITE = replace(DEEPSEEK_V3, n_layer_all=27, n_embd=2048, experts=ExpertKeys(64, 6, 1408))
ONE = LoadRequest()


@pytest.mark.parametrize(
    ("shape", "expected_mib"), [(QWEN3_06B, 58), (LLAMA_8B, 148), (LLAMA_70B, 264), (DEEPSEEK_V3, 440)]
)
def test_published_models_at_32k(shape: ModelShape, expected_mib: int) -> None:
    assert expected_mib == round(compute_bytes(shape, ONE, 32_768) / MIB)


def test_without_flash_attention_the_scores_are_kept() -> None:
    without = compute_bytes(LLAMA_8B, replace(ONE, flash_attn=False), 32_768)

    assert 2156 == pytest.approx(without / MIB, rel=0.01)


def test_a_load_teaches_what_the_next_one_takes() -> None:
    real = 4 * 512 * 60_000 + 2 * 512 * 8192

    known = learned(LLAMA_8B, ONE, 8192, real)

    assert known is not None
    assert MeasuredCompute(60_000.0, n_slots=1) == replace(known, floats_per_token=60_000.0)
    assert 60_000 == pytest.approx(known.floats_per_token)
    assert real == compute_bytes(LLAMA_8B, ONE, 8192, known)
    assert 4 * 512 * 60_000 + 2 * 512 * 32_768 == compute_bytes(LLAMA_8B, ONE, 32_768, known)


def test_a_load_whose_attention_was_the_peak_teaches_nothing() -> None:
    without = replace(ONE, flash_attn=False)

    assert learned(LLAMA_8B, without, 32_768, compute_bytes(LLAMA_8B, without, 32_768)) is None


def test_what_a_load_has_taught_holds_for_other_launches_in_proportion() -> None:
    """Twice the layers' floats in one launch are twice as many in any other."""
    many = replace(ONE, n_parallel=4, kv_unified=False, n_ubatch=2048)
    inputs = 4 * 512 * (4096 + 6) + 2 * 512 * 8192
    usual = compute_bytes(LLAMA_8B, ONE, 8192)

    known = learned(LLAMA_8B, ONE, 8192, inputs + 2 * (usual - inputs))

    assert known is not None
    assert not known.suits(LLAMA_8B, replace(ONE, cache_type_k=KvType.Q8_0))
    inputs = 4 * 2048 * (4096 + 6) + 2 * 2048 * 8192
    expected = inputs + 2 * (compute_bytes(LLAMA_8B, many, 8192) - inputs)
    assert expected == compute_bytes(LLAMA_8B, many, 8192, known)


def test_a_batch_holds_the_same_number_of_tokens_for_each_slot() -> None:
    assert 518 == tokens_at_once(LLAMA_8B, replace(ONE, n_parallel=7), 8192)
    assert 512 == tokens_at_once(LLAMA_8B, replace(ONE, n_parallel=4), 8192)
    assert 300 == tokens_at_once(LLAMA_8B, ONE, 300)


def test_the_best_source_is_taken() -> None:
    measured = MeasuredCompute(1.0)

    assert ComputeSource.MEASURED is compute_source(LLAMA_8B, ONE, measured)
    assert ComputeSource.TABLE is compute_source(DEEPSEEK_V2_LITE, ONE)
    assert ComputeSource.FORMULA is compute_source(LLAMA_8B, ONE)
    assert ComputeSource.UNKNOWN is compute_source(dense_shape(n_embd=0), ONE)
    assert UNKNOWN_BYTES < compute_bytes(dense_shape(n_embd=0), ONE, 4096)


def test_beside_devices_the_host_keeps_embeddings_and_masks() -> None:
    assert 8 * 4096 * 512 + 2 * 512 * 8192 == host_compute_bytes(LLAMA_8B, ONE, 8192)
