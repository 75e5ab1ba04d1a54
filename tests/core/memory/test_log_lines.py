"""What a server holds by its own log."""

from __future__ import annotations

import pytest

from ggtui.core.memory.log_lines import BufferLine, LoadLog, buffer_line
from ggtui.core.memory.parts import DeviceShare
from ggtui.core.units import MIB

CPU_ONLY = """\
0.00.007.402 I load: token to piece cache size = 0.0003 MB
0.00.008.082 I load_tensors: loading model tensors, this can take a while... (load_mode = mmap)
0.00.008.426 I load_tensors:   CPU_Mapped model buffer size =     1.19 MiB
0.00.008.681 I llama_context: constructing llama_context
0.00.008.870 I llama_context:        CPU  output buffer size =     0.50 MiB
0.00.008.914 I llama_kv_cache:        CPU KV buffer size =     2.00 MiB
0.00.009.771 I llama_kv_cache: size =    2.00 MiB (  2048 cells,   2 layers,  4/1 seqs), K (f16):    1.00 MiB
0.00.010.910 I sched_reserve:        CPU compute buffer size =     3.51 MiB
"""
"""A run of a llama-server without a GPU, shortened."""

TWICE_ON_A_GPU = """\
load_tensors: loading model tensors, this can take a while... (mmap = true)
load_tensors:        CUDA0 model buffer size =  9999.00 MiB
llama_context: constructing llama_context
llama_kv_cache:      CUDA0 KV buffer size =  8888.00 MiB
sched_reserve:      CUDA0 compute buffer size =   777.00 MiB
load_tensors: loading model tensors, this can take a while... (mmap = true)
load_tensors:   CPU_Mapped model buffer size =   281.81 MiB
load_tensors:        CUDA0 model buffer size =  4403.50 MiB
llama_context: constructing llama_context
llama_context:  CUDA_Host  output buffer size =     1.96 MiB
llama_kv_cache_iswa: creating non-SWA KV cache, size = 32768 cells
llama_kv_cache:      CUDA0 KV buffer size =   512.00 MiB
llama_kv_cache:      CUDA0 KV buffer size =    72.00 MiB
llama_memory_recurrent:      CUDA0 RS buffer size =    16.25 MiB
sched_reserve:      CUDA0 compute buffer size =   300.00 MiB
sched_reserve:      CUDA0 compute buffer size =   258.50 MiB
sched_reserve:  CUDA_Host compute buffer size =    12.01 MiB
reserve_compute_meta:      CUDA0 compute buffer size =    96.00 MiB
llama_adapter_lora_init_impl:      CUDA0 LoRA buffer size =    40.00 MiB
"""
"""As the engine's source writes them: a look at what fits, then the load."""


def heard(text: str) -> LoadLog:
    """A log that has heard these lines."""
    log = LoadLog()
    for line in text.splitlines():
        log.hear(line)
    return log


def _mib(value: float) -> int:
    return round(value * MIB)


def test_a_run_without_a_gpu() -> None:
    log = heard(CPU_ONLY)

    assert log.is_told
    assert (
        DeviceShare(
            "CPU",
            is_host=True,
            weights_bytes=_mib(1.19),
            kv_bytes=2 * MIB,
            compute_bytes=_mib(3.51),
            output_bytes=_mib(0.5),
            mapped_bytes=_mib(1.19),
        ),
    ) == log.shares()


def test_the_last_load_counts_and_several_caches_add_up() -> None:
    gpu, host = heard(TWICE_ON_A_GPU).shares()

    assert (
        DeviceShare(
            "CUDA0",
            weights_bytes=_mib(4403.5),
            kv_bytes=584 * MIB,
            state_bytes=_mib(16.25),
            compute_bytes=_mib(258.5),
            adapters_bytes=40 * MIB,
            projector_bytes=96 * MIB,
        )
        == gpu
    )
    assert (_mib(281.81), _mib(12.01), _mib(1.96)) == (
        host.mapped_bytes,
        host.compute_bytes,
        host.output_bytes,
    )


def test_a_draft_model_is_told_apart() -> None:
    log = heard(CPU_ONLY + "srv    load_model: loading draft model '/m/d.gguf'\n" + CPU_ONLY)

    (host,) = log.shares()
    assert _mib(1.19) == host.weights_bytes
    assert _mib(1.19) + 2 * MIB + _mib(3.51) + _mib(0.5) == host.draft_bytes


def test_what_was_not_told_is_unknown() -> None:
    log = heard("load_tensors:   CPU_Mapped model buffer size =     1.19 MiB")

    assert not log.is_told
    assert _mib(1.19) == log.bytes_of("weights_bytes", "CPU_Mapped")
    assert log.bytes_of("kv_bytes", "CPU") is None
    assert () == LoadLog().shares()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "load_tensors: RPC0[127.0.0.1:50052] model buffer size =     0.39 MiB",
            BufferLine("load_tensors", "RPC0[127.0.0.1:50052]", "weights_bytes", _mib(0.39)),
        ),
        (
            "llama_dsv4_comp_state:        CPU DSV4 csa state buffer size =     0.08 MiB",
            BufferLine("llama_dsv4_comp_state", "CPU", "state_bytes", _mib(0.08)),
        ),
        ("llama_kv_cache: size =    2.00 MiB (  2048 cells,   2 layers)", None),
        ("a prompt that says model buffer size = big", None),
        ("", None),
    ],
)
def test_lines(line: str, expected: BufferLine | None) -> None:
    assert expected == buffer_line(line)
