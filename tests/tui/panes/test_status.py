"""The first line: the state's word and the address outlive the counts when room is short."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from textual.widget import Widget

from ggtui.core.state import TargetState
from ggtui.tui.glyphs import UNICODE
from ggtui.tui.panes.status import status_line
from tests.tui.fake_engine import full, running, target
from tests.tui.stage import on_stage

LONG = "a-very-long-name-of-a-model-that-somebody-has-published"


@pytest.mark.parametrize("width", [38, 58, 78, 98])
@pytest.mark.parametrize("state", [TargetState.LOADING, TargetState.DRAINING, TargetState.STOPPING])
def test_a_state_is_said_in_its_whole_word(state: TargetState, width: int) -> None:
    snapshot = running(replace(target(10, state, in_flight=2), public_id=LONG))
    text = status_line(snapshot, 0.0, width, UNICODE).plain

    assert f"… {state}  " in text
    assert "127.0.0.1:8080" in text
    assert len(text) <= width


def test_idle_counts_make_way_for_a_long_name_and_busy_ones_stay() -> None:
    snapshot = running(replace(target(in_flight=2), public_id=LONG))

    assert "  2 in flight" in status_line(snapshot, 0.0, 78, UNICODE).plain
    assert "queued" not in status_line(snapshot, 0.0, 78, UNICODE).plain
    assert "  0 queued" in status_line(snapshot, 0.0, 120, UNICODE).plain


def test_a_narrow_terminal_still_shows_where_to_connect() -> None:
    assert "ggtui  nothing loaded  127.0.0.1:8080" == status_line(full(), 0.0, 38, UNICODE).plain


def test_a_state_that_says_the_same_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []

    def note(widget: Widget, *_regions: object, **_options: object) -> Widget:
        drawn.append(type(widget).__name__)
        return widget

    async def run() -> None:
        snapshot = running(target())
        async with on_stage(snapshot) as stage:
            monkeypatch.setattr(Widget, "refresh", note)
            await stage.publish(replace(snapshot, version=2, memory_history=(1, 2, 3)))
            assert [] == drawn
            await stage.publish(replace(snapshot, version=3, url="http://127.0.0.1:9/v1"))
            assert "StatusLine" in drawn
            monkeypatch.undo()

    asyncio.run(run())
