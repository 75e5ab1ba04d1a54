"""Favourites, names and tags, marks, and models taken off the disk, typed as a person would."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Button, Input

from ggtui.core.labels import LabelChange
from ggtui.core.removal import DoomedFile, RemovalPlan
from ggtui.tui.screens.choice import ChoiceScreen
from ggtui.tui.screens.labels import LabelScreen
from ggtui.tui.screens.main import MainScreen
from ggtui.tui.screens.removal import RemovalScreen
from tests.tui.fake_engine import full
from tests.tui.stage import on_stage

if TYPE_CHECKING:
    from ggtui.core.snapshot import EngineSnapshot
    from tests.tui.stage import Stage

GEMMA = "gemma-3-27b-it"
STAMP = (1, 2, 3, 4)
PLAN = RemovalPlan(
    4, GEMMA, tuple(DoomedFile(f"/models/g-{n}.gguf", 1 << 30, STAMP) for n in range(3)), ("x stays",)
)


def labelled(**by_name: dict[str, object]) -> EngineSnapshot:
    rows = (
        replace(row, summary=replace(row.summary, **by_name.get(row.summary.public_id.replace("-", "_"), {})))  # type: ignore[arg-type]
        for row in full().models
    )
    return full(models=tuple(rows))


def shown(stage: Stage) -> list[str]:
    return [row.name or row.public_id for row in stage.main.catalog.table.rows]


def asked(stage: Stage, what: str) -> list[tuple[object, ...]]:
    return [call[1:] for call in stage.calls if call[0] == what]


def test_a_star_makes_a_favourite_and_again_takes_it_back() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on(GEMMA)
            await stage.press("*")
            row = stage.main.catalog.table.current

            assert row is not None
            assert "★" == row.favourite
            assert " ★   gemma-3-27b-it" in stage.text
            await stage.press("*")
            assert "★" not in stage.text
            wanted = [(GEMMA, LabelChange(is_favourite=sign)) for sign in (True, False)]
            assert wanted == asked(stage, "label")

    asyncio.run(run())


def test_favourites_come_first_where_that_is_the_order_and_alone_by_the_filter() -> None:
    snapshot = labelled(phi_4_mini={"is_favourite": True}, gemma_3_27b_it={"is_favourite": True})

    async def run() -> None:
        async with on_stage(snapshot) as stage:
            await stage.press("o", "o", "o", "o", "o")
            assert [GEMMA, "phi-4-mini", "bge-m3"] == shown(stage)[:3]
            assert "sort: favourites" in stage.text
            await stage.press("/", "*")
            assert [GEMMA, "phi-4-mini"] == shown(stage)

    asyncio.run(run())


def test_a_filter_finds_tags_by_their_beginning() -> None:
    snapshot = labelled(phi_4_mini={"tags": ("coding", "small")}, bge_m3={"tags": ("encoder",)})

    async def run() -> None:
        async with on_stage(snapshot) as stage:
            for typed, found in (("#cod", ["phi-4-mini"]), ("#", ["bge-m3", "phi-4-mini"]), ("#oding", [])):
                await stage.press("/", *typed)
                assert found == shown(stage)
                await stage.press("escape", "escape")

    asyncio.run(run())


def test_a_given_name_is_shown_and_sorted_by() -> None:
    async def run() -> None:
        async with on_stage(
            labelled(phi_4_mini={"given_name": "A small one", "name": "A small one"})
        ) as stage:
            assert "A small one" == shown(stage)[0]
            await stage.press("/", *"phi")
            assert ["A small one"] == shown(stage)

    asyncio.run(run())


def test_name_and_tags_are_typed() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on(GEMMA)
            await stage.press("t", *"Fox", "enter", *"a,", "#", "b", "enter")

            assert [(GEMMA, LabelChange(name="Fox", tags=("a", "b")))] == asked(stage, "label")
            assert isinstance(stage.app.screen, MainScreen)
            assert "Fox" in stage.text
            await stage.press("t")
            assert ["Fox", "a b"] == [line.value for line in stage.app.screen.query(Input)]

    asyncio.run(run())


def test_a_wrong_tag_is_said_where_it_was_typed() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on(GEMMA)
            await stage.press("t", "tab", *("x" * 40), "enter")

            assert "a tag is one word of at most 32 characters" in stage.text
            assert [] == asked(stage, "label")
            assert stage.app.screen.query_one("#form-do", Button).disabled
            await stage.press("escape")
            assert isinstance(stage.app.screen, MainScreen)
            assert [] == asked(stage, "label")

    asyncio.run(run())


def test_marks_stay_with_their_models_through_order_and_filter() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.press("g", "space", "space")
            assert {1, 2} == stage.app.desk.marked
            assert "2 marked" in stage.text
            await stage.press("O", "o", "/", *"b", "enter")
            assert {1, 2} == {row.model_id for row in stage.main.catalog.table.rows if row.mark}
            await stage.press("escape")
            assert {1, 2} == stage.app.desk.marked
            await stage.press("escape")
            assert set() == stage.app.desk.marked

    asyncio.run(run())


def test_tags_and_stars_go_to_all_marked() -> None:
    async def run() -> None:
        async with on_stage(labelled(bge_m3={"tags": ("old",)})) as stage:
            await stage.press("g", "space", "space", "t", *"new -old", "enter")
            change = LabelChange(added=("new",), removed=("old",))
            assert [("bge-m3", change), ("broken-7b", change)] == asked(stage, "label")
            await stage.press("*")
            assert ["bge-m3", "broken-7b"] == [call[0] for call in asked(stage, "label")[2:]]

    asyncio.run(run())


def test_a_mark_goes_with_its_model() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.press("g", "space")
            await stage.put_cursor_on(GEMMA)
            assert {1} == stage.app.desk.marked
            await stage.publish(full(models=full().models[1:]))
            assert set() == stage.app.desk.marked

    asyncio.run(run())


def test_a_model_is_removed_after_its_name_was_typed() -> None:
    async def run() -> None:
        async with on_stage(size=(100, 30)) as stage:
            stage.engine.control.removal = PLAN
            await stage.put_cursor_on(GEMMA)
            await stage.press("D")
            await stage.until(lambda: isinstance(stage.app.screen, RemovalScreen))

            assert all(f"/models/g-{n}.gguf  1.0G" in stage.text for n in range(3))
            assert "3 files go, which frees 3.0G" in stage.text
            assert "x stays" in stage.text
            await stage.press(*GEMMA[:-1], "enter")
            assert [] == asked(stage, "remove")
            assert stage.app.screen.query_one("#form-do", Button).disabled
            await stage.press(GEMMA[-1], "enter")
            assert [(PLAN,)] == asked(stage, "remove")
            assert f"{GEMMA} is removed" in stage.said

    asyncio.run(run())


@pytest.mark.parametrize("keys", [("escape",), ("tab", "enter"), (*GEMMA, "escape")])
def test_leaving_removes_nothing(keys: tuple[str, ...]) -> None:
    async def run() -> None:
        async with on_stage() as stage:
            stage.engine.control.removal = PLAN
            await stage.put_cursor_on(GEMMA)
            await stage.press("D")
            await stage.until(lambda: isinstance(stage.app.screen, RemovalScreen))
            await stage.press(*keys)

            assert isinstance(stage.app.screen, MainScreen)
            assert [] == asked(stage, "remove")

    asyncio.run(run())


def test_a_refusal_says_why_and_how() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            stage.engine.control.removal = RemovalPlan(
                4, GEMMA, refusal="its file belongs to Ollama", hint="ollama rm gemma"
            )
            await stage.put_cursor_on(GEMMA)
            await stage.press("D")
            await stage.until(lambda: isinstance(stage.app.screen, ChoiceScreen))

            assert "its file belongs to Ollama." in stage.text
            assert "ollama rm gemma" in stage.text
            await stage.press("enter")
            assert [] == asked(stage, "remove")

    asyncio.run(run())


def test_a_read_only_ggtui_neither_removes_nor_offers_it() -> None:
    async def run() -> None:
        async with on_stage(full(is_read_only=True), size=(100, 60)) as stage:
            await stage.press("D", "*", "t")
            assert [] == stage.calls
            assert isinstance(stage.app.screen, MainScreen)
            await stage.press("?")
            assert "take the model off the disk" not in stage.text

    asyncio.run(run())


@pytest.mark.parametrize("size", [(40, 10), (60, 20), (80, 24)])
def test_lines_and_buttons_are_in_view_at_every_size(size: tuple[int, int]) -> None:
    async def run() -> None:
        async with on_stage(size=size) as stage:
            await stage.put_cursor_on(GEMMA)
            await stage.press("t")
            assert isinstance(stage.app.screen, LabelScreen)
            assert [] == [word for word in ("Name", "Tags", "Cancel", "Save") if word not in stage.text]

            await stage.press("escape")
            stage.engine.control.removal = replace(PLAN, files=PLAN.files * 7)
            await stage.press("D")
            await stage.until(lambda: isinstance(stage.app.screen, RemovalScreen))
            assert [] == [word for word in (f"Type {GEMMA}", "Cancel", "Remove") if word not in stage.text]

    asyncio.run(run())


def test_the_file_path_is_offered_to_copy() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on(GEMMA)
            await stage.press("Y", "up", "enter")
            await stage.until(lambda: "/models/" in stage.said)

            assert [(GEMMA,)] == asked(stage, "paths")
            assert f"/models/{GEMMA}.gguf" in stage.said

    asyncio.run(run())
