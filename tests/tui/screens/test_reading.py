"""Pages to read: help, the detail of a failure, and a file that cannot be used."""

from __future__ import annotations

import asyncio

from ggtui.core.models import EngineInfo
from ggtui.tui.screens.error_detail import ErrorScreen
from ggtui.tui.screens.help import HelpScreen
from ggtui.tui.screens.model_info import ModelInfoScreen
from tests.tui.fake_engine import full
from tests.tui.stage import on_stage
from tests.tui.test_app import failed_snapshot

MISSING = EngineInfo("missing", problem="no llama-server on the PATH, and xllamacpp is not installed " * 3)


def test_a_missing_engine_is_told_with_its_cure() -> None:
    async def run() -> None:
        async with on_stage(full(engine=MISSING)) as stage:
            assert "? what to do" in stage.text.splitlines()[1]
            await stage.press("?")

            assert isinstance(stage.app.screen, HelpScreen)
            assert "pip install 'ggtui[engine]'" in stage.text
            assert "--llama-server PATH" in stage.text

    asyncio.run(run())


def test_long_lines_of_help_go_on_in_their_column() -> None:
    async def run() -> None:
        async with on_stage(size=(60, 24)) as stage:
            await stage.press("?")
            lines = [line.strip("│ ").rstrip() for line in stage.text.splitlines()]
            at = next(at for at, line in enumerate(lines) if line.startswith("[ -"))

            assert "[ -               context one stop down; the forecast" == lines[at]
            row = stage.text.splitlines()[at + 1]
            assert row.index("moves") == stage.text.splitlines()[at].index("context")

    asyncio.run(run())


def test_help_follows_the_width() -> None:
    async def run() -> None:
        async with on_stage(size=(60, 24)) as stage:
            await stage.press("?")
            await stage.pilot.resize_terminal(120, 24)
            await stage.settle()

            assert "context one stop down; the forecast moves at once (main, info, quants)" in stage.text

    asyncio.run(run())


def test_a_failure_offers_to_try_again_in_the_footer() -> None:
    async def run() -> None:
        async with on_stage(failed_snapshot()) as stage:
            await stage.put_cursor_on("smollm3-3b")
            await stage.press("i")

            assert isinstance(stage.app.screen, ErrorScreen)
            assert stage.text.splitlines()[-1].startswith("r Retry esc Close")

    asyncio.run(run())


def test_a_broken_file_says_why_and_what_to_do_and_is_not_loaded() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on("broken-7b")
            await stage.press("i")
            shown = stage.text

            assert "problem         shard 2 of 3 is missing" in shown
            assert "get the file again" in shown
            assert "by context" not in shown
            await stage.press("enter")
            assert isinstance(stage.app.screen, ModelInfoScreen)
            assert "broken-7b cannot be loaded: shard 2 of 3 is missing" == stage.said
            assert [] == stage.calls

    asyncio.run(run())
