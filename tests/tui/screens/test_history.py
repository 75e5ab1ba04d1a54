"""What was served follows while it is open."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from ggtui.core.history import Generation
from ggtui.tui.screens.history import HistoryScreen
from tests.tui.fake_engine import full
from tests.tui.stage import NOW, Stage, on_stage

SERVING = Generation(2, "phi-4-mini", "/models/phi.gguf", 8192, NOW - 4, "asked for by a request")
ENDED = replace(
    SERVING, number=1, public_id="bge-m3", began=NOW - 20, ended=NOW - 5, how_ended="made room for phi-4-mini"
)


def shown(stage: Stage) -> str:
    assert isinstance(stage.app.screen, HistoryScreen)
    return stage.app.screen.plain


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (140, 40)])
def test_h_lists_what_was_served_and_follows(size: tuple[int, int]) -> None:
    async def run() -> None:
        async with on_stage(full(history=(replace(SERVING, number=1),)), size=size) as stage:
            await stage.press("h", "h")

            assert "serves now" in " ".join(shown(stage).split())

            await stage.publish(full(history=(SERVING, ENDED)))
            words = " ".join(shown(stage).split())

            assert words.index("phi-4-mini") < words.index("bge-m3")
            assert "made room for phi-4-mini" in words

            await stage.press("escape")

            assert stage.app.screen is stage.main

    asyncio.run(run())


def test_nothing_yet_is_said() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.press("h")

            assert "nothing was served yet" == shown(stage)

    asyncio.run(run())


def test_the_time_of_what_serves_grows_and_no_other() -> None:
    times = [NOW]

    async def run() -> None:
        async with on_stage(full(history=(SERVING, ENDED))) as stage:
            stage.app.clock = lambda: times[0]
            await stage.press("h")

            assert [" 4s ", " 15s "] == [text for text in (" 4s ", " 15s ") if text in shown(stage)]

            times[0] = NOW + 5
            screen = stage.app.screen
            assert isinstance(screen, HistoryScreen)
            screen.tick()

            assert [" 9s ", " 15s "] == [text for text in (" 9s ", " 15s ") if text in shown(stage)]

    asyncio.run(run())


def test_help_names_its_key() -> None:
    async def run() -> None:
        async with on_stage(size=(100, 60)) as stage:
            await stage.press("?")

            assert "history: what was served, when and why" in stage.text

    asyncio.run(run())
