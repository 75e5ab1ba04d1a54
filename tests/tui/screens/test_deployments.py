"""The screen of deployments: what it follows, what it asks before, and what it orders."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.errors import EndpointNotFound
from ggtui.tui.screens.choice import ChoiceScreen
from ggtui.tui.screens.deployments import DeploymentsScreen
from tests.tui.fake_deployments import deployments
from tests.tui.fake_engine import FakeEngine, full
from tests.tui.stage import NOW, Stage, make_app, on_stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from ggtui.core.snapshot import EngineSnapshot

STATE = full(deployments=deployments(NOW))
DOWN = {name: n for n, name in enumerate(("qwen", "gpt-4o-mini", "claude", "box", "old-box"))}


async def _open(stage: Stage, name: str = "qwen") -> DeploymentsScreen:
    await stage.press("P", *("j" for _ in range(DOWN[name])))
    screen = stage.app.screen
    assert isinstance(screen, DeploymentsScreen)
    assert name == (screen.row.key if screen.row is not None else "")
    return screen


def _orders(stage: Stage) -> list[tuple[object, ...]]:
    return [call for call in stage.calls if call[0] == "order"]


@pytest.mark.parametrize(
    ("name", "key", "order", "said"),
    [
        ("gpt-4o-mini", "c", "close", "held closed"),
        ("gpt-4o-mini", "backspace", "reset", "judges by itself again"),
        ("gpt-4o-mini", "delete", "reset", "judges by itself again"),
        ("box", "space", "resume", "takes requests again"),
        ("old-box", "space", "resume", "takes requests again"),
    ],
)
def test_what_refuses_no_request_is_done_at_once(name: str, key: str, order: str, said: str) -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            await _open(stage, name)
            await stage.press(key)
            await stage.until(lambda: said in stage.said)

            assert ([("order", name, order)], True) == (_orders(stage), name in stage.said)

    asyncio.run(run())


@pytest.mark.parametrize(("key", "order"), [("space", "drain"), ("o", "open")])
def test_what_refuses_requests_is_asked_first_and_no_has_the_focus(key: str, order: str) -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            await _open(stage)
            await stage.press(key)
            assert isinstance(stage.app.screen, ChoiceScreen)
            question = stage.app.screen.question
            assert "qwen" in question.title
            assert question.text.endswith("3 waiting are turned away. 4 in flight go on.")
            await stage.press("enter")
            assert [] == _orders(stage)

            await stage.press(key, "escape")
            assert [] == _orders(stage)

            await stage.press(key, "tab", "enter")
            await stage.until(lambda: bool(_orders(stage)))
            assert [("order", "qwen", order)] == _orders(stage)

    asyncio.run(run())


def test_the_row_follows_what_was_ordered() -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            await _open(stage)
            await stage.press("space", "tab", "enter")

            await stage.until(lambda: "◑ qwen         DRAINING" in stage.text)
            assert "a person has drained it; space lets requests in again" in stage.text
            await stage.press("space")
            await stage.until(lambda: "● qwen         SERVING" in stage.text)

    asyncio.run(run())


def test_breakers_count_down_while_the_screen_is_open() -> None:
    async def run() -> None:
        time = NOW
        engine = FakeEngine(STATE)
        app = make_app(engine)
        app.clock = lambda: time
        try:
            async with app.run_test(size=(80, 24)) as pilot:
                stage = Stage(app, pilot, engine)
                await stage.until(lambda: app.desk.snapshot.version > 0)
                await _open(stage, "gpt-4o-mini")
                assert "open 22s" in stage.text
                time += 10
                app.following.tick()
                await stage.settle()
                assert ("open 12s" in stage.text, "tried again in 12 s" in stage.text) == (True, True)
                time += 20
                app.following.tick()
                await stage.settle()
                assert "open 12s" not in stage.text
                assert "the next request tries whether its server is well again" in stage.text
        finally:
            engine.stop()

    asyncio.run(run())


def test_the_cursor_stays_on_its_deployment_when_others_come() -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            screen = await _open(stage, "claude")
            newcomer = replace(STATE.deployments[0], name="newcomer")
            await stage.publish(replace(STATE, deployments=(newcomer, *STATE.deployments)))

            await stage.until(lambda: "newcomer" in stage.text)
            assert "claude" == (screen.row.key if screen.row is not None else "")

    asyncio.run(run())


def test_a_filter_keeps_what_matches_and_esc_clears_it_before_it_closes() -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            screen = await _open(stage)
            await stage.press("/", *"vllm", "enter")
            assert ["box"] == [each.key for each in screen.list.entries]
            await stage.press("escape")
            assert 6 == len(screen.list.entries)
            await stage.press("escape")
            assert stage.app.screen is stage.main

    asyncio.run(run())


def test_a_refused_order_is_told() -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            await _open(stage)
            stage.engine.control.failure = EndpointNotFound("qwen")
            await stage.press("c")

            await stage.until(lambda: "'qwen' not found" in stage.said)

    asyncio.run(run())


def test_read_only_orders_nothing_and_says_so() -> None:
    async def run() -> None:
        async with on_stage(replace(STATE, is_read_only=True)) as stage:
            await _open(stage)
            for key in ("space", "o", "c", "backspace"):
                await stage.press(key)
                assert "this ggtui is read-only" == stage.said

            assert [] == _orders(stage)
            assert isinstance(stage.app.screen, DeploymentsScreen)

    asyncio.run(run())


def test_without_deployments_it_says_what_that_means() -> None:
    async def run() -> None:
        async with on_stage(full()) as stage:
            await stage.press("P")
            assert "the configuration has no [[deployment]]" in stage.text
            await stage.press("space", "o", "c", "backspace")
            assert ([], "no deployment under the cursor") == (_orders(stage), stage.said)

    asyncio.run(run())


def test_y_copies_the_name_and_help_begins_with_these_keys() -> None:
    async def run() -> None:
        async with on_stage(STATE, size=(100, 40)) as stage:
            screen = await _open(stage, "claude")
            assert ("claude", "the name") == screen.to_copy()
            await stage.press("?")
            assert "Keys in deployments" in stage.text
            assert "hold the circuit breaker open" in stage.text

    asyncio.run(run())


@pytest.mark.parametrize("size", [(40, 10), (40, 12), (60, 20), (80, 24), (140, 40)])
def test_it_can_be_read_at_every_size(size: tuple[int, int]) -> None:
    async def run() -> None:
        async with on_stage(STATE, size=size) as stage:
            await _open(stage)

            assert all(each in stage.text for each in ("qwen", "SERVING", "4/4 +3", "runtime"))

    asyncio.run(run())


@pytest.mark.parametrize(
    ("state", "name", "size", "ascii_only"),
    [
        pytest.param(STATE, "gpt-4o-mini", (80, 24), False, id="80x24"),
        pytest.param(STATE, "qwen", (140, 40), False, id="140x40"),
        pytest.param(STATE, "old-box", (80, 24), True, id="80x24_ascii"),
    ],
)
def test_frame(
    state: EngineSnapshot,
    name: str,
    size: tuple[int, int],
    ascii_only: bool,
    snap_compare: Callable[..., bool],
) -> None:
    engine = FakeEngine(state)
    app = make_app(engine, ascii_only=ascii_only)
    app.animation_level = "none"

    async def before(pilot: Pilot[object]) -> None:
        stage = Stage(app, pilot, engine)  # type: ignore[arg-type]
        await stage.until(lambda: app.desk.snapshot.version > 0)
        await _open(stage, name)

    try:
        assert snap_compare(app, terminal_size=size, run_before=before)
    finally:
        engine.stop()
