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
)
from ggtui.core.memory.request import LoadRequest
from ggtui.core.memory.shape import ExpertKeys, ModelShape
from ggtui.core.units import MIB
from tests.shapes import dense_shape

LLAMA_8B = dense_shape()
LLAMA_70B = dense_shape(n_layer=80, n_embd=8192, n_ff=28_672, n_head=64)
QWEN3_06B = dense_shape("qwen3", n_layer=28, n_embd=1024, n_ff=3072, n_head=16)
DEEPSEEK_V3 = replace(
    dense_shape("deepseek2", n_layer=61, n_embd=7168, n_head=128, n_head_kv=1),
    is_mla=True,
    key_length=576,
    experts=ExpertKeys(256, 8, 2048, n_dense_lead=3),
)
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

    assert MeasuredCompute(60_000.0, n_slots=1) == known
    assert real == compute_bytes(LLAMA_8B, ONE, 8192, known)
    assert 4 * 512 * 60_000 + 2 * 512 * 32_768 == compute_bytes(LLAMA_8B, ONE, 32_768, known)


def test_a_load_whose_attention_was_the_peak_teaches_nothing() -> None:
    without = replace(ONE, flash_attn=False)

    assert learned(LLAMA_8B, without, 32_768, compute_bytes(LLAMA_8B, without, 32_768)) is None


def test_the_best_source_is_taken() -> None:
    measured = MeasuredCompute(1.0)

    assert ComputeSource.MEASURED is compute_source(LLAMA_8B, ONE, measured)
    assert ComputeSource.TABLE is compute_source(DEEPSEEK_V3, ONE)
    assert ComputeSource.FORMULA is compute_source(LLAMA_8B, ONE)
    assert ComputeSource.UNKNOWN is compute_source(dense_shape(n_embd=0), ONE)
    assert UNKNOWN_BYTES < compute_bytes(dense_shape(n_embd=0), ONE, 4096)


def test_beside_devices_the_host_keeps_embeddings_and_masks() -> None:
    assert 8 * 4096 * 512 + 2 * 512 * 8192 == host_compute_bytes(LLAMA_8B, ONE, 8192)
