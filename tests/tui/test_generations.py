"""What was served, in lines that fit."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from ggtui.core.history import Generation, left_behind
from ggtui.core.routing.adapters import AdapterRef
from ggtui.tui.generations import generation_lines, story
from ggtui.tui.glyphs import ASCII, UNICODE

WHY = "restarted with a larger context for a request"
NOON = time.mktime((2026, 7, 29, 12, 0, 0, 0, 0, -1))
SERVING = Generation(103, "gemma-3-27b-it", "/models/g.gguf", 8192, NOON - 75, "loaded by a person")
SWAPPED = Generation(
    102,
    "qwen2.5-7b-instruct",
    "/models/q.gguf",
    32768,
    NOON - 4000,
    WHY,
    (AdapterRef("code", 0.8), AdapterRef("chat", 0.0)),
    NOON - 75,
    "made room for gemma-3-27b-it",
    1234,
)
YESTERDAY = left_behind(replace(SERVING, number=101, began=NOON - 90_000))


def plain(width: int, *generations: Generation, is_ascii: bool = False) -> list[str]:
    glyphs = ASCII if is_ascii else UNICODE
    return [line.plain.rstrip() for line in generation_lines(generations, NOON, width, glyphs)]


def test_where_it_is_wide_why_and_how_stand_beside_the_facts() -> None:
    assert [
        "#      Began        Lasted  Ctx   Reqs  Model                Why, and how it ended",
        "103    11:58:45     1m15s   8k    –     gemma-3-27b-it       loaded by a person → serves now",
        f"102    10:53:20     1h05m   32k   1234  qwen2.5-7b-instruct  {WHY}, with code 0.8, chat 0 →",
        f"{'':61}made room for gemma-3-27b-it",
        "101    07-28 11:00  –       8k    –     gemma-3-27b-it       loaded by a person → ended with ggtui",
    ] == plain(135, SERVING, SWAPPED, YESTERDAY)


def test_where_it_is_not_they_stand_below() -> None:
    assert [
        "#      Began        Lasted  Ctx   Reqs  Model",
        "103    11:58:45     1m15s   8k    –     gemma-3-27b-it",
        "       loaded by a person → serves now",
        "102    10:53:20     1h05m   32k   1234  qwen2.5-7b-instruct",
        f"       {WHY}, with code 0.8, chat 0",
        "       → made room for gemma-3-27b-it",
    ] == plain(75, SERVING, SWAPPED)


def test_where_it_is_narrow_number_time_and_model_are_left() -> None:
    assert [
        "#      Lasted  Model",
        "103    1m15s   gemma-3-27b-it",
        "       loaded by a person > serves now",
    ] == plain(44, SERVING, is_ascii=True)


@pytest.mark.parametrize("width", [20, 35, 59, 60, 75, 135, 200])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    long = replace(SWAPPED, public_id="q" * 80, how_ended=f"crashed: {'x' * 300}")

    assert [] == [line for line in plain(width, SERVING, long, YESTERDAY) if len(line) > width]


def test_the_story_is_the_cause_what_it_carried_and_the_end() -> None:
    assert "loaded by a person → serves now" == story(SERVING)
    assert f"{WHY}, with code 0.8, chat 0 → made room for gemma-3-27b-it" == story(SWAPPED)
