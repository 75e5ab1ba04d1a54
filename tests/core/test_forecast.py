"""The forecast: after, spare, verdict, the largest context, and the slider's stops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ggtui.core.forecast import (
    Verdict,
    allocated_bytes,
    context_stops,
    forecast,
    largest_by_cache_type,
    needed_bytes,
    next_stop,
    previous_stop,
)
from ggtui.core.memory.compute import MeasuredCompute
from ggtui.core.memory.confidence import Confidence
from ggtui.core.memory.inverse import USUAL_TYPES, Limit
from ggtui.core.memory.pool import MemoryPool, PoolDevice, PoolKind
from ggtui.core.memory.shape import PerLayer
from ggtui.core.memory.weights import ModelWeights
from ggtui.core.models import AdapterFile, KvType, LaunchOptions, ModelSummary
from ggtui.core.units import GIB, MIB
from tests.shapes import dense_shape

OPTIONS = LaunchOptions()
MODEL = ModelSummary(
    id=1,
    public_id="llama-3.1-8b-q4_k_m",
    name="Llama 3.1 8B",
    architecture="llama",
    size_bytes=5 * GIB,
    n_ctx_train=131_072,
    shape=dense_shape(),
)
GPU_24 = MemoryPool(PoolKind.GPU, 24 * GIB, 0, GIB, overflow_bytes=60 * GIB, n_devices=1)


def _largest_ctx(model: ModelSummary, options: LaunchOptions, pool: MemoryPool) -> int | None:
    ahead = forecast(model, 4096, options, pool)
    return None if ahead is None else ahead.largest_ctx


def test_after_is_the_others_and_the_model() -> None:
    pool = replace(GPU_24, used_by_others_bytes=3 * GIB)

    look = forecast(MODEL, 32_768, OPTIONS, pool, frees=("other",))

    assert look is not None
    assert 3 * GIB + needed_bytes(MODEL, 32_768, OPTIONS, pool) == look.after_bytes
    assert 24 * GIB - look.after_bytes == look.spare_bytes
    assert 4 * GIB == look.kv_bytes
    assert look.after_bytes == 3 * GIB + look.model_bytes
    assert Verdict.FITS is look.verdict
    assert ("other",) == look.frees
    assert look.is_estimate


def test_adapters_count_in_every_sum() -> None:
    adapter = AdapterFile("code", Path("/l/code.gguf"), tensor_bytes=300 * MIB)
    with_it = replace(OPTIONS, adapters=(adapter, adapter))
    alone, look = forecast(MODEL, 8192, OPTIONS, GPU_24), forecast(MODEL, 8192, with_it, GPU_24)

    assert alone is not None
    assert look is not None
    assert 600 * MIB == look.beside_bytes == look.after_bytes - alone.after_bytes
    needed = (needed_bytes(MODEL, 8192, options, GPU_24) for options in (with_it, OPTIONS))
    assert 600 * MIB == next(needed) - next(needed)
    allocated = (allocated_bytes(MODEL, 8192, options) for options in (with_it, OPTIONS))
    assert 600 * MIB == next(allocated) - next(allocated)


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        (GPU_24, Verdict.FITS),
        (replace(GPU_24, total_bytes=6 * GIB), Verdict.PART),
        (replace(GPU_24, total_bytes=6 * GIB, overflow_bytes=0), Verdict.NO),
        (replace(GPU_24, used_by_others_bytes=23 * GIB), Verdict.PART),
        (MemoryPool(PoolKind.RAM, 16 * GIB, 2 * GIB, GIB), Verdict.FITS),
        (MemoryPool(PoolKind.RAM, 8 * GIB, 2 * GIB, GIB), Verdict.NO),
        (MemoryPool(PoolKind.RAM, 0, 0, 0), Verdict.GUESS),
    ],
)
def test_verdict_follows_the_room(pool: MemoryPool, expected: Verdict) -> None:
    look = forecast(MODEL, 8192, OPTIONS, pool)

    assert look is not None
    assert expected is look.verdict


def test_a_part_tells_how_many_layers_the_devices_take() -> None:
    look = forecast(MODEL, 8192, OPTIONS, replace(GPU_24, total_bytes=4 * GIB))

    assert look is not None
    assert Verdict.PART is look.verdict
    assert look.n_layers_on_gpu is not None
    assert 0 < look.n_layers_on_gpu < 32
    assert 32 == look.n_layers


def test_an_unknown_shape_is_a_guess_without_a_largest_context() -> None:
    look = forecast(replace(MODEL, shape=None), 8192, OPTIONS, GPU_24)

    assert look is not None
    assert Verdict.GUESS is look.verdict
    assert look.largest_ctx is None


def test_an_odd_cache_is_a_guess_even_where_the_overstated_sum_would_not_fit() -> None:
    odd = replace(MODEL, architecture="odd", shape=dense_shape("odd"))

    roomy = forecast(odd, 8192, OPTIONS, GPU_24)
    tight = forecast(odd, 131_072, OPTIONS, replace(GPU_24, total_bytes=8 * GIB))
    hopeless = forecast(odd, 8192, OPTIONS, replace(GPU_24, total_bytes=4 * GIB, overflow_bytes=0))

    assert [Verdict.GUESS, Verdict.GUESS, Verdict.NO] == [
        look.verdict for look in (roomy, tight, hopeless) if look is not None
    ]


def test_a_broken_model_has_no_figures() -> None:
    assert forecast(replace(MODEL, problem="cut off"), 8192, OPTIONS, GPU_24) is None


def test_the_largest_context_is_the_last_step_that_fits() -> None:
    pool = replace(GPU_24, total_bytes=10 * GIB)

    largest = _largest_ctx(MODEL, OPTIONS, pool)

    assert largest is not None
    assert 0 == largest % 256
    assert needed_bytes(MODEL, largest, OPTIONS, pool) <= pool.room_bytes
    assert needed_bytes(MODEL, largest + 256, OPTIONS, pool) > pool.room_bytes


def test_the_largest_context_is_at_most_as_trained() -> None:
    assert 131_072 == _largest_ctx(MODEL, OPTIONS, GPU_24)
    assert 1000 == _largest_ctx(replace(MODEL, n_ctx_train=1000), OPTIONS, GPU_24)


def test_no_context_fits_where_the_weights_do_not() -> None:
    assert _largest_ctx(MODEL, OPTIONS, replace(GPU_24, total_bytes=5 * GIB)) is None


def test_each_device_must_hold_its_own_share() -> None:
    devices = (PoolDevice("GPU0", 24 * GIB, 0), PoolDevice("GPU1", 24 * GIB, 0))
    even = MemoryPool(PoolKind.GPU, 48 * GIB, 0, 2 * GIB, 60 * GIB, 2, devices)
    options = LaunchOptions(extra_args=("-ts", "1,9"))
    large = replace(MODEL, size_bytes=30 * GIB)

    fits, uneven = forecast(large, 8192, OPTIONS, even), forecast(large, 8192, options, even)

    assert fits is not None
    assert uneven is not None
    assert [Verdict.FITS, Verdict.PART] == [fits.verdict, uneven.verdict]
    assert ("GPU0", "GPU1", "CPU") == tuple(share.name for share in fits.devices)
    in_pool = [share for share in fits.devices if not share.is_host]
    assert fits.model_bytes == sum(share.total_bytes for share in in_pool)
    assert all(share.total_bytes <= 23 * GIB for share in uneven.devices if not share.is_host)


def test_layers_that_a_person_keeps_on_the_host_make_it_a_part() -> None:
    look = forecast(MODEL, 8192, LaunchOptions(n_gpu_layers=20), GPU_24)

    assert look is not None
    assert (Verdict.PART, 20) == (look.verdict, look.n_layers_on_gpu)
    assert [20, 13] == [share.n_layers for share in look.devices]


def test_a_launch_that_the_engine_refuses_is_a_no_with_the_reason() -> None:
    options = LaunchOptions(cache_type_v=KvType.Q8_0, flash_attn=False)

    look = forecast(MODEL, 8192, options, GPU_24)

    assert look is not None
    assert (Verdict.NO, "a V cache of q8_0 needs flash attention") == (look.verdict, look.refusal)


def test_the_largest_context_by_cache_type_grows_as_the_cache_shrinks() -> None:
    pool = replace(GPU_24, total_bytes=10 * GIB)

    f16, q8_0, q4_0 = largest_by_cache_type(MODEL, OPTIONS, pool, USUAL_TYPES)

    assert [KvType.F16, KvType.Q8_0, KvType.Q4_0] == [each.cache_type for each in (f16, q8_0, q4_0)]
    assert (f16.n_ctx or 0) < (q8_0.n_ctx or 0) < (q4_0.n_ctx or 0)
    assert Limit.MEMORY is f16.limit
    (roomy,) = largest_by_cache_type(MODEL, OPTIONS, GPU_24, [KvType.Q4_0])
    assert (131_072, Limit.TRAINED) == (roomy.n_ctx, roomy.limit)
    (refused,) = largest_by_cache_type(MODEL, LaunchOptions(flash_attn=False), GPU_24, [KvType.Q8_0])
    assert (None, Limit.REFUSED) == (refused.n_ctx, refused.limit)


def test_what_was_learned_on_main_memory_makes_it_exact() -> None:
    ram = MemoryPool(PoolKind.RAM, 64 * GIB, 2 * GIB, GIB)
    known = replace(MODEL, weights=ModelWeights(PerLayer.of([GIB // 8] * 32), span_bytes=4 * GIB))

    guess = forecast(known, 8192, OPTIONS, ram)
    exact = forecast(known, 8192, OPTIONS, ram, measured=MeasuredCompute(70_000.0, n_slots=4))

    assert guess is not None
    assert exact is not None
    assert [Confidence.GOOD, Confidence.EXACT] == [guess.confidence, exact.confidence]
    assert 4 * 512 * 70_000 + 2 * 512 * 8192 == exact.compute_bytes
    assert [1, 0] == [len(guess.reasons), len(exact.reasons)]


def test_stops_are_powers_of_two_midpoints_and_the_maximum() -> None:
    assert (1024, 1536, 2048, 3072, 4096, 6144, 8192) == context_stops(8192)
    assert (1024, 1536, 2048, 3072, 4096, 5000) == context_stops(5000)
    assert (512,) == context_stops(512)
    assert 131_072 == context_stops(None)[-1]
    assert 49_152 in context_stops(131_072)


def test_steps_go_from_stop_to_stop_and_end_there() -> None:
    assert 3072 == next_stop(2048, 8192)
    assert 3072 == next_stop(2500, 8192)
    assert 8192 == next_stop(8192, 8192)
    assert 2048 == previous_stop(2500, 8192)
    assert 1536 == previous_stop(2048, 8192)
    assert 1024 == previous_stop(1024, 8192)


def test_the_drivers_share_is_that_of_the_newest_load_here_and_then_known() -> None:
    model = replace(MODEL, overhead_bytes=300 * MIB)
    ahead, guessed = (forecast(each, 4096, OPTIONS, GPU_24) for each in (model, MODEL))

    assert ahead is not None
    assert guessed is not None
    assert 300 * MIB == ahead.overhead_bytes
    assert not any("driver" in reason for reason in ahead.reasons)
    assert any("driver" in reason for reason in guessed.reasons)
