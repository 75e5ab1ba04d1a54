"""Launches that the engine refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ggtui.core.memory.refusals import refusals
from ggtui.core.memory.request import LoadRequest
from ggtui.core.models import KvType
from tests.shapes import dense_shape

Q8 = LoadRequest(cache_type_k=KvType.Q8_0, cache_type_v=KvType.Q8_0)
LLAMA = dense_shape()
COMPRESSED = replace(LLAMA, architecture="deepseek2", is_mla=True, key_length=576, value_length=512)


@pytest.mark.parametrize(
    ("architecture", "changes", "expected"),
    [
        ("llama", {}, ""),
        ("llama", {"flash_attn": False}, "a V cache of q8_0 needs flash attention"),
        ("grok", {}, "a V cache of q8_0 needs flash attention"),
        ("llama", {"cache_type_v": KvType.F16, "flash_attn": False}, ""),
        ("llama", {"n_parallel": 257}, "the engine serves at most 256 slots"),
    ],
)
def test_refusals(architecture: str, changes: dict[str, object], expected: str) -> None:
    request = replace(Q8, **changes)  # type: ignore[arg-type]

    assert expected == "; ".join(refusals(replace(LLAMA, architecture=architecture), request))


def test_heads_must_be_whole_blocks() -> None:
    narrow = dense_shape(head_length=80)

    assert (
        "a K cache of q8_0 needs heads of whole 32s; this model has 80",
        "a V cache of q8_0 needs heads of whole 32s; this model has 80",
    ) == refusals(narrow, Q8)
    assert () == refusals(narrow, LoadRequest())


def test_a_compressed_cache_has_one_type() -> None:
    assert () == refusals(COMPRESSED, Q8)
    assert ("deepseek2 takes only one cache type for K and V, not q8_0 and f16",) == refusals(
        COMPRESSED, replace(Q8, cache_type_v=KvType.F16)
    )


def test_some_models_cannot_be_split_by_tensors() -> None:
    assert () == refusals(COMPRESSED, Q8)
    assert ("deepseek2 cannot be split by tensors",) == refusals(COMPRESSED, Q8, splits_tensors=True)
    assert () == refusals(None, Q8)
