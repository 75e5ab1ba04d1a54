"""The first line: the state's word and the address outlive the counts when room is short."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from textual.widget import Widget

from ggtui.core.snapshot import RouteNote
from ggtui.core.state import TargetState
from ggtui.tui.glyphs import UNICODE
from ggtui.tui.panes.status import ROUTE_S, status_line
from tests.tui.fake_engine import full, running, target
from tests.tui.stage import NOW, on_stage

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


ROUTE = RouteNote("deepseek-r1-671b", "12041 tokens; phi-4-mini holds 8192", at=NOW - 5)


def routed(width: int, now: float = NOW, **changes: Any) -> str:
    snapshot = replace(running(target(8, in_flight=2)), last_route=ROUTE, **changes)
    return status_line(snapshot, 0.0, width, UNICODE, now).plain


def test_a_request_that_context_brought_elsewhere_is_told_with_its_reason() -> None:
    assert routed(138).endswith(
        "2 in flight  0 queued  → deepseek-r1-671b: 12041 tokens; phi-4-mini holds 8192"
    )


def test_counts_and_the_whole_address_make_way_for_it() -> None:
    shown = routed(78)

    assert "ggtui  ● phi-4-mini  127.0.0.1:8080  → deepseek-r1-671b: 12041 tokens; phi-4-" == shown[:77]
    assert 78 == len(shown)


@pytest.mark.parametrize("width", [38, 46, 58, 78, 98, 138])
def test_the_line_keeps_to_its_width_and_to_the_name(width: int) -> None:
    assert len(routed(width)) <= width
    assert "● phi-4-mini" in routed(width)
    assert "127.0.0.1:8080" in routed(width)


def test_an_old_route_is_told_no_more() -> None:
    assert "→" in routed(138, ROUTE.at + ROUTE_S - 1)
    assert "→" not in routed(138, ROUTE.at + ROUTE_S)


def test_it_goes_by_itself_after_a_minute() -> None:
    async def run() -> None:
        async with on_stage(replace(running(target(8)), last_route=ROUTE), size=(140, 40)) as stage:
            assert "→ deepseek-r1-671b: 12041 tokens; phi-4-mini holds 8192" in stage.text
            stage.main.tick(NOW + ROUTE_S, 0.0)
            await stage.settle()
            assert "12041" not in stage.text

    asyncio.run(run())
