"""The screen of downloads: what it follows, what it asks before, and what it orders."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.downloads.jobs import JobState
from ggtui.core.errors import DownloadNotFound
from ggtui.tui.screens.choice import ChoiceScreen
from ggtui.tui.screens.downloads import DownloadsScreen
from ggtui.tui.screens.hub_search import HubScreen
from tests.tui.fake_engine import FakeEngine, full, running, target
from tests.tui.fake_fetching import jobs
from tests.tui.stage import Stage, make_app, on_stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

STATE = full(downloads=jobs())


async def _open(stage: Stage, number: int = 1) -> DownloadsScreen:
    """The screen with the cursor on this download."""
    await stage.press("v", *("j" for _ in range(number - 1)))
    screen = stage.app.screen
    assert isinstance(screen, DownloadsScreen)
    assert number == (screen.row.job.number if screen.row is not None else 0)
    return screen


def _orders(stage: Stage) -> list[tuple[object, ...]]:
    return [call for call in stage.calls if call[0] in ("pause", "resume", "move", "remove", "add")]


@pytest.mark.parametrize(
    ("number", "order", "said"),
    [
        (1, "pause", "is paused: what is there already is kept"),
        (3, "pause", "is paused"),
        (5, "resume", "goes on"),
        (6, "resume", "goes on"),
    ],
)
def test_space_pauses_what_runs_and_resumes_what_does_not(number: int, order: str, said: str) -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            await _open(stage, number)
            await stage.press("space")

            await stage.until(lambda: said in stage.said)
            assert [(order, number)] == _orders(stage)

    asyncio.run(run())


def test_r_tries_a_failed_one_again_and_nothing_else() -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            await _open(stage, 6)
            await stage.press("r")
            await stage.until(lambda: "goes on" in stage.said)
            await stage.press("k", "r")

            assert ([("resume", 6)], "no failed download under the cursor") == (_orders(stage), stage.said)

    asyncio.run(run())


def test_j_and_k_move_a_download_and_the_cursor_stays_on_it() -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            screen = await _open(stage, 3)
            await stage.press("J")
            await stage.until(lambda: [1, 2, 4, 3] == [e.job.number for e in screen.list.entries][:4])
            assert screen.row is not None
            assert 3 == screen.row.job.number
            await stage.press("K", "K")
            await stage.until(lambda: [1, 3, 2, 4] == [e.job.number for e in screen.list.entries][:4])
            await stage.press("K", "K")

            assert 3 == screen.list.entries[0].job.number
            assert "it is the first already" == stage.said

    asyncio.run(run())


def test_what_is_done_and_shown_last_is_no_neighbour() -> None:
    done, *rest = (replace(job, state=JobState.DONE) if job.number == 1 else job for job in jobs())

    async def run() -> None:
        async with on_stage(full(downloads=(*rest, done))) as stage:
            await stage.press("v", "J")
            await stage.until(lambda: bool(_orders(stage)))

            # The second by position is told to go where the third stands, the first being done.
            assert [("move", 2, 2)] == _orders(stage)

    asyncio.run(run())


def test_removing_asks_first_and_no_has_the_focus() -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            await _open(stage, 4)
            await stage.press("backspace")
            assert isinstance(stage.app.screen, ChoiceScreen)
            assert "gemma-3-4b-it-GGUF:Q8_0" in stage.app.screen.question.title
            assert "What of it is on disk stays there, 1.0G." in stage.app.screen.question.text
            await stage.press("enter")
            await stage.press("delete", "escape")
            assert [] == _orders(stage)

            await stage.press("backspace", "tab", "enter")
            await stage.until(lambda: "is off the list" in stage.said)
            assert [("remove", 4)] == _orders(stage)

    asyncio.run(run())


def test_one_that_is_done_goes_without_a_question() -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            await _open(stage, 7)
            await stage.press("backspace")

            await stage.until(lambda: "is off the list" in stage.said)
            assert [("remove", 7)] == _orders(stage)

    asyncio.run(run())


def test_a_declared_one_that_stays_is_told_as_such() -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            stage.engine.control.downloads.declared = frozenset({3})
            await _open(stage, 3)
            await stage.press("backspace")
            assert isinstance(stage.app.screen, ChoiceScreen)
            assert "If it is still declared, it stays on the list as paused" in stage.app.screen.question.text
            await stage.press("tab", "enter")

            await stage.until(lambda: "is declared, so it stays on the list, paused" in stage.said)

    asyncio.run(run())


def test_a_refused_order_is_told() -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            await _open(stage)
            stage.engine.control.failure = DownloadNotFound("there is no download 1")
            await stage.press("space")

            await stage.until(lambda: "there is no download 1" in stage.said)

    asyncio.run(run())


def test_read_only_orders_nothing_and_says_so() -> None:
    async def run() -> None:
        async with on_stage(replace(STATE, is_read_only=True)) as stage:
            await _open(stage, 6)
            for key in ("space", "J", "K", "backspace", "r"):
                await stage.press(key)
                assert "this ggtui is read-only" == stage.said

            assert [] == _orders(stage)

    asyncio.run(run())


def test_without_downloads_it_says_where_to_search() -> None:
    async def run() -> None:
        async with on_stage(full()) as stage:
            await stage.press("v")
            assert "nothing is being downloaded" in stage.text
            assert "a searches the hub for a model" in stage.text
            await stage.press("space", "J", "backspace")
            assert ([], "no download under the cursor") == (_orders(stage), stage.said)
            await stage.press("a")
            assert isinstance(stage.app.screen, HubScreen)

    asyncio.run(run())


def test_what_comes_and_what_fails_meanwhile_is_told_wherever_one_is() -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            done, failed = jobs()[0], jobs()[1]
            await stage.publish(
                replace(STATE, downloads=(replace(done, state=JobState.DONE), *STATE.downloads[1:]))
            )
            assert f"{done.model} is here now" == stage.said
            broken = replace(failed, state=JobState.FAILED, why="ollama-box does not answer")
            await stage.publish(
                replace(stage.app.desk.snapshot, downloads=(STATE.downloads[0], broken, *STATE.downloads[2:]))
            )
            assert "llama3:8b: ollama-box does not answer; v shows all downloads" == stage.said

    asyncio.run(run())


def test_the_first_line_of_the_main_screen_tells_of_what_runs() -> None:
    known = full(downloads=(jobs()[0],))

    async def run() -> None:
        async with on_stage(known) as stage:
            assert "↓ 1  62% 12 MB/s" in stage.text.splitlines()[0]
            await stage.publish(running(target(in_flight=2), downloads=known.downloads))
            # The name, the address and the count of requests come first; then it is told in short.
            first = stage.text.splitlines()[0]
            assert ("2 in flight" in first, "↓ 62%" in first, len(first) <= 80) == (True, True, True)

    asyncio.run(run())


def test_y_copies_the_name_and_help_begins_with_these_keys() -> None:
    async def run() -> None:
        async with on_stage(STATE, size=(100, 40)) as stage:
            screen = await _open(stage, 3)
            assert ("unsloth/Qwen3-8B-GGUF:Q4_K_M", "the name") == screen.to_copy()
            await stage.press("?")
            assert "Keys in downloads" in stage.text
            assert "search the hub for a model" in stage.text

    asyncio.run(run())


def test_a_filter_keeps_what_matches_and_esc_clears_it_before_it_closes() -> None:
    async def run() -> None:
        async with on_stage(STATE) as stage:
            screen = await _open(stage)
            await stage.press("/", *"waiting", "enter")
            assert [3, 4] == [each.job.number for each in screen.list.entries]
            await stage.press("/", *"zzz", "enter")
            assert '0 of 7 match "waitingzzz"' in stage.text
            await stage.press("escape", "escape")
            assert stage.app.screen is stage.main

    asyncio.run(run())


@pytest.mark.parametrize("size", [(40, 10), (60, 20), (80, 24), (140, 40)])
def test_it_can_be_read_at_every_size(size: tuple[int, int]) -> None:
    async def run() -> None:
        async with on_stage(STATE, size=size) as stage:
            await _open(stage)

            assert all(each in stage.text for each in (":Q4_K_M", "running", "62%"))

    asyncio.run(run())


@pytest.mark.parametrize(
    ("size", "theme", "ascii_only", "number"),
    [
        pytest.param((80, 24), "ggtui-dark", False, 1, id="80x24"),
        pytest.param((140, 40), "ggtui-light", False, 4, id="140x40_light"),
        pytest.param((80, 24), "ggtui-dark", True, 6, id="80x24_ascii"),
    ],
)
def test_frame(
    size: tuple[int, int], theme: str, ascii_only: bool, number: int, snap_compare: Callable[..., bool]
) -> None:
    engine = FakeEngine(STATE)
    app = make_app(engine, ascii_only=ascii_only)
    app.theme = theme
    app.animation_level = "none"

    async def before(pilot: Pilot[object]) -> None:
        stage = Stage(app, pilot, engine)  # type: ignore[arg-type]
        await stage.until(lambda: app.desk.snapshot.version > 0)
        await _open(stage, number)

    try:
        assert snap_compare(app, terminal_size=size, run_before=before)
    finally:
        engine.stop()
