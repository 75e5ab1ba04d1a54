"""Everything a load holds, by device: the sum, and what moves where."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggtui.core.memory.parts import Companions, DeviceRoom, DeviceShare
from ggtui.core.memory.plan import MemoryPlan
from ggtui.core.memory.request import LoadRequest
from ggtui.core.memory.shape import PerLayer
from ggtui.core.memory.weights import ModelWeights, PlaceWeights, cuda_padding
from ggtui.core.models import ModelSummary
from ggtui.core.units import GIB, MIB
from tests.shapes import dense_shape

WEIGHTS = ModelWeights(
    layers=PerLayer.of([100 * MIB, 120 * MIB] * 16),
    experts=PerLayer.of([1000 * MIB] * 32),
    padding=PerLayer.of([64] * 32),
    input=PlaceWeights(500 * MIB, 0, 500 * MIB),
    output=PlaceWeights(600 * MIB, 128),
    span_bytes=36_620 * MIB + 4096,
)
MODEL = ModelSummary(
    1, "m", "m", "llama", 36_700 * MIB, n_ctx_train=131_072, shape=dense_shape(), weights=WEIGHTS
)
GPU = DeviceRoom("GPU0", 60 * GIB, 64 * GIB, overhead_bytes=400 * MIB)
TWO = (GPU, replace(GPU, name="GPU1"))


def _of(shares: tuple[DeviceShare, ...], part: str) -> int:
    return sum(getattr(share, part) for share in shares)


def test_all_layers_and_the_output_go_to_the_device_and_the_embeddings_stay() -> None:
    gpu, host = MemoryPlan(MODEL, LoadRequest(), (GPU,)).shares(8192)

    assert (32 * 1110 + 600) * MIB + 32 * 64 + 128 == gpu.weights_bytes
    assert (500 * MIB, 500 * MIB) == (host.weights_bytes, host.mapped_bytes)
    assert (1024 * MIB, 0) == (gpu.kv_bytes, host.kv_bytes)
    assert (33, 0) == (gpu.n_layers, host.n_layers)
    assert 400 * MIB == gpu.overhead_bytes
    assert 4 * 128_256 == host.output_bytes
    assert 0 < host.compute_bytes < gpu.compute_bytes


def test_without_devices_the_host_maps_the_whole_file() -> None:
    (host,) = MemoryPlan(MODEL, LoadRequest()).shares(8192)
    (reordered,) = MemoryPlan(
        replace(MODEL, weights=replace(WEIGHTS, n_repack_bytes=30 * GIB)), LoadRequest()
    ).shares(8192)

    assert host.weights_bytes == host.mapped_bytes == WEIGHTS.span_bytes
    assert host.allocated_bytes == host.kv_bytes + host.compute_bytes + host.output_bytes
    assert WEIGHTS.span_bytes - 30 * GIB == reordered.mapped_bytes
    assert host.total_bytes == reordered.total_bytes


def test_layers_beyond_the_wanted_ones_stay_on_the_host_with_their_cache() -> None:
    gpu, host = MemoryPlan(MODEL, LoadRequest(n_gpu_layers=11), (GPU,)).shares(8192)

    assert (11, 22) == (gpu.n_layers, host.n_layers)
    assert (10 * 32 * MIB, 22 * 32 * MIB) == (gpu.kv_bytes, host.kv_bytes)
    assert gpu.compute_bytes == host.compute_bytes


def test_experts_may_be_kept_on_the_host() -> None:
    gpu, host = MemoryPlan(MODEL, LoadRequest(n_cpu_moe=4), (GPU,)).shares(8192)
    none, all_there = MemoryPlan(MODEL, LoadRequest(n_cpu_moe=1 << 20), (GPU,)).shares(8192)

    assert (28 * 1000 + 32 * 110 + 600) * MIB + 32 * 64 + 128 == gpu.weights_bytes
    assert 4500 * MIB == host.weights_bytes
    assert (32 * 110 + 600) * MIB + 32 * 64 + 128 == none.weights_bytes
    assert 32_500 * MIB == all_there.weights_bytes


def test_caches_stay_on_the_host_when_they_are_told_to() -> None:
    gpu, host = MemoryPlan(MODEL, LoadRequest(offload_kqv=False), (GPU,)).shares(8192)

    assert (0, 1024 * MIB) == (gpu.kv_bytes, host.kv_bytes)


def test_an_embedding_matrix_that_is_the_output_too_is_loaded_twice() -> None:
    tied = replace(MODEL, weights=replace(WEIGHTS, tied_bytes=500 * MIB, tied_padding_bytes=32))
    alone, twice = (MemoryPlan(each, LoadRequest(), (GPU,)).shares(256)[0] for each in (MODEL, tied))
    (host,) = MemoryPlan(tied, LoadRequest()).shares(256)

    assert 500 * MIB + 32 == twice.weights_bytes - alone.weights_bytes
    assert WEIGHTS.span_bytes == host.weights_bytes


def test_what_is_loaded_beside_is_counted_apart() -> None:
    draft = ModelSummary(2, "d", "d", "llama", 300 * MIB, shape=dense_shape(n_layer=4, n_embd=512, n_ff=2048))
    beside = Companions(adapters_bytes=330 * MIB, projector_bytes=800 * MIB, draft=draft)

    first, second, host = MemoryPlan(MODEL, LoadRequest(), TWO, companions=beside).shares(8192)

    assert 330 * MIB == _of((first, second, host), "adapters_bytes")
    assert (800 * MIB, 0) == (first.projector_bytes, second.projector_bytes)
    assert first.draft_bytes > 150 * MIB
    plain = MemoryPlan(MODEL, LoadRequest(), TWO).shares(8192)
    more = sum(share.total_bytes for share in (first, second, host)) - sum(s.total_bytes for s in plain)
    assert more == 1130 * MIB + _of((first, second, host), "draft_bytes")


@pytest.mark.parametrize(
    ("n_gpu_layers", "expected"), [(None, (17, 15, 0)), (17, (9, 7, 16)), (1, (0, 0, 32)), (0, (0, 0, 32))]
)
def test_adapters_go_where_the_layers_go_that_they_change(
    n_gpu_layers: int | None, expected: tuple[int, ...]
) -> None:
    beside = Companions(adapters_bytes=32 * MIB)
    shares = MemoryPlan(MODEL, LoadRequest(n_gpu_layers=n_gpu_layers), TWO, companions=beside).shares(512)

    assert expected == tuple(share.adapters_bytes // MIB for share in shares)
    assert 32 * MIB == _of(shares, "adapters_bytes")


@given(
    st.integers(1, 200_000),
    st.integers(0, 40),
    st.integers(0, 40),
    st.lists(st.integers(1, 100), min_size=1, max_size=4),
    st.integers(1, 8),
)
def test_no_split_loses_or_doubles_anything(
    n_ctx: int, n_gpu_layers: int, n_cpu_moe: int, split: list[int], n_parallel: int
) -> None:
    devices = [
        replace(GPU, name=str(at), free_bytes=part, pads_tensors=False) for at, part in enumerate(split)
    ]
    request = LoadRequest(n_parallel=n_parallel, n_gpu_layers=n_gpu_layers, n_cpu_moe=n_cpu_moe)

    shares = MemoryPlan(MODEL, request, devices).shares(n_ctx)
    (whole,) = MemoryPlan(MODEL, replace(request, n_cpu_moe=0)).shares(n_ctx)

    assert WEIGHTS.total_bytes == _of(shares, "weights_bytes")
    assert whole.kv_bytes == _of(shares, "kv_bytes")
    assert 33 == _of(shares, "n_layers")
    parts = ("weights", "kv", "state", "compute", "output", "overhead", "adapters", "projector", "draft")
    assert sum(share.total_bytes for share in shares) == sum(_of(shares, f"{part}_bytes") for part in parts)


@given(st.integers(1, 100_000), st.integers(1, 20_000), st.integers(1, 6), st.integers(1, 2048))
def test_more_context_slots_or_batch_never_take_less(
    n_ctx: int, more_ctx: int, n_parallel: int, n_ubatch: int
) -> None:
    request = LoadRequest(n_parallel=n_parallel, n_ubatch=n_ubatch)
    (here,) = MemoryPlan(MODEL, request).shares(n_ctx)
    (longer,) = MemoryPlan(MODEL, request).shares(n_ctx + more_ctx)
    (wider,) = MemoryPlan(MODEL, replace(request, n_ubatch=n_ubatch + 64)).shares(n_ctx)
    (further,) = MemoryPlan(MODEL, replace(request, n_parallel=n_parallel + 1)).shares(n_ctx)

    assert here.total_bytes <= min(longer.total_bytes, wider.total_bytes)
    # The engine rounds a batch up to a multiple of the slots, so more slots can mean fewer tokens of it.
    assert here.total_bytes - here.compute_bytes <= further.total_bytes - further.compute_bytes


def test_a_model_of_which_only_the_size_is_known_is_counted_whole() -> None:
    unknown = ModelSummary(3, "u", "u", "odd", 5 * GIB)

    gpu, host = MemoryPlan(unknown, LoadRequest(), (GPU,)).shares(8192)

    assert 5 * GIB == gpu.weights_bytes + host.weights_bytes
    assert 0 == gpu.kv_bytes + host.kv_bytes


def test_a_file_with_tensors_of_more_layers_than_it_says_loses_none() -> None:
    odd = replace(MODEL, shape=dense_shape(n_layer=3))

    gpu, host = MemoryPlan(odd, LoadRequest(), (replace(GPU, pads_tensors=False),)).shares(256)

    assert WEIGHTS.total_bytes == gpu.weights_bytes + host.weights_bytes


@pytest.mark.parametrize(
    ("n_bytes", "row", "block", "block_bytes", "expected"),
    [
        (4096 * 4096 * 2, 4096, 1, 2, 0),
        (4096 * 144 // 256, 4096, 256, 144, 0),
        (34 * 20, 640, 32, 34, 12 * 34 + (-(34 * 20 + 12 * 34) % 128)),
        (100, 25, 1, 4, 28),
    ],
)
def test_cuda_fills_up_rows_and_tensors(
    n_bytes: int, row: int, block: int, block_bytes: int, expected: int
) -> None:
    assert expected == cuda_padding(n_bytes, row, block, block_bytes)
