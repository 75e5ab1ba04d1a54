"""The key table: complete, free of clashes, and of keys that must stay free."""

from __future__ import annotations

import asyncio
from collections import Counter

from ggtui.tui.keys import TABLE, Where, keys_markdown
from tests.tui.stage import on_stage

FORBIDDEN = {
    "ctrl+i",
    "ctrl+m",
    "ctrl+j",
    "ctrl+h",
    "ctrl+enter",
    "ctrl+s",
    "ctrl+a",
    "ctrl+b",
    "d",
    "x",
    "ctrl+d",
}


def test_ids_are_unique() -> None:
    assert [] == [name for name, count in Counter(key.id for key in TABLE).items() if count > 1]


def test_no_key_means_two_things_in_one_place() -> None:
    always = {name for key in TABLE if key.where is Where.ANY for name in key.keys.split(",")}
    for where in set(Where) - {Where.ANY, Where.FILTER, Where.DIALOG}:
        here = [name for key in TABLE if key.where is where for name in key.keys.split(",")]

        assert len(set(here)) == len(here)
        assert set() == always & set(here)


def test_no_key_is_bound_that_must_stay_free() -> None:
    bound = {name for key in TABLE for name in key.keys.split(",")}

    assert set() == {name for name in bound if name in FORBIDDEN or name.startswith("alt+")}


def test_footer_is_in_order_of_importance() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            footer = stage.text.splitlines()[-1]

            assert footer.startswith("⏎ Load [ ] Ctx s Stop / Filter l Logs i Info y Copy ? Help q Quit")
            assert footer.endswith("▏^p palette")

    asyncio.run(run())


def test_help_and_readme_come_from_the_table() -> None:
    async def run() -> None:
        async with on_stage(size=(100, 40)) as stage:
            await stage.press("?")
            assert "Keys in catalog" in stage.text
            assert "load the model; swap if one is running" in stage.text
            await stage.press("/", *"kv")
            assert "key-value cache" in stage.text
            assert "load the model" not in stage.text

    asyncio.run(run())

    markdown = keys_markdown()
    assert all(key.words in markdown for key in TABLE if key.where is not Where.DIALOG)


def test_every_key_can_be_remapped() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            stage.app.set_keymap({"rescan": "f5"})
            await stage.press("f5")

            assert [("rescan",)] == stage.calls

    asyncio.run(run())
