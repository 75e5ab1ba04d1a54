"""What is shown while there is nothing, too little room, or something wrong: never an empty box."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.models import EngineInfo
from ggtui.core.ports.catalog import CatalogReport
from ggtui.core.snapshot import EngineSnapshot, LogBatch
from ggtui.core.state import TargetState
from tests.tui.fake_engine import GPU, NO_GPU, WITH_GPU, full, running, target, waiter
from tests.tui.stage import NOW, on_stage

if TYPE_CHECKING:
    from tests.tui.stage import Stage

CPU = EngineInfo("llama-server", "/usr/bin/llama-server", "b1234")
MISSING = EngineInfo("missing", problem="llama-server not found in PATH; looked in /usr/bin, /usr/local/bin")


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        (EngineSnapshot(1), "No models folder. Set one: ggtui --models-dir DIR"),
        (EngineSnapshot(1, catalog=CatalogReport(("/m",), scanned_at=1.0)), "No .gguf files in /m"),
        (EngineSnapshot(1, catalog=CatalogReport(("/m",)), is_scanning=True), "scanning /m"),
        (
            EngineSnapshot(
                1, catalog=CatalogReport(("/m",), problems=("/m cannot be read",), scanned_at=1.0)
            ),
            "/m cannot be read",
        ),
        (
            full(is_scanning=True, catalog=CatalogReport(("/m",), scanned_at=NOW - 10_800)),
            "(cached 3h00m ago)",
        ),
        (full(engine=MISSING), "llama-server not found in PATH; looked in"),
        (full(memory=NO_GPU, engine=CPU), "No NVIDIA driver"),
        (full(memory=NO_GPU, engine=CPU), "CPU only, RAM 4.0/64.0G"),
        (full(), "nothing loaded"),
        (full(url=""), "no proxy"),
        (running(target()), ":8080 → :9101  pid 48213  4m12s"),
        (running(target(in_flight=2)), "slots 2/4"),
        (
            running(target(10, TargetState.LOADING, progress=0.43, since=NOW - 6)),
            "◐ LOADING 43% 6s  smollm3-3b",
        ),
        (running(target(10, TargetState.LOADING, since=NOW - 2, expected_load_s=8.0)), "about 6s left"),
        (running(target(10, TargetState.LOADING, progress=0.43)), "loading 43%"),
        (running(target(state=TargetState.DRAINING, in_flight=2)), "◑ DRAINING 2"),
        (running(target(state=TargetState.STOPPING)), "◌ STOPPING"),
        (full(queue=(waiter("phi-4-mini"),)), "1 queued"),
    ],
)
def test_the_screen_says(snapshot: EngineSnapshot, expected: str) -> None:
    async def run() -> None:
        async with on_stage(snapshot) as stage:
            assert expected in stage.text

    asyncio.run(run())


def test_a_missing_engine_dims_load_and_says_why() -> None:
    async def run() -> None:
        async with on_stage(full(engine=MISSING)) as stage:
            assert "llama-server not found" in stage.app.why_not("load")
            await stage.put_cursor_on("phi-4-mini")
            await stage.press("enter")

            assert "llama-server not found" in stage.said
            assert [] == stage.calls

    asyncio.run(run())


def test_one_lost_gpu_hides_no_other() -> None:
    lost = replace(GPU, index=1, total_bytes=None, used_bytes=None, problem="Unknown Error", is_lost=True)
    memory = replace(WITH_GPU, gpus=(GPU, lost, replace(GPU, index=2)))

    async def run() -> None:
        async with on_stage(full(memory=memory), size=(140, 40)) as stage:
            assert "GPU 1: lost (Unknown Error)" in stage.text
            assert "2 RTX 4090" in stage.text
            assert "on 2 GPUs" in stage.main.forecast.text

    asyncio.run(run())


@pytest.mark.parametrize(
    "size", [(40, 10), (59, 19), (60, 20), (80, 24), (99, 29), (100, 30), (140, 40), (200, 60)]
)
def test_the_forecast_is_on_every_size(size: tuple[int, int]) -> None:
    async def run() -> None:
        async with on_stage(size=size) as stage:
            await stage.put_cursor_on("gemma-3-27b-it")

            assert "✓ fits" in stage.main.forecast.text
            assert stage.main.forecast.text.split()[0] in stage.text
            assert "●" in stage.text
            assert all(len(line) <= size[0] for line in stage.text.splitlines())

    asyncio.run(run())


def test_too_small_a_terminal_gets_one_line_and_recovers() -> None:
    async def run() -> None:
        async with on_stage(size=(39, 9)) as stage:
            assert "ggtui needs 40x10, this terminal is" in stage.text
            assert "39x9" in stage.text
            assert "Catalog" not in stage.text
            await stage.pilot.resize_terminal(80, 24)
            await stage.settle()
            assert "Catalog" in stage.text
            assert "ggtui needs" not in stage.text

    asyncio.run(run())


def test_ascii_draws_nothing_beyond_ascii() -> None:
    async def run() -> None:
        async with on_stage(running(target(in_flight=1)), ascii_only=True) as stage:
            await stage.put_cursor_on("gemma-3-27b-it")
            strange = {sign for sign in stage.text if ord(sign) > 126}

            assert set() == strange
            assert "* READY" in stage.text

    asyncio.run(run())


def test_hostile_names_are_text_not_markup() -> None:
    models = full().models
    evil = replace(models[7].summary, public_id="[red]x[/red][@click=app.quit]", name="[bold]", tags=("[b]",))

    async def run() -> None:
        snapshot = full(models=(replace(models[7], summary=evil),))
        async with on_stage(snapshot) as stage:
            assert "[red]x[/red]" in stage.text
            await stage.press("i")
            assert "[bold]" in stage.text
            await stage.press("escape")
            await stage.say(LogBatch(evil.public_id, ("[link=x]line[/link]",)))
            await stage.press("l")
            assert "[link=x]line[/link]" in stage.text
            await stage.press("escape", "enter")
            assert ("load", evil.public_id, 131_072) in stage.calls

    asyncio.run(run())


async def _filter(stage: Stage, words: str) -> None:
    await stage.press("/", *("space" if sign == " " else sign for sign in words))


def test_filter_narrows_keeps_and_clears() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await _filter(stage, "coder qwen")
            shown = [row.public_id for row in stage.main.catalog.table.rows]

            assert ["qwen3-coder-30b-a3b"] == shown
            await stage.press("enter", "o")
            assert ["qwen3-coder-30b-a3b"] == [row.public_id for row in stage.main.catalog.table.rows]
            await stage.press("escape")
            assert 10 == len(stage.main.catalog.table.rows)
            assert "qwen3-coder-30b-a3b" == stage.main.catalog.table.current.public_id  # type: ignore[union-attr]

    asyncio.run(run())


def test_letters_in_the_filter_are_not_keys() -> None:
    async def run() -> None:
        async with on_stage(running(target())) as stage:
            await _filter(stage, "qs")

            assert '0 of 10 match "qs"' in stage.text
            assert [] == stage.calls
            assert stage.app.is_running
            await stage.press("escape")
            assert "broken-7b" in stage.text

    asyncio.run(run())


def test_sort_goes_round_and_keeps_the_cursor_on_its_model() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on("gemma-3-27b-it")
            await stage.press("o")
            table = stage.main.catalog.table

            assert "deepseek-r1-671b" == table.rows[0].public_id
            assert "gemma-3-27b-it" == table.current.public_id  # type: ignore[union-attr]
            assert "sort: size" in stage.text
            await stage.press("O")
            assert "bge-m3" == table.rows[0].public_id

    asyncio.run(run())


def test_moving_keys() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            table = stage.main.catalog.table
            where = []
            for key in ("j", "down", "k", "up", "G", "g", "end", "home", "pagedown", "pageup"):
                await stage.press(key)
                where.append(table.cursor)

            assert [1, 2, 1, 0, 9, 0, 9, 0, 9, 0] == where

    asyncio.run(run())


def test_pane_keys_zoom_and_back() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.press("3")
            assert "gpu" == stage.app.focused.id  # type: ignore[union-attr]
            await stage.press("z")
            assert "1 Catalog" not in stage.text
            assert "3 GPU" in stage.text
            assert "load " in stage.main.forecast.text
            await stage.press("escape")
            assert "1 Catalog" in stage.text
            assert "catalog-table" == stage.app.focused.id  # type: ignore[union-attr]
            await stage.press("tab")
            assert "running" == stage.app.focused.id  # type: ignore[union-attr]

    asyncio.run(run())


def test_a_pane_that_the_size_hides_can_be_zoomed() -> None:
    async def run() -> None:
        async with on_stage(size=(60, 12)) as stage:
            assert "2 Running" not in stage.text
            await stage.press("2")
            assert "2 Running" in stage.text

    asyncio.run(run())


def test_a_click_moves_and_a_second_click_loads() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.pilot.click("#catalog-table", offset=(8, 3))
            await stage.settle()
            assert "gemma-3-27b-it" == stage.main.catalog.table.current.public_id  # type: ignore[union-attr]
            assert [] == stage.calls
            await stage.pilot.click("#catalog-table", offset=(8, 3))
            await stage.settle()
            assert [("load", "gemma-3-27b-it", 32_768)] == stage.calls

    asyncio.run(run())


def test_a_click_on_the_slider_sets_a_stop() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on("gemma-3-27b-it")
            await stage.pilot.click("#forecast-slider", offset=(5, 0))
            await stage.settle()

            assert 1024 == stage.main.forecast.outlook.n_ctx  # type: ignore[union-attr]

    asyncio.run(run())


def test_a_click_in_the_footer_presses_the_key() -> None:
    async def run() -> None:
        async with on_stage(running(target())) as stage:
            line = stage.text.splitlines()[-1]
            await stage.pilot.click("#key-bar", offset=(line.index("s Stop"), 0))
            await stage.settle()

            assert [("stop", "qwen3-coder-30b-a3b", False)] == stage.calls

    asyncio.run(run())
