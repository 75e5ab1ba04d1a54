"""The full log: follow, search, wrap, and why it is empty."""

from __future__ import annotations

import asyncio

from ggtui.core.snapshot import LogBatch
from ggtui.tui.screens.logs import LogScreen
from tests.tui.fake_engine import running, target
from tests.tui.stage import Stage, on_stage

NAME = "qwen3-coder-30b-a3b"


def log_screen(stage: Stage) -> LogScreen:
    """The screen on top."""
    assert isinstance(stage.app.screen, LogScreen)
    return stage.app.screen


def test_an_empty_log_says_why() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.press("l")

            assert "bge-m3 was not started in this run of ggtui" in stage.text
            await stage.press("escape")
            assert "1 Catalog" in stage.text

    asyncio.run(run())


def test_new_lines_follow_until_somebody_reads_back() -> None:
    async def run() -> None:
        async with on_stage(running(target())) as stage:
            await stage.say(LogBatch(NAME, tuple(f"line {n}" for n in range(100))))
            await stage.press("l")
            assert "line 99" in stage.text
            await stage.press("g")
            await stage.say(LogBatch(NAME, ("the newest",)))
            assert "line 0" in stage.text
            assert "SCROLL" in stage.text
            assert "the newest" not in stage.text
            await stage.press("f")
            assert "the newest" in stage.text
            assert "FOLLOW · 101 lines" in stage.text

    asyncio.run(run())


def test_search_finds_next_and_previous() -> None:
    async def run() -> None:
        async with on_stage(running(target())) as stage:
            lines = tuple(f"needle {n}" if n in (10, 150) else f"hay {n}" for n in range(200))
            await stage.say(LogBatch(NAME, lines))
            await stage.press("l", "/", *"needle", "enter")
            assert "needle 150" in stage.text
            await stage.press("N")
            assert "needle 10" in stage.text
            await stage.press("n")
            assert "needle 150" in stage.text
            await stage.press("escape")
            assert "" == log_screen(stage).pane.view.query_text
            await stage.press("escape")
            assert "1 Catalog" in stage.text

    asyncio.run(run())


def test_wrap_shows_the_whole_line() -> None:
    async def run() -> None:
        async with on_stage(running(target())) as stage:
            await stage.say(LogBatch(NAME, ("x" * 152 + "the-end",)))
            await stage.press("l")
            assert "the-end" not in stage.text
            await stage.press("w")
            assert "the-end" in stage.text

    asyncio.run(run())


def test_docked_log_belongs_to_what_runs() -> None:
    async def run() -> None:
        async with on_stage(running(target()), size=(140, 40)) as stage:
            assert f"{NAME} has written nothing yet" in stage.text
            await stage.say(LogBatch(NAME, ("listening",)))
            await stage.say(LogBatch("phi-4-mini", ("somebody else",)))

            assert "listening" in stage.text
            assert "somebody else" not in stage.text
            assert f"4 Logs {NAME}" in stage.text

    asyncio.run(run())
