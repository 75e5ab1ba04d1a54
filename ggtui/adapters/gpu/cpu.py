"""The processor: what decides how fast the engine is without a GPU."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Final

import psutil

from ggtui.core.ports.gpu import CpuFacts
from ggtui.core.text import plain

if TYPE_CHECKING:
    from ggtui.adapters.gpu.tree import Tree

FEATURES: Final = {
    "sse4_2": "SSE4.2",
    "avx": "AVX",
    "f16c": "F16C",
    "fma": "FMA",
    "avx2": "AVX2",
    "avx_vnni": "AVX-VNNI",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx512_bf16": "AVX-512 BF16",
    "amx_tile": "AMX",
    "amx_int8": "AMX INT8",
    "amx_bf16": "AMX BF16",
    "asimd": "NEON",
    "asimddp": "DOTPROD",
    "i8mm": "I8MM",
    "bf16": "BF16",
    "sve": "SVE",
    "sve2": "SVE2",
    "sme": "SME",
}
"""Flags of `/proc/cpuinfo` for which llama.cpp has code of its own, and what people call them."""

_MODEL_FIELDS: Final = ("model name", "Model", "Hardware", "cpu model")
_FLAG_FIELDS: Final = ("flags", "Features")


def cpu_facts(tree: Tree) -> CpuFacts:
    """Model, cores and instruction sets; empty where the system does not tell. Source: proc_cpuinfo(5)."""
    fields: dict[str, str] = {}
    for line in (tree.text("/proc/cpuinfo") or "").splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    flags = set(next((fields[name] for name in _FLAG_FIELDS if name in fields), "").split())
    model = next((fields[name] for name in _MODEL_FIELDS if name in fields), platform.processor())
    return CpuFacts(
        model=plain(model, 96),
        n_cores=psutil.cpu_count(logical=False) or 0,
        n_threads=psutil.cpu_count() or 0,
        features=tuple(word for flag, word in FEATURES.items() if flag in flags),
    )
