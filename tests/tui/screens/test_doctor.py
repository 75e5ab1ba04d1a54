"""The doctor on the screen: worst first, each with its cure, copyable."""

from __future__ import annotations

import asyncio

import pytest

from ggtui.core.errors import EngineStopping
from ggtui.core.health import Check, Health
from ggtui.tui.screens.doctor import DoctorScreen
from tests.tui.stage import Stage, on_stage

CHECKS = (
    Check("version", Health.OK, "ggtui 1.0"),
    Check("data folder", Health.WARN, "/data can be entered by others", "chmod 700 /data"),
    Check(
        "engine",
        Health.FAIL,
        "llama-server not found " + "in a long path " * 9,
        "pip install 'ggtui[engine]'",
    ),
)


async def opened(stage: Stage, checks: tuple[Check, ...] = CHECKS) -> DoctorScreen:
    stage.engine.control.checks = checks
    await stage.press("H")
    screen = stage.app.screen
    assert isinstance(screen, DoctorScreen)
    await stage.until(lambda: bool(screen.checks))
    await stage.settle()
    return screen


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (140, 40)])
def test_what_needs_something_comes_first_with_its_cure(size: tuple[int, int]) -> None:
    async def run() -> None:
        async with on_stage(size=size) as stage:
            screen = await opened(stage)
            words = " ".join(screen.plain.split())

            assert words.startswith("fail engine llama-server not found")
            assert words.index("pip install 'ggtui[engine]'") < words.index("data folder")
            assert words.index("chmod 700 /data") < words.index("ggtui 1.0")
            assert "terminal" in words
            assert max(len(line) for line in screen.plain.splitlines()) <= screen.text_width

    asyncio.run(run())


def test_the_report_is_copied() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            screen = await opened(stage)
            assert "warn  data folder  /data can be entered by others\n" in screen.report
            await stage.press("y")
            await stage.until(lambda: "the report" in stage.said)
            await stage.press("escape")
            assert stage.app.screen is stage.main

    asyncio.run(run())


def test_a_failure_to_look_is_a_finding() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            stage.engine.control.failure = EngineStopping("the engine is not running")
            screen = await opened(stage, ())
            assert "the engine is not running" in screen.plain

    asyncio.run(run())


def test_the_palette_finds_it() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            stage.engine.control.checks = CHECKS
            await stage.press(":", *"doctor")
            await stage.until(lambda: "doctor: what is in order" in stage.text)
            await stage.press("enter")
            await stage.until(lambda: isinstance(stage.app.screen, DoctorScreen))

    asyncio.run(run())
