"""Pinning and reloading by key: what is asked of the engine, and what is said of its answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from ggtui.core.errors import ConfigInvalid
from ggtui.core.reload import ReloadReport
from tests.tui.fake_engine import full
from tests.tui.stage import on_stage


@pytest.mark.parametrize("was_pinned", [False, True])
def test_p_pins_and_unpins_the_model_under_the_cursor(was_pinned: bool) -> None:
    models = tuple(replace(row, is_pinned=was_pinned) for row in full().models)

    async def run() -> None:
        async with on_stage(full(models=models)) as stage:
            await stage.put_cursor_on("phi-4-mini")
            await stage.press("p")
            await stage.until(lambda: bool(stage.said))

            assert [("pin", "phi-4-mini", not was_pinned)] == stage.calls
            assert ("not pinned any more" if was_pinned else "phi-4-mini is pinned") in stage.said

    asyncio.run(run())


@pytest.mark.parametrize(("ascii_only", "sign"), [(False, "◆"), (True, "^")])
def test_a_pinned_model_is_marked_beside_its_state(ascii_only: bool, sign: str) -> None:
    models = tuple(replace(row, is_pinned=row.summary.public_id == "phi-4-mini") for row in full().models)

    async def run() -> None:
        async with on_stage(full(models=models), ascii_only=ascii_only) as stage:
            marked = [line for line in stage.text.splitlines() if sign in line[:7]]

            assert 1 == len(marked)
            assert "phi-4-mini" in marked[0]

    asyncio.run(run())


def test_nothing_is_pinned_when_read_only() -> None:
    async def run() -> None:
        async with on_stage(full(is_read_only=True)) as stage:
            await stage.press("p")

            assert "this ggtui is read-only" == stage.said
            assert [] == stage.calls

    asyncio.run(run())


def test_c_reads_the_configuration_again_and_tells_what_counts() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            stage.engine.control.report = ReloadReport(("keep_alive_s",), ("port",))
            await stage.press("C")
            await stage.until(lambda: bool(stage.said))

            assert [("reload",)] == stage.calls
            assert "in force now: keep_alive_s; after a restart of ggtui: port" in stage.said

    asyncio.run(run())


def test_a_broken_file_is_told_each_time_with_its_place() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            for _ in range(2):
                stage.app.notices.kept.clear()
                stage.engine.control.failure = ConfigInvalid("/etc/ggtui.toml: line 3: no such setting: prot")
                await stage.press("C")
                await stage.until(lambda: bool(stage.said))

                assert "line 3: no such setting: prot" in stage.said
                assert "Everything stays as it was" in stage.said

    asyncio.run(run())
