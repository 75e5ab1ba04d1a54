"""A models folder typed on the first run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from ggtui.core.errors import ConfigInvalid
from ggtui.core.ports.catalog import CatalogReport
from ggtui.core.snapshot import EngineSnapshot
from ggtui.tui.screens.folder import FolderScreen, completed
from ggtui.tui.screens.main import MainScreen
from tests.tui.fake_engine import full
from tests.tui.stage import on_stage

if TYPE_CHECKING:
    from pathlib import Path

NOTHING = EngineSnapshot(1)


@pytest.mark.parametrize(
    "snapshot", [NOTHING, EngineSnapshot(1, catalog=CatalogReport(("/m",), scanned_at=1.0))]
)
def test_enter_where_there_is_no_model_asks_for_a_folder(snapshot: EngineSnapshot) -> None:
    async def run() -> None:
        async with on_stage(snapshot, config_path="/home/me/config.toml") as stage:
            assert "enter" in stage.text
            await stage.press("enter")
            assert isinstance(stage.app.screen, FolderScreen)
            assert "/home/me/config.toml" in stage.text
            await stage.press(*"~/m", "enter")
            await stage.until(lambda: isinstance(stage.app.screen, MainScreen))

            assert [("add_folder", "~/m")] == stage.calls
            assert "2 .gguf files found" == stage.said

    asyncio.run(run())


def test_what_is_wrong_is_said_and_can_be_corrected() -> None:
    async def run() -> None:
        async with on_stage(NOTHING) as stage:
            stage.engine.control.failure = ConfigInvalid("/nowhere does not exist", hint="look")
            await stage.press("enter", *"/nowhere", "enter")
            await stage.until(lambda: "does not exist" in stage.text)

            assert "/nowhere does not exist; look" in stage.text
            await stage.press("2")
            assert "does not exist" not in stage.text
            await stage.press("enter")
            await stage.until(lambda: isinstance(stage.app.screen, MainScreen))
            assert ("add_folder", "/nowhere2") == stage.calls[-1]

    asyncio.run(run())


def test_esc_names_nothing() -> None:
    async def run() -> None:
        async with on_stage(NOTHING) as stage:
            await stage.press("enter", *"/m", "escape")

            assert isinstance(stage.app.screen, MainScreen)
            assert [] == stage.calls

    asyncio.run(run())


def test_a_filter_without_a_match_and_a_read_only_ggtui_ask_for_none() -> None:
    async def run(snapshot: EngineSnapshot, *keys: str) -> None:
        async with on_stage(snapshot) as stage:
            await stage.press(*keys)

            assert isinstance(stage.app.screen, MainScreen)

    asyncio.run(run(full(), "/", *"zzz", "enter", "enter"))
    asyncio.run(run(EngineSnapshot(1, is_read_only=True), "enter"))


def test_the_arrow_takes_the_rest_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()

    async def run() -> None:
        async with on_stage(NOTHING) as stage:
            await stage.press("enter")
            line = stage.app.screen.query_one(Input)
            line.value = f"{tmp_path}/mod"
            line.cursor_position = len(line.value)
            await stage.until(lambda: line._suggestion != "")
            await stage.press("right")

            assert f"{tmp_path}/models" == line.value

    asyncio.run(run())


def test_folders_are_completed_as_shells_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("models", "more", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "mo-file").touch()
    monkeypatch.setenv("HOME", str(tmp_path))

    assert f"{tmp_path}/models" == completed(f"{tmp_path}/mo")
    assert f"{tmp_path}/more" == completed(f"{tmp_path}/mor")
    assert "~/models" == completed("~/m")
    assert f"{tmp_path}/.hidden" == completed(f"{tmp_path}/.h")
    assert [None] * 5 == [
        completed(each) for each in ("", "models", "~", f"{tmp_path}/z", f"{tmp_path}/no/x")
    ]
