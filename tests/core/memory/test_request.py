"""A load as the memory sees it, further arguments of llama-server included."""

from __future__ import annotations

from ggtui.core.memory.request import ALL_LAYERS, LoadRequest, padded, request_of
from ggtui.core.models import LaunchOptions


def test_what_is_handed_on_to_the_server_counts() -> None:
    options = LaunchOptions(
        n_parallel=2,
        extra_args=("-ub", "1024", "--swa-full", "-ts", "3,1", "--n-cpu-moe=7", "-nkvo", "-b", "4096"),
    )

    assert LoadRequest(
        n_parallel=2,
        n_batch=4096,
        n_ubatch=1024,
        swa_full=True,
        offload_kqv=False,
        tensor_split=(3.0, 1.0),
        n_cpu_moe=7,
    ) == request_of(options)


def test_the_last_of_several_counts_and_what_cannot_be_read_does_not() -> None:
    assert 256 == request_of(LaunchOptions(extra_args=("-ub", "128", "-ub", "256"))).n_ubatch
    assert LoadRequest(n_parallel=4) == request_of(LaunchOptions(extra_args=("-ub", "many", "-ts", "a,b")))
    assert LoadRequest(n_parallel=4) == request_of(LaunchOptions(extra_args=("-ub",)))
    assert ALL_LAYERS == request_of(LaunchOptions(extra_args=("-cmoe",))).n_cpu_moe


def test_a_batch_is_never_longer_than_the_context() -> None:
    assert 100 == LoadRequest().ubatch(100)
    assert 512 == LoadRequest().ubatch(100, is_causal=False)
    assert 2048 == LoadRequest(n_ubatch=4096).ubatch(8192)


def test_cells_are_whole_steps_for_all_slots_or_for_each() -> None:
    assert (256, 256, 512) == (padded(0), padded(256), padded(257))
    assert 1024 == LoadRequest(n_parallel=4).cells(1000)
    assert 1024 == LoadRequest(n_parallel=4, kv_unified=False).cells(1000)
    assert 512 == LoadRequest(n_parallel=3, kv_unified=False).cells(257)
