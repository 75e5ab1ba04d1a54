"""The footer names the keys that do something where the focus is."""

from __future__ import annotations

import asyncio

from tests.tui.stage import on_stage


def test_while_typing_only_the_keys_that_end_it_are_named() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.press("/")
            footer = stage.text.splitlines()[-1]

            assert footer.startswith("⏎ Keep esc Clear  ")
            await stage.press("escape")
            assert stage.text.splitlines()[-1].startswith("⏎ Load [ ] Ctx")

    asyncio.run(run())


def test_a_log_is_searched_and_a_catalog_filtered() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            assert "/ Filter" in stage.text
            await stage.press("l")
            assert "/ Search" in stage.text

    asyncio.run(run())
