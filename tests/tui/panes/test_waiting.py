"""Who waits is on the main screen while somebody does, at every size, and ages without a new state."""

from __future__ import annotations

import asyncio
import re

import pytest

from ggtui.core.snapshot import WaitPhase
from ggtui.core.state import TargetState
from ggtui.tui.panes.waiting import WaitingLine, WaitingPane
from tests.tui.fake_engine import full, running, target, waiter
from tests.tui.stage import NOW, on_stage

QUEUE = (
    *(
        waiter("phi-4-mini", place, NOW - 4, phase=WaitPhase.BEHIND_DRAINING, behind=("qwen3-coder-30b-a3b",))
        for place in (1, 2)
    ),
    waiter("bge-m3", 3, NOW - 1, phase=WaitPhase.BEHIND_QUEUE, behind=("phi-4-mini",), expected_s=6.0),
)
DRAINING = target(state=TargetState.DRAINING, in_flight=2)
WAITING = running(DRAINING, queue=QUEUE)


@pytest.mark.parametrize("size", [(40, 10), (60, 20), (80, 24), (99, 40), (140, 19)])
def test_without_a_side_column_there_is_one_line(size: tuple[int, int]) -> None:
    async def run() -> None:
        async with on_stage(WAITING, size=size) as stage:
            lines = [line for line in stage.text.splitlines() if " 3 wait " in line]

            assert 1 == len(lines)
            assert " ×2  4s" in lines[0]
            assert "─ Waiting" not in stage.text
            assert stage.main.forecast.text.split()[0] in stage.text

    asyncio.run(run())


@pytest.mark.parametrize("size", [(100, 24), (140, 40), (200, 60)])
def test_beside_the_catalog_there_is_a_list_by_model(size: tuple[int, int]) -> None:
    async def run() -> None:
        async with on_stage(WAITING, size=size) as stage:
            text = stage.text

            assert "─ Waiting 3 ─" in text
            assert "1 phi-4-mini ×2" in text
            assert "after qwen3-coder-30b-a3b, draining 2" in text
            assert "3 bge-m3" in text
            assert "1s, ≥6s left" in text
            assert " 3 wait " not in text
            assert "3 GPU" in text

    asyncio.run(run())


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
def test_it_comes_and_goes_with_those_who_wait(size: tuple[int, int]) -> None:
    async def run() -> None:
        async with on_stage(size=size) as stage:
            before = stage.text
            assert "wait" not in before.lower()
            await stage.publish(running(DRAINING, queue=QUEUE))
            assert "wait" in stage.text.lower()
            await stage.publish(full())
            assert before == stage.text

    asyncio.run(run())


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
def test_ages_grow_by_the_second_without_a_new_state(size: tuple[int, int]) -> None:
    async def run() -> None:
        async with on_stage(WAITING, size=size) as stage:
            assert re.search(r"phi-4-mini ×2 .*\b4s\b", stage.text)
            stage.main.tick(NOW + 3, 0.0)
            await stage.settle()
            assert re.search(r"phi-4-mini ×2 .*\b7s\b", stage.text)

    asyncio.run(run())


def test_nothing_ticks_when_nobody_waits() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            line, pane = stage.main.query_one(WaitingLine), stage.main.query_one(WaitingPane)
            stage.main.tick(NOW + 3, 0.0)

            assert (NOW, NOW) == (line.now, pane.now)

    asyncio.run(run())


def test_a_zoomed_pane_leaves_the_line_in_view() -> None:
    async def run() -> None:
        async with on_stage(WAITING, size=(140, 40)) as stage:
            await stage.press("z")
            assert " 3 wait " in stage.text
            await stage.press("z")
            assert " 3 wait " not in stage.text

    asyncio.run(run())


def test_ascii_has_a_twin_of_every_sign() -> None:
    async def run() -> None:
        async with on_stage(WAITING, ascii_only=True) as stage:
            assert set() == {sign for sign in stage.text if ord(sign) > 126}
            assert " x2  4s" in stage.text

    asyncio.run(run())
