"""The processor, as the kernel tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from ggtui.adapters.gpu.cpu import cpu_facts
from tests.adapters.gpu.machines import Machine

if TYPE_CHECKING:
    from pathlib import Path

INTEL = """\
processor\t: 0
model name\t: Intel(R) Xeon(R) Platinum 8480+
flags\t\t: fpu sse4_2 avx avx2 f16c fma avx512f avx512_vnni amx_tile amx_int8

processor\t: 1
model name\t: another
flags\t\t: fpu
"""
ARM = "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd asimddp i8mm bf16 sve\n"


def test_an_x86_processor(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.write("/proc/cpuinfo", INTEL)
    facts = cpu_facts(machine.tree)

    assert "Intel(R) Xeon(R) Platinum 8480+" == facts.model
    assert ("SSE4.2", "AVX", "F16C", "FMA", "AVX2", "AVX-512", "AVX-512 VNNI", "AMX", "AMX INT8") == (
        facts.features
    )
    assert psutil.cpu_count() == facts.n_threads


def test_an_arm_processor(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.write("/proc/cpuinfo", ARM)

    assert ("NEON", "DOTPROD", "I8MM", "BF16", "SVE") == cpu_facts(machine.tree).features


def test_a_system_that_does_not_tell(tmp_path: Path) -> None:
    assert () == cpu_facts(Machine(tmp_path).tree).features
