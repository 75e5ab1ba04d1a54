"""What the doctor says of devices, memory and processor."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ggtui.adapters.memory.gpu import every_state, made_up_gpu, made_up_machine
from ggtui.core.health import Check, Health, driver, memory, models, processor, report_text
from ggtui.core.models import EngineInfo, ModelSummary
from ggtui.core.ports.catalog import CatalogReport
from ggtui.core.ports.gpu import CpuFacts, MemoryReading
from ggtui.core.units import GIB

CPU = EngineInfo("llama-server", "/bin/llama-server", "b1")
CUDA = replace(CPU, devices=("CUDA0: X (10 MiB, 5 MiB free)",))
STATES = every_state()


@pytest.mark.parametrize(
    ("state", "health", "words"),
    [
        ("one", Health.OK, "NVIDIA GeForce RTX 4090 1.2/24.0G"),
        ("unified", Health.OK, "NVIDIA GB10 7.0/64.0G of main memory"),
        ("unknown_use", Health.OK, "Intel Arc A770 –/15.9G"),
        ("one_lost", Health.WARN, "GPU 2: GPU is lost"),
        ("silent", Health.WARN, "its figures are old"),
        ("no_library", Health.WARN, "no NVML library"),
        ("no_permission", Health.WARN, "driver present, no permission"),
        ("driver_missing", Health.WARN, "driver missing"),
    ],
)
def test_the_driver(state: str, health: Health, words: str) -> None:
    check = driver(STATES[state], CUDA)

    assert health is check.health
    assert words in check.detail


def test_an_engine_without_a_backend_for_the_device_is_told_with_its_cure() -> None:
    check = driver(STATES["one"], CPU)

    assert Health.WARN is check.health
    assert "NVIDIA GeForce RTX 4090 1.2/24.0G; engine built without a GPU backend" in check.detail
    assert "--llama-server PATH" in check.cure


def test_an_integrated_device_that_the_engine_leaves_idle_is_no_fault() -> None:
    idle = made_up_machine(replace(made_up_gpu(), is_unified=True))

    assert Health.OK is driver(idle, CPU).health


def test_main_memory_names_the_limit_of_a_container() -> None:
    limited = MemoryReading(
        ram_total_bytes=8 * GIB, ram_available_bytes=6 * GIB, ram_limit_bytes=8 * GIB, swap_total_bytes=0
    )

    assert "2.0/8.0G used, 6.0G available, limit of this container, no swap" == memory(limited).detail
    assert "7.0/64.0G used, 57.0G available, swap 0.5/8.0G" == memory(STATES["one"]).detail


@pytest.mark.parametrize(
    ("features", "health"),
    [(("AVX", "AVX2"), Health.OK), (("SSE4.2", "AVX"), Health.WARN), (("NEON",), Health.OK), ((), Health.OK)],
)
def test_a_processor_without_its_usual_instructions_is_told(
    features: tuple[str, ...], health: Health
) -> None:
    reading = MemoryReading(cpu=CpuFacts("Some CPU", 4, 8, features))

    assert health is processor(reading).health
    assert processor(reading).detail.startswith("Some CPU, 4 cores, 8 threads")


def test_broken_models_are_told_beside_the_problems_of_folders() -> None:
    known = [ModelSummary(n, f"m{n}", "m", "", 1, problem="cut") for n in range(10)]
    report = CatalogReport(folders=("/m",), problems=("/m/x: no manifest",))

    check = models(known, report)

    assert "10 in /m; /m/x: no manifest; broken: m0, m1, m2, m3, m4, m5, m6, m7 and 2 more" == check.detail
    assert "correct what is told of the folders; ggtui show MODEL tells what is broken" == check.cure
    assert "ggtui show MODEL tells what is broken" == models(known, replace(report, problems=())).cure


def test_no_finding_can_act_on_a_terminal() -> None:
    text = report_text([Check("config", Health.FAIL, "no key \x1b[31mred", "say \x1b]0;x\x07so")])

    assert ["fail  config  no key red", "              → say so"] == text.split("\n")
