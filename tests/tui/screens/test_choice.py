"""A dialog shows its buttons at every size."""

from __future__ import annotations

import asyncio

import pytest

from ggtui.tui.glyphs import UNICODE
from ggtui.tui.screens.choice import Answer, ChoiceScreen, Question
from tests.tui.fake_engine import running, target
from tests.tui.stage import on_stage


@pytest.mark.parametrize("size", [(40, 10), (45, 14), (60, 20), (80, 24), (140, 40)])
@pytest.mark.parametrize(
    ("key", "labels"),
    [
        ("q", ["Cancel", "Stop them", "Leave running"]),
        ("s", ["No", "Stop when they have ended", "Stop now, cut them off"]),
        ("Y", ["Nothing", "curl command", "environment variables", "launch command"]),
    ],
)
def test_every_button_is_in_view(size: tuple[int, int], key: str, labels: list[str]) -> None:
    async def run() -> None:
        async with on_stage(running(target(in_flight=2)), size=size) as stage:
            await stage.press(key)

            assert [] == [label for label in labels if f"  {label}" not in stage.text]

    asyncio.run(run())


def test_a_dialog_that_is_open_follows_the_size() -> None:
    async def run() -> None:
        async with on_stage(running(target()), size=(80, 24)) as stage:
            await stage.press("q")
            await stage.pilot.resize_terminal(40, 10)
            await stage.settle()

            assert "  Cancel" in stage.text
            assert "is running." in stage.text

    asyncio.run(run())


def test_answers_without_room_are_scrolled_to() -> None:
    answers = tuple(Answer(f"a{place}", f"answer {place}") for place in range(20))

    async def run() -> None:
        async with on_stage(size=(40, 10)) as stage:
            stage.app.push_screen(ChoiceScreen(Question("Many", "Which?", answers), UNICODE))
            await stage.press("up")

            assert "answer 19" in stage.text
            assert "answer 0" not in stage.text

    asyncio.run(run())
