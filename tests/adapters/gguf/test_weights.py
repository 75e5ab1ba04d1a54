"""Sums of tensors by the place the engine loads them to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from ggtui.adapters.gguf.header import read_header
from ggtui.adapters.gguf.weights import MOST_LAYERS, PlaceSums
from ggtui.core.memory.weights import ModelWeights
from tests.models import tiny_model

if TYPE_CHECKING:
    from pathlib import Path

F32, Q4_K = 0, 12


def sums(*tensors: tuple[str, list[int], int, int]) -> ModelWeights:
    """The sums of these tensors, one behind the other: name, dimensions, type, bytes."""
    found, offset = PlaceSums(), 0
    for name, dims, type_id, n_bytes in tensors:
        found.add(name, dims, type_id, n_bytes, offset)
        offset += n_bytes
    weights = found.weights()
    assert weights is not None
    return weights


def test_tensors_go_by_layer_and_place() -> None:
    weights = sums(
        ("token_embd.weight", [64, 100], F32, 1000),
        ("blk.0.attn_q.weight", [64, 64], F32, 256),
        ("blk.1.attn_q.weight", [64, 64], F32, 512),
        ("blk.1.ffn_up_exps.weight", [64, 64, 8], F32, 4096),
        ("output_norm.weight", [64], F32, 128),
        ("output.weight", [64, 100], F32, 2048),
        ("rope_freqs.weight", [32], F32, 128),
    )

    assert (256 + 128, 512) == weights.layers.figures
    assert (0, 4096) == weights.experts.figures
    assert (1000, 1000) == (weights.input.n_bytes, weights.input.span_bytes)
    assert 2176 == weights.output.n_bytes
    assert (0, 8168) == (weights.tied_bytes, weights.span_bytes)
    assert 8168 == weights.total_bytes


def test_without_an_output_matrix_the_embeddings_serve() -> None:
    weights = sums(("token_embd.weight", [64, 100], F32, 1001), ("per_layer_token_embd.weight", [64], F32, 9))

    assert (1001, 1010) == (weights.tied_bytes, weights.input.n_bytes)
    assert -1001 % 128 == weights.tied_padding_bytes


def test_types_that_a_cpu_reorders_are_told() -> None:
    weights = sums(
        ("token_embd.weight", [256, 8], Q4_K, 1152),
        ("blk.0.ffn_up.weight", [256, 8], Q4_K, 1152),
        ("blk.0.ffn_down.weight", [256, 7], Q4_K, 1008),
        ("blk.0.attn_norm.weight", [256], F32, 1024),
    )

    assert 1152 == weights.n_repack_bytes


def test_shards_add_up() -> None:
    first, second = PlaceSums(), PlaceSums()
    first.add("blk.0.attn_q.weight", [64, 64], F32, 256, 0)
    second.add("blk.0.attn_k.weight", [64, 64], F32, 128, 0)
    second.add("output.weight", [64, 64], F32, 64, 128)

    first.merge(second)
    weights = first.weights()

    assert weights is not None
    assert (384,) == weights.layers.figures
    assert (64, 448) == (weights.output.n_bytes, weights.span_bytes)


def test_names_of_no_layer_and_types_of_no_size_are_bounded() -> None:
    weights = sums(
        ("blk.99999999999999999999.x.weight", [1], F32, 4),
        ("blk.-1.x.weight", [1], F32, 4),
        ("blk.999.x.weight", [1], F32, 4),
        ("blk.²", [1], F32, 4),
        ("odd", [1], 255, 4),
    )

    assert MOST_LAYERS + 1 == len(weights.layers.letters)
    assert weights.has_unknown_types
    assert PlaceSums().weights() is None


def test_the_sums_of_a_file_are_its_bytes_and_survive_the_store(tmp_path: Path) -> None:
    header = read_header(tiny_model(tmp_path / "a.gguf"))
    weights = header.tensors.places.weights()

    assert weights is not None
    assert sum(header.tensors.bytes_by_type.values()) == weights.total_bytes
    assert header.tensors.data_end == weights.span_bytes
    encoded = msgspec.json.encode(weights)
    assert weights == msgspec.json.decode(encoded, type=ModelWeights)
    assert len(json.dumps(json.loads(encoded))) < 1200
