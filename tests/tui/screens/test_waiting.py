"""The full list of those who wait follows the line while it is open."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from ggtui.core.snapshot import WaitPhase
from ggtui.tui.screens.waiting import WaitingScreen
from tests.tui.fake_engine import full, waiter
from tests.tui.stage import NOW, Stage, on_stage

FIRST = waiter("phi-4-mini", 1, NOW - 4, phase=WaitPhase.LOADING, expected_s=9.0, waiting_s=4.0)
SECOND = replace(FIRST, position=2, since=NOW - 2, waiting_s=2.0)


def shown(stage: Stage) -> str:
    """The text of the full list."""
    assert isinstance(stage.app.screen, WaitingScreen)
    return stage.app.screen.plain


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (140, 40)])
def test_w_lists_each_request_and_follows(size: tuple[int, int]) -> None:
    async def run() -> None:
        async with on_stage(full(queue=(FIRST, SECOND)), size=size) as stage:
            await stage.press("W", "W")
            assert 2 == shown(stage).count("phi-4-mini")
            assert 2 == shown(stage).count("≈9s")
            assert "≈9s" in stage.text
            await stage.publish(full(queue=(FIRST,)))
            assert 1 == shown(stage).count("phi-4-mini")
            await stage.publish(full())
            assert "nobody waits" == shown(stage)
            await stage.press("escape")
            assert stage.app.screen is stage.main

    asyncio.run(run())


def test_another_width_gives_another_form() -> None:
    async def run() -> None:
        async with on_stage(full(queue=(FIRST, SECOND))) as stage:
            await stage.press("W")
            assert 3 == len(shown(stage).splitlines())
            await stage.pilot.resize_terminal(44, 14)
            await stage.settle()
            assert 4 == len(shown(stage).splitlines())
            assert 2 == stage.text.count("loading")

    asyncio.run(run())


def test_ages_grow_while_it_is_open() -> None:
    times = [NOW]

    async def run() -> None:
        async with on_stage(full(queue=(FIRST,))) as stage:
            stage.app.clock = lambda: times[0]
            await stage.press("W")
            assert " 4s " in shown(stage)
            times[0] = NOW + 5
            screen = stage.app.screen
            assert isinstance(screen, WaitingScreen)
            screen.tick()
            assert " 9s " in shown(stage)
            assert "≈4s" in shown(stage)

    asyncio.run(run())
