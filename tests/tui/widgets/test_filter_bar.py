"""Typing ahead: keys that arrive in one piece, as over a slow line, go where the first of them leads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import events

from ggtui.tui.widgets.filter_bar import FilterBar
from tests.tui.stage import on_stage

if TYPE_CHECKING:
    from tests.tui.stage import Stage


async def type_at_once(stage: Stage, text: str) -> None:
    """Hand all keys over before the app has looked at the first."""
    names = {"/": "slash", "\r": "enter"}
    for letter in text:
        stage.app.post_message(events.Key(names.get(letter, letter), letter))
    await stage.settle()


def test_letters_right_behind_the_slash_are_words_and_not_keys() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await type_at_once(stage, "/zsq")

            assert "zsq" == stage.main.query_one(FilterBar).value
            assert not stage.main.has_class("-zoom")
            assert [] == stage.calls

    asyncio.run(run())


def test_a_slash_among_the_words_is_a_letter() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await type_at_once(stage, "/a/b")

            assert "a/b" == stage.main.query_one(FilterBar).value

    asyncio.run(run())


def test_enter_keeps_the_words_and_gives_the_keys_back() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await type_at_once(stage, "/gemma")
            await stage.press("enter", "]")

            assert ["gemma-3-27b-it"] == [row.public_id for row in stage.main.catalog.table.rows]
            assert "48k" == stage.main.catalog.table.rows[0].ctx

    asyncio.run(run())
