"""The screen of backends: what it follows, what it asks before, and what it orders."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.backends.rows import Row, RowState
from ggtui.core.errors import BackendError
from ggtui.tui.screens.backends import BackendsScreen
from ggtui.tui.screens.pruning import PruneScreen
from tests.tui.fake_engine import FakeEngine, full
from tests.tui.fake_fetching import backends, jobs, rows
from tests.tui.stage import NOW, Stage, make_app, on_stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

STATE = full(backends=backends(NOW), rows=rows(), downloads=jobs())
ORDERS = ("reconcile", "prune", "pause", "resume", "add", "rescan", "load")


async def _open(stage: Stage, name: str = "this machine") -> BackendsScreen:
    """The screen with the cursor on this backend or model."""
    await stage.press("B")
    screen = stage.app.screen
    assert isinstance(screen, BackendsScreen)
    names = [row.name for row in screen.list.entries]
    await stage.press(*("j" for _ in range(names.index(name))))
    assert name == (screen.row.name if screen.row is not None else "")
    return screen


def _orders(stage: Stage) -> list[tuple[object, ...]]:
    return [call for call in stage.calls if call[0] in ORDERS]


@pytest.mark.parametrize("key", ["enter", "r", "ctrl+r"])
def test_all_backends_are_asked_now(key: str) -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            await _open(stage)
            await stage.press(key)

            await stage.until(lambda: "all backends were asked: 2 in sync  2 missing" in stage.said)
            assert [("reconcile", False)] == _orders(stage)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("name", "orders"),
    [
        ("llama3:8b", [("pause", 2)]),
        ("mistral", [("resume", 8)]),
        ("secret", [("resume", 6)]),
        ("phi4", [("add", "phi4", "ollama-box"), ("pause", 8)]),
    ],
)
def test_space_pauses_and_resumes_the_download_of_a_row(name: str, orders: list[tuple[object, ...]]) -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            await _open(stage, name)
            await stage.press("space")

            await stage.until(lambda: name in stage.said)
            assert orders == _orders(stage)

    asyncio.run(run())


def test_what_misses_on_this_disk_is_held_by_the_name_of_its_repository() -> None:
    row = Row(THIS_MACHINE, "tiny", RowState.MISSING, repository="me/tiny:F32")

    async def run() -> None:
        async with on_stage(replace(STATE, rows=(row, *STATE.rows[1:]))) as stage:
            await _open(stage, "tiny")
            await stage.press("space")

            await stage.until(lambda: "tiny" in stage.said)
            assert [("add", "me/tiny:F32", THIS_MACHINE), ("pause", 8)] == _orders(stage)

    asyncio.run(run())


def test_an_extra_model_is_deleted_only_when_its_name_was_typed() -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            await _open(stage, "old-model:latest")
            await stage.press("D")
            assert isinstance(stage.app.screen, PruneScreen)
            assert "Delete old-model:latest from ollama-box?" in stage.text
            await stage.press(*"old-model", "enter")
            assert "type old-model:latest to delete it" in stage.text
            await stage.press("escape")
            assert [] == _orders(stage)

            await stage.press("D", *"old-model:latest", "enter")
            await stage.until(lambda: "old-model:latest is deleted from ollama-box" == stage.said)
            assert [("prune", "ollama-box", "old-model:latest")] == _orders(stage)
            assert "old-model" not in stage.text.split("deleted")[-1]

    asyncio.run(run())


@pytest.mark.parametrize("name", ["qwen3:8b", "ollama-box", "embedder"])
def test_what_is_declared_is_never_asked_to_be_deleted(name: str) -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            await _open(stage, name)
            await stage.press("D")

            assert isinstance(stage.app.screen, BackendsScreen)
            assert ([], True) == (_orders(stage), bool(stage.said))

    asyncio.run(run())


def test_a_refused_order_is_told() -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            await _open(stage, "nomic:latest")
            await stage.press("D", *"nomic:latest")
            stage.engine.control.failure = BackendError("HTTP request failed")
            await stage.press("enter")

            await stage.until(lambda: "HTTP request failed" in stage.said)

    asyncio.run(run())


def test_read_only_orders_nothing_and_says_so() -> None:
    async def run() -> None:
        async with on_stage(replace(STATE, is_read_only=True)) as stage:
            await _open(stage, "old-model:latest")
            for key in ("enter", "r", "ctrl+r", "space", "D"):
                await stage.press(key)
                assert "this ggtui is read-only" == stage.said

            assert [] == _orders(stage)
            assert isinstance(stage.app.screen, BackendsScreen)

    asyncio.run(run())


def test_it_follows_what_is_observed_and_the_cursor_stays() -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            screen = await _open(stage, "gpu-box")
            gone = tuple(each for each in STATE.backends if each.name != "ollama-box")
            left = tuple(row for row in STATE.rows if row.backend != "ollama-box")
            await stage.publish(replace(STATE, backends=gone, rows=left, is_reconciling=True))

            await stage.until(lambda: "ollama-box" not in stage.text)
            assert "gpu-box" == (screen.row.name if screen.row is not None else "")
            assert "asking now · 3 backends" in stage.text

    asyncio.run(run())


def test_ages_grow_while_the_screen_is_open() -> None:
    async def run() -> None:
        time = NOW
        engine = FakeEngine(STATE)
        app = make_app(engine)
        app.clock = lambda: time
        try:
            async with app.run_test(size=(140, 40)) as pilot:
                stage = Stage(app, pilot, engine)
                await stage.until(lambda: app.desk.snapshot.version > 0)
                await _open(stage, "ollama-box")
                assert "seen 3s ago" in stage.text
                time += 60
                app.following.tick()
                await stage.settle()
                assert ("last well  1m03s ago" in stage.text, "seen 1m03s ago" in stage.text) == (True, True)
        finally:
            engine.stop()

    asyncio.run(run())


def test_without_backends_it_says_what_to_write() -> None:
    async def run() -> None:
        async with on_stage(full()) as stage:
            await stage.press("B")
            assert "the configuration has no [[backend]] and no [[model]]" in stage.text
            assert 'type = "ollama"' in stage.text
            await stage.press("enter", "space", "D", "r")
            assert [] == _orders(stage)
            assert "the configuration has no [[backend]] and no [[model]]" == stage.said

    asyncio.run(run())


def test_y_copies_what_is_under_the_cursor_and_help_begins_with_these_keys() -> None:
    async def run() -> None:
        async with on_stage(STATE, size=(100, 40)) as stage:
            screen = await _open(stage, "ollama-box")
            assert ("http://192.168.1.9:11434", "the URL") == screen.to_copy()
            await stage.press("j")
            assert ("qwen3:8b", "the name") == screen.to_copy()
            await stage.press("?")
            assert "Keys in backends" in stage.text
            assert "delete an extra model from its backend" in stage.text

    asyncio.run(run())


def test_a_filter_keeps_what_matches_and_esc_clears_it_before_it_closes() -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            screen = await _open(stage)
            await stage.press("/", *"missing", "enter")
            assert ["ollama-box", "phi4", "gpu-box", "embedder"] == [e.name for e in screen.list.entries]
            assert "4 shown" in stage.text
            await stage.press("escape", "escape")
            assert stage.app.screen is stage.main

    asyncio.run(run())


@pytest.mark.parametrize("size", [(40, 10), (60, 20), (80, 24), (140, 40)])
def test_it_can_be_read_at_every_size(size: tuple[int, int]) -> None:
    async def run() -> None:
        async with on_stage(STATE, size=size) as stage:
            await _open(stage, "secret")

            assert all(each in stage.text for each in ("secret", "error", "huggingface.co answers 403"))

    asyncio.run(run())


@pytest.mark.parametrize(
    ("size", "theme", "ascii_only", "name"),
    [
        pytest.param((80, 24), "ggtui-dark", False, "old-model:latest", id="80x24"),
        pytest.param((140, 40), "ggtui-light", False, "cloud", id="140x40_light"),
        pytest.param((80, 24), "ggtui-dark", True, "qwen3-32b", id="80x24_ascii"),
    ],
)
def test_frame(
    size: tuple[int, int], theme: str, ascii_only: bool, name: str, snap_compare: Callable[..., bool]
) -> None:
    engine = FakeEngine(STATE)
    app = make_app(engine, ascii_only=ascii_only)
    app.theme = theme
    app.animation_level = "none"

    async def before(pilot: Pilot[object]) -> None:
        stage = Stage(app, pilot, engine)  # type: ignore[arg-type]
        await stage.until(lambda: app.desk.snapshot.version > 0)
        await _open(stage, name)

    try:
        assert snap_compare(app, terminal_size=size, run_before=before)
    finally:
        engine.stop()
