"""The memory pane: bars told apart by shape, one block by device, no figure where the driver is silent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ggtui.core.gpu_absence import Absence
from ggtui.core.memory.pool import PoolKind
from ggtui.core.ports.gpu import MemoryReading, NoGpu, ProcessMemory
from ggtui.tui.format import memory_bar, sparkline
from ggtui.tui.glyphs import ASCII, UNICODE
from ggtui.tui.panes.gpu_rows import gpu_lines
from ggtui.tui.panes.gpu_view import GpuView
from tests.tui.fake_engine import GIB, GPU, NO_GPU

NOW = (24 * GIB, int(20.5 * GIB), int(1.2 * GIB))
ONE = GpuView(MemoryReading(gpus=(GPU,)), PoolKind.GPU, NOW, (int(18.5 * GIB), int(1.2 * GIB)))
RAM = GpuView(NO_GPU, PoolKind.RAM, (64 * GIB, 0, 4 * GIB))
TALL = 20


def text(view: GpuView, width: int = 36, *, height: int = 5) -> list[str]:
    return [row.plain for row in gpu_lines(view, width, UNICODE, height=height)]


def several(n: int, **changes: object) -> GpuView:
    """Equal devices, of which the second would take 4 GiB more."""
    gpu = replace(GPU, **changes)  # type: ignore[arg-type]
    gpus = tuple(replace(gpu, index=index, uuid=f"GPU-{index}") for index in range(n))
    now = (24 * n * GIB, 0, int(1.2 * n * GIB))
    return GpuView(
        MemoryReading(gpus=gpus), PoolKind.GPU, now, after_by_gpu={1: int(5.2 * GIB)}, reserve_bytes=n * GIB
    )


def test_one_gpu_as_drawn() -> None:
    expected = [
        "0 RTX 4090      util 64%  71°C  312W",
        "now   ████████████▒░  21.7/24.0G 90%",
        "after ▓▓▓▓▓▓▓▓▓▓▓░░░  19.7/24.0G 82%",
        "█ ggtui 20.5 ▒ other 1.2 ░ free 2.3",
    ]

    assert expected == text(ONE)


def test_a_tall_pane_also_tells_what_the_load_adds_and_the_margin() -> None:
    rows = text(replace(ONE, reserve_bytes=GIB), 42, height=TALL)

    assert "▓ adds 18.5 · margin 1.0" in rows
    assert rows[1].partition("·")[0].count("█") == 17


def test_a_silent_driver_gives_no_zero() -> None:
    silent = replace(GPU, utilisation_percent=None, temperature_c=None, power_w=None)
    view = replace(ONE, memory=MemoryReading(gpus=(silent,)))

    assert "util –    –  –" in text(view)[0]


def test_a_use_that_is_not_told_keeps_the_total() -> None:
    view = replace(ONE, memory=MemoryReading(gpus=(replace(GPU, used_bytes=None),)))

    assert text(view)[1].endswith("–/24.0G")


def test_two_gpus_have_a_block_each() -> None:
    rows = text(several(2))

    assert [True, True] == [row.startswith(f"{index} RTX 4090") for index, row in enumerate(rows[::2][:2])]
    assert ["1.2/24.0G 5%", "1.2→5.2/24.0G"] == [row.rsplit("  ")[-1].strip() for row in rows[1:4:2]]


def test_four_gpus_have_a_line_each_under_their_sum() -> None:
    rows = text(several(4))

    assert ["all", "0", "1", "2", "3", "░"] == [row.split()[0].rstrip("▒") for row in rows[:5]] + ["░"]
    assert rows[0].endswith("4.8→8.8/96.0G")


def test_eight_gpus_are_seen_at_once_on_a_short_pane() -> None:
    rows = text(several(8))

    assert ["0", "2", "4", "6"] == [row.split()[0] for row in rows[1:5]]
    assert ["1", "3", "5", "7"] == [row[19:].split()[0] for row in rows[1:5]]


def test_eight_gpus_have_a_line_and_a_graph_each_on_a_tall_pane() -> None:
    view = several(8)
    view = replace(view, history=(GIB,) * 60, gpu_history=((GIB, 20 * GIB) * 30,) * 8)
    rows = text(view, 42, height=22)

    assert "8 GPUs, RTX 4090  71-71°C  2496W" == rows[0]
    assert 8 == sum(row.endswith("▇") for row in rows)
    assert "VRAM by GPU, last 60 s" in rows


@pytest.mark.parametrize(
    ("n", "expected"), [(2, "GPU 1: lost (off the bus)"), (4, "GPU 1: lost (off the bus)"), (8, "1 lost")]
)
def test_a_lost_gpu_hides_no_other(n: int, expected: str) -> None:
    view = several(n)
    lost = replace(GPU, index=1, total_bytes=None, used_bytes=None, problem="off the bus", is_lost=True)
    gpus = (view.memory.gpus[0], lost, *view.memory.gpus[2:])
    shown = "\n".join(text(replace(view, memory=MemoryReading(gpus=gpus))))

    assert expected in shown
    assert "0 " in shown


def test_a_device_that_tells_nothing_is_not_called_lost() -> None:
    mute = replace(GPU, index=1, total_bytes=None, used_bytes=None, problem="the driver does not tell")
    view = replace(several(2), memory=MemoryReading(gpus=(GPU, mute)))

    assert "GPU 1: no figures (the driver does…" in text(view)


def test_shared_memory_is_called_what_it_is() -> None:
    memory = MemoryReading(
        gpus=(replace(GPU, name="NVIDIA GB10", is_unified=True),),
        ram_total_bytes=64 * GIB,
        ram_available_bytes=60 * GIB,
    )
    rows = text(replace(ONE, memory=memory), 42, height=TALL)

    assert rows[0].startswith("0 GB10, in RAM")
    assert "it is a part of RAM, 4.0/64.0G" in rows


def test_old_figures_say_their_age() -> None:
    old = MemoryReading(gpus=(replace(GPU, age_s=40),), gpu_problem="the driver does not answer")
    rows = text(replace(ONE, memory=old), height=TALL)

    assert rows[0].endswith("40s old")
    assert "the driver does not answer" in rows


def test_no_gpu_says_why_and_shows_ram() -> None:
    rows = text(RAM)

    assert rows[0].startswith("No NVIDIA driver")
    assert "CPU only, RAM 4.0/64.0G" == rows[1]


def test_a_tall_pane_also_says_what_to_do() -> None:
    absence = Absence(NoGpu.NO_BACKEND, "engine built without a GPU backend", "use another: --llama-server")
    rows = text(replace(RAM, absence=absence), 42, height=TALL)

    assert ["Engine built without a GPU backend", "use another: --llama-server"] == rows[:2]


def test_an_unused_gpu_stays_in_view_where_there_is_room() -> None:
    absence = Absence(NoGpu.NO_BACKEND, "engine built without a GPU backend")
    view = replace(RAM, memory=replace(NO_GPU, gpu_problem=None, gpus=(GPU,)), absence=absence)

    assert any(row.startswith("0 ") and "1.2/24.0G" in row for row in text(view, 42, height=TALL))
    assert not any(row.startswith("0 ") for row in text(view))


def test_mapped_weights_stand_apart_from_our_own_memory() -> None:
    memory = replace(NO_GPU, process_memory={7: ProcessMemory(20 * GIB, 3 * GIB, 17 * GIB)})

    assert "ours: 3.0G own, 17.0G mapped files" in text(replace(RAM, memory=memory, pids=(7,)))


def test_a_limit_of_a_container_is_named() -> None:
    limited = replace(RAM, memory=replace(NO_GPU, ram_limit_bytes=64 * GIB))

    assert "CPU only, RAM 4.0/64.0G container l…" in text(limited)


def test_nothing_read_yet_is_no_zero_and_no_missing_driver() -> None:
    assert ["reading…"] == text(GpuView())


@pytest.mark.parametrize("height", [5, TALL])
@pytest.mark.parametrize("width", [30, 36, 42, 90])
@pytest.mark.parametrize("n", [1, 2, 4, 7, 8])
def test_no_line_is_wider_than_its_pane(n: int, width: int, height: int) -> None:
    view = replace(several(n), history=tuple(range(300)), gpu_history=(tuple(range(300)),) * n)

    assert [] == [row for row in text(view, width, height=height) if len(row) > width]
    assert [] == [row for row in text(RAM, width, height=height) if len(row) > width]


def test_bar_parts_add_up() -> None:
    assert "######++.." == memory_bar(10, 100, 61, 19, ASCII).plain
    assert "##########" == memory_bar(10, 100, 130, 19, ASCII).plain
    assert "." * 10 == memory_bar(10, 0, 1, 1, ASCII).plain


def test_sparkline_grows_to_the_right() -> None:
    rows = sparkline((0, 50, 100), 100, 5, 2, UNICODE)

    assert ["    █", "  ▁██"] == rows
