"""`ggtui gpu` on every kind of machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.memory.gpu import every_state, made_up_gpu, made_up_machine
from ggtui.core.models import EngineInfo
from ggtui.core.units import GIB

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.core.ports.gpu import MemoryReading
    from tests.cli.conftest import Answer, CommandLine


@pytest.fixture
def show(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Run the command on a made-up machine."""

    def run(reading: MemoryReading, *arguments: str, devices: tuple[str, ...] = ("CUDA0",)) -> Answer:
        async def read(*_arguments: Any, **_options: Any) -> MemoryReading:
            return reading

        async def engine(_config: object) -> EngineInfo:
            return EngineInfo("llama-server", devices=devices)

        monkeypatch.setattr("ggtui.cli.commands.gpu.read_memory", read)
        monkeypatch.setattr("ggtui.cli.commands.gpu.find_engine", engine)
        return cli("gpu", *arguments)

    return run


def test_every_device_is_a_row_and_a_lost_one_says_why(show: Callable[..., Answer]) -> None:
    answer = show(every_state()["one_lost"])

    assert [str(index) for index in range(4)] == [
        line.split()[0] for line in answer.out.splitlines() if "RTX" in line
    ]
    assert "GPU 2: GPU is lost" in answer.err
    assert "0000:04:00.0" in answer.out


def test_an_unknown_use_keeps_the_total(show: Callable[..., Answer]) -> None:
    assert "–/15.9G" in show(every_state()["unknown_use"]).out


def test_without_a_device_it_says_why_and_what_to_do(show: Callable[..., Answer]) -> None:
    answer = show(every_state()["driver_missing"])

    assert "NVIDIA GPU present (0000:01:00.0), driver missing: install the driver\n" == answer.err
    assert "RAM  7.0/64.0G" in answer.out
    assert "SWAP 0.5/8.0G" in answer.out
    assert "CPU  AMD Ryzen 9 7950X, 16 cores, 32 threads, AVX2 AVX-512 AVX-512 VNNI" in answer.out


def test_an_engine_without_a_backend_is_the_frequent_reason(show: Callable[..., Answer]) -> None:
    answer = show(every_state()["one"], devices=())

    assert "engine built without a GPU backend (devices: none)" in answer.err


def test_old_figures_say_their_age(show: Callable[..., Answer]) -> None:
    assert "GPU 0: figures are 40s old" in show(every_state()["silent"]).err


def test_mapped_weights_stand_apart_from_a_processes_own_memory(show: Callable[..., Answer]) -> None:
    reading = made_up_machine(made_up_gpu(used_gib=5.2, pid=77), pid=77)
    rows = [line.split() for line in show(reading).out.splitlines() if " 77 " in line]

    assert [["0", "77", "4.0G", "–"], ["RAM", "77", "20.0G", "3.0G", "17.0G", "–", "–"]] == rows


def test_json_has_all_of_it(show: Callable[..., Answer]) -> None:
    document = show(made_up_machine(made_up_gpu(), pid=77), "--json", devices=()).document
    (gpu,) = document["memory"]["gpus"]
    (process,) = document["processes"]

    assert ("nvidia", "0000:01:00.0", False, False, 0) == tuple(
        gpu[name] for name in ("vendor", "bus_id", "is_unified", "is_lost", "age_s")
    )
    assert (3 * GIB, 17 * GIB, None) == tuple(
        process[name] for name in ("anonymous_bytes", "file_bytes", "proportional_bytes")
    )
    assert "no_backend" == document["no_gpu"]["kind"]
    assert ("AMD Ryzen 9 7950X", 16) == (
        document["memory"]["cpu"]["model"],
        document["memory"]["cpu"]["n_cores"],
    )


def test_no_gpu_is_a_kind_in_json(show: Callable[..., Answer]) -> None:
    document = show(every_state()["no_permission"], "--json").document

    assert ("no_permission", "no_permission") == (
        document["no_gpu"]["kind"],
        document["memory"]["gpu_absence"],
    )
