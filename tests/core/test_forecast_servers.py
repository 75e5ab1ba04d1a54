"""All servers of a model together: each counts on the part of the memory that it gets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ggtui.core.deployment.replicas import ONE, ReplicaPlan
from ggtui.core.forecast import Verdict, advised_ctx, forecast, largest_by_cache_type, needed_bytes
from ggtui.core.forecast_servers import (
    advised_ctx_of_servers,
    forecast_servers,
    largest_of_servers,
    needs,
)
from ggtui.core.forecast_words import forecast_line
from ggtui.core.memory.inverse import USUAL_TYPES
from ggtui.core.memory.parts import DeviceShare, together
from ggtui.core.memory.pool import MemoryPool, PoolDevice, PoolKind
from ggtui.core.models import LaunchOptions, ModelSummary
from ggtui.core.units import GIB
from tests.core.deployment.test_server_pools import gpus
from tests.shapes import dense_shape

OPTIONS = LaunchOptions()
MODEL = ModelSummary(1, "m", "m", "llama", 5 * GIB, n_ctx_train=131_072, shape=dense_shape())
"""128 KiB of KV cache for each token: a gigabyte for 8192 of them."""
MAIN = MemoryPool(PoolKind.RAM, 16 * GIB, 2 * GIB, GIB)
LARGE, SMALL = PoolDevice("GPU0", 24 * GIB, 0), PoolDevice("GPU1", 8 * GIB, 0)
TWO = ReplicaPlan(2)


def test_one_server_is_as_ever() -> None:
    assert forecast(MODEL, 8192, OPTIONS, MAIN) == forecast_servers(MODEL, 8192, OPTIONS, MAIN, ONE)


def test_in_main_memory_the_file_counts_once_and_all_else_for_each() -> None:
    one = forecast(MODEL, 8192, OPTIONS, MAIN)
    two = forecast_servers(MODEL, 8192, OPTIONS, MAIN, TWO)
    assert one is not None
    assert two is not None
    host = one.devices[-1]

    assert (2 * one.kv_bytes, 2 * one.compute_bytes) == (two.kv_bytes, two.compute_bytes)
    assert one.after_bytes + host.allocated_bytes == two.after_bytes
    assert one.after_bytes + two.spare_bytes + host.allocated_bytes == two.total_bytes
    assert (2, 2, Verdict.FITS) == (two.n_servers, two.n_wanted, two.verdict)
    assert (host.total_bytes, host.allocated_bytes) == needs(MODEL, 8192, OPTIONS, MAIN, TWO)


def test_what_one_could_have_is_too_much_for_two() -> None:
    largest = largest_by_cache_type(MODEL, OPTIONS, MAIN, USUAL_TYPES)[0].n_ctx
    of_two = largest_of_servers(MODEL, OPTIONS, MAIN, USUAL_TYPES, TWO)[0].n_ctx
    assert largest is not None
    assert of_two is not None

    for n_ctx, plan, expected in (
        (largest, ONE, Verdict.FITS),
        (largest, TWO, Verdict.NO),
        (of_two, TWO, Verdict.FITS),
        (of_two + 256, TWO, Verdict.NO),
    ):
        found = forecast_servers(MODEL, n_ctx, OPTIONS, MAIN, plan)

        assert found is not None
        assert expected is found.verdict
        assert (of_two if plan is TWO else largest) == found.largest_ctx
    assert advised_ctx(MODEL, OPTIONS, MAIN) == advised_ctx_of_servers(MODEL, OPTIONS, MAIN)
    assert (advised_ctx_of_servers(MODEL, OPTIONS, MAIN, TWO) or 0) <= of_two


def test_each_must_fit_its_own_device_however_much_there_is_on_another() -> None:
    pool = gpus(LARGE, SMALL)
    both = forecast(MODEL, 32_768, OPTIONS, pool)
    each = forecast_servers(MODEL, 32_768, OPTIONS, pool, TWO)
    alone = [forecast(MODEL, 32_768, OPTIONS, gpus(device)) for device in (LARGE, SMALL)]
    assert both is not None
    assert each is not None
    assert None not in alone

    assert Verdict.FITS is both.verdict
    assert [Verdict.FITS, Verdict.PART] == [found.verdict for found in alone if found is not None]
    assert Verdict.PART is each.verdict
    assert alone[1] is not None
    assert alone[1].largest_ctx == each.largest_ctx
    assert pool.total_bytes == each.total_bytes
    assert ["GPU0", "GPU1", "CPU"] == [share.name for share in each.devices]


def test_two_on_equal_devices_take_twice_what_one_takes() -> None:
    pool = gpus(LARGE, replace(LARGE, name="GPU1"))
    one = forecast(MODEL, 8192, OPTIONS, gpus(LARGE))
    two = forecast_servers(MODEL, 8192, OPTIONS, pool, ReplicaPlan(2, 1))
    assert one is not None
    assert two is not None

    assert (2 * one.model_bytes, 2 * one.after_bytes) == (two.model_bytes, two.after_bytes)
    assert (2, Verdict.FITS, one.largest_ctx) == (two.n_devices, two.verdict, two.largest_ctx)


def test_devices_that_are_not_there_are_no_wherever_it_would_fit() -> None:
    found = forecast_servers(MODEL, 8192, OPTIONS, gpus(LARGE), ReplicaPlan(2, 1))
    nowhere = forecast_servers(MODEL, 8192, OPTIONS, MAIN, ReplicaPlan(1, 1))
    assert found is not None
    assert nowhere is not None

    assert (Verdict.NO, "its 2 replicas need 2 GPUs, and there is 1") == (found.verdict, found.refusal)
    assert (Verdict.NO, True) == (nowhere.verdict, "there is none" in nowhere.refusal)


def test_a_broken_model_has_none() -> None:
    broken = replace(MODEL, problem="cut off")

    assert forecast_servers(broken, 8192, OPTIONS, MAIN, TWO) is None
    assert advised_ctx_of_servers(broken, OPTIONS, MAIN, TWO) is None


@pytest.mark.parametrize(
    ("n_servers", "words"), [(None, "load m  2 servers  ctx 8k"), (1, "load m  1 of 2 servers  ctx 8k")]
)
def test_the_line_tells_how_many_come_up(n_servers: int | None, words: str) -> None:
    found = forecast_servers(MODEL, 8192, OPTIONS, MAIN, TWO, n_servers=n_servers)
    assert found is not None

    assert forecast_line("m", found).startswith(words)


def test_a_device_of_its_own_has_no_overhead_of_others() -> None:
    pool = gpus(LARGE, replace(LARGE, name="GPU1"))
    first, more = needs(MODEL, 8192, OPTIONS, pool, ReplicaPlan(2, 1))

    assert needed_bytes(MODEL, 8192, OPTIONS, gpus(LARGE)) == first == more
    assert first < needed_bytes(MODEL, 8192, OPTIONS, pool)


def test_the_pages_of_a_file_are_there_once() -> None:
    share = DeviceShare("CPU", True, weights_bytes=10, mapped_bytes=6, kv_bytes=3, n_layers=4)
    both = together((share, replace(share, kv_bytes=5)))

    assert DeviceShare("CPU", True, weights_bytes=14, mapped_bytes=6, kv_bytes=8, n_layers=4) == both
    assert share == together((share,))
