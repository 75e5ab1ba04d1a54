"""The memory pane: bars told apart by shape, one block by device, no figure where the driver is silent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ggtui.core.forecast import PoolKind
from ggtui.core.ports.gpu import MemoryReading
from ggtui.tui.format import memory_bar, sparkline
from ggtui.tui.glyphs import ASCII, UNICODE
from ggtui.tui.panes.gpu import GpuView, gpu_lines
from tests.tui.fake_engine import GIB, GPU, NO_GPU

NOW = (24 * GIB, int(20.5 * GIB), int(1.2 * GIB))
ONE = GpuView(MemoryReading(gpus=(GPU,)), PoolKind.GPU, NOW, (int(18.5 * GIB), int(1.2 * GIB)))


def text(view: GpuView, width: int = 36, *, is_tall: bool = False) -> list[str]:
    return [row.plain for row in gpu_lines(view, width, UNICODE, is_tall=is_tall)]


def test_one_gpu_as_drawn() -> None:
    expected = [
        "0 RTX 4090      util 64%  71°C  312W",
        "now   ████████████▒░  21.7/24.0G 90%",
        "after ███████████▒░░  19.7/24.0G 82%",
        "█ ggtui 20.5 ▒ other 1.2 ░ free 2.3",
    ]

    assert expected == text(ONE)


def test_a_silent_driver_gives_no_zero() -> None:
    silent = replace(GPU, utilisation_percent=None, temperature_c=None, power_w=None)
    view = replace(ONE, memory=MemoryReading(gpus=(silent,)))

    assert "util –    –  –" in text(view)[0]


def test_many_gpus_have_one_line_each() -> None:
    gpus = tuple(replace(GPU, index=index) for index in range(8))
    rows = text(replace(ONE, memory=MemoryReading(gpus=gpus)))

    assert 9 == len(rows)
    assert rows[7].startswith("7 █") or rows[7].startswith("7 ▒")


def test_no_gpu_says_why_and_shows_ram() -> None:
    rows = text(GpuView(NO_GPU, PoolKind.RAM, (64 * GIB, 0, 4 * GIB)))

    assert rows[0].startswith("No NVIDIA driver")
    assert "CPU only, RAM 4.0/64.0G" == rows[1]


def test_nothing_read_yet_is_no_zero_and_no_missing_driver() -> None:
    assert ["reading…"] == text(GpuView())


@pytest.mark.parametrize("width", [12, 36, 42, 90])
def test_no_line_is_wider_than_its_pane(width: int) -> None:
    view = replace(ONE, history=tuple(range(60)))

    assert all(len(row) <= max(width, 36) for row in text(view, max(width, 36), is_tall=True))


def test_bar_parts_add_up() -> None:
    assert "######++.." == memory_bar(10, 100, 61, 19, ASCII).plain
    assert "##########" == memory_bar(10, 100, 130, 19, ASCII).plain
    assert "." * 10 == memory_bar(10, 0, 1, 1, ASCII).plain


def test_sparkline_grows_to_the_right() -> None:
    rows = sparkline((0, 50, 100), 100, 5, 2, UNICODE)

    assert ["    █", "  ▁██"] == rows
