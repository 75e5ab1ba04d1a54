"""One line why the next load goes to main memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ggtui.adapters.memory.gpu import every_state, made_up_gpu, made_up_machine
from ggtui.core.gpu_absence import gpu_absence
from ggtui.core.models import EngineInfo
from ggtui.core.ports.gpu import MemoryReading, NoGpu, Vendor

CPU = EngineInfo("llama-server", "/bin/llama-server", "b1")
CUDA = replace(CPU, devices=("CUDA0: X (10 MiB, 5 MiB free)",))
BLAS = replace(CPU, devices=("BLAS: OpenBLAS (0 MiB, 0 MiB free)",))
STATES = every_state()


@pytest.mark.parametrize("name", ["none", "no_library", "no_permission", "driver_missing"])
def test_without_a_device_it_is_what_the_probe_found(name: str) -> None:
    absence = gpu_absence(STATES[name], CPU)

    assert absence is not None
    assert (STATES[name].gpu_absence, STATES[name].gpu_problem) == (absence.kind, absence.line)


@pytest.mark.parametrize("name", ["one", "four", "one_lost", "unified", "unknown_use", "silent"])
def test_an_engine_with_devices_will_use_what_is_there(name: str) -> None:
    assert gpu_absence(STATES[name], CUDA) is None


@pytest.mark.parametrize("engine", [CPU, BLAS])
def test_an_engine_without_a_backend_is_the_reason(engine: EngineInfo) -> None:
    absence = gpu_absence(STATES["one"], engine)

    assert absence is not None
    assert (NoGpu.NO_BACKEND, "engine built without a GPU backend (devices: none)") == (
        absence.kind,
        absence.line,
    )
    assert "built for CUDA or Vulkan" in absence.hint


def test_a_device_file_that_may_not_be_opened_is_the_reason() -> None:
    gpu = replace(
        made_up_gpu(), vendor=Vendor.AMD, access_problem="no permission for /dev/kfd: join its group"
    )
    absence = gpu_absence(made_up_machine(gpu), CPU)

    assert absence is not None
    assert (NoGpu.NO_PERMISSION, "driver present, no permission for /dev/kfd", "join its group") == (
        absence.kind,
        absence.line,
        absence.hint,
    )


def test_a_variable_that_hides_all_is_the_reason() -> None:
    absence = gpu_absence(made_up_machine(replace(made_up_gpu(), is_hidden=True)), CUDA)

    assert absence is not None
    assert NoGpu.HIDDEN is absence.kind


def test_devices_that_are_all_lost_are_the_reason() -> None:
    absence = gpu_absence(made_up_machine(replace(made_up_gpu(), is_lost=True, problem="off the bus")), CUDA)

    assert absence is not None
    assert (NoGpu.DRIVER_BROKEN, "off the bus") == (absence.kind, absence.line)


def test_nothing_is_claimed_before_something_is_known() -> None:
    assert gpu_absence(MemoryReading(), CPU) is None
    assert gpu_absence(STATES["one"], None) is None
    assert gpu_absence(STATES["one"], EngineInfo("missing", problem="not found")) is None
