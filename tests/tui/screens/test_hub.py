"""The hub: a search, quantisations whose verdicts come one by one, and what enter puts into the queue."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.core.errors import RemoteRefused, RemoteUnreachable
from ggtui.tui.screens.choice import ChoiceScreen
from ggtui.tui.screens.hub_offers import OffersScreen
from ggtui.tui.screens.hub_search import HubScreen
from tests.tui.fake_engine import FakeEngine, full, model
from tests.tui.fake_fetching import OFFERS, QWEN, FakeDownloads, FakeHubLook
from tests.tui.stage import Stage, make_app, on_stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from textual.pilot import Pilot

SIZES = (3.3, 5.0, 8.7, 16.4, 132.8)


def _fill(engine: FakeEngine) -> tuple[FakeDownloads, FakeHubLook]:
    """Let the headers be what the sizes say; the last one cannot be read."""
    look = engine.control.hub_look
    for offer, size in zip(OFFERS, SIZES, strict=False):
        look.models[offer.model] = model(0, offer.label, size)
    look.models[OFFERS[-1].model] = RemoteUnreachable("cdn.example does not answer", hint="try again")
    return engine.control.downloads, look


@asynccontextmanager
async def _searching(**options: Any) -> AsyncIterator[tuple[Stage, FakeDownloads, FakeHubLook]]:
    """The field to search with."""
    async with on_stage(**options) as stage:
        downloads, look = _fill(stage.engine)
        await stage.press("v", "a")
        assert isinstance(stage.app.screen, HubScreen)
        yield stage, downloads, look


async def _offers(stage: Stage) -> OffersScreen:
    """The quantisations, by the name of their repository."""
    await stage.press(*QWEN, "enter")
    await stage.until(lambda: isinstance(stage.app.screen, OffersScreen))
    screen = stage.app.screen
    assert isinstance(screen, OffersScreen)
    await stage.until(lambda: bool(screen.list.entries))
    return screen


def _screen(stage: Stage) -> str:
    return type(stage.app.screen).__name__


def _orders(stage: Stage) -> list[tuple[object, ...]]:
    return [call for call in stage.calls if call[0] == "add"]


def test_words_find_repositories_and_enter_shows_what_one_has() -> None:
    async def run() -> None:
        async with _searching() as (stage, _, _):
            assert "type words and press enter" in stage.text
            await stage.press(*"qwen", "enter")
            await stage.until(lambda: "gated" in stage.text)
            assert ("search", "qwen") in stage.calls
            assert "3 repositories, most downloaded first" in stage.text
            await stage.press("j", "j")
            assert "HF_TOKEN must be yours" in stage.text
            await stage.press("k", "k", "enter")
            await stage.until(lambda: "largest that fits: BF16" in stage.text)
            assert ("offers", QWEN) in stage.calls

    asyncio.run(run())


def test_letters_are_no_keys_in_the_field_and_a_slash_is_a_letter() -> None:
    async def run() -> None:
        async with _searching() as (stage, _, _):
            await stage.press(*"quit/Dav", "enter")
            await stage.until(lambda: isinstance(stage.app.screen, OffersScreen))

            assert ("offers", "quit/Dav") in stage.calls

    asyncio.run(run())


def test_a_question_shows_its_time_and_esc_ends_it() -> None:
    async def run() -> None:
        async with _searching() as (stage, downloads, _):
            downloads.hangs = True
            await stage.press(*"qwen", "enter")
            await stage.until(lambda: 'asking the hub for "qwen"' in stage.text)
            stage.app.following.tick()
            await stage.press("escape")
            await stage.until(lambda: 1 == downloads.n_cancelled)
            assert "not asked to the end" in stage.text

            downloads.hangs = False
            await stage.press("enter")
            await stage.until(lambda: QWEN in stage.text)

    asyncio.run(run())


def test_why_the_hub_says_nothing_is_told_in_its_place() -> None:
    async def run() -> None:
        async with _searching() as (stage, downloads, _):
            downloads.hub_failure = RemoteRefused("huggingface.co is not asked: HF_HUB_OFFLINE is set")
            await stage.press(*"qwen", "enter")
            await stage.until(lambda: "HF_HUB_OFFLINE is set" in stage.text)

            downloads.hub_failure, downloads.hits = None, ()
            await stage.press("enter")
            await stage.until(lambda: 'no repository with GGUF files for "qwen"' in stage.text)

    asyncio.run(run())


def test_slash_leads_back_to_the_words_and_esc_out() -> None:
    async def run() -> None:
        async with _searching() as (stage, _, _):
            await stage.press(*"qwen", "enter")
            await stage.until(lambda: QWEN in stage.text)
            await stage.press("/", "end", *"3", "enter")
            await stage.until(lambda: ("search", "qwen3") in stage.calls)
            await stage.until(lambda: QWEN in stage.text)
            await stage.press("a", "escape")
            assert isinstance(stage.app.screen, HubScreen)
            assert stage.app.screen.list.has_focus
            await stage.press("escape")
            assert "DownloadsScreen" == _screen(stage)

    asyncio.run(run())


def test_verdicts_come_one_by_one_and_the_first_header_is_read_alone() -> None:
    async def run() -> None:
        async with _searching() as (stage, _, look):
            gates = {offer.model: asyncio.Event() for offer in OFFERS}
            look.gates = gates
            await _offers(stage)
            await stage.until(lambda: 1 == len(look.asked))
            assert "0 of 6 headers read" in stage.text
            assert "reading…" in stage.text

            stage.engine._loop.call_soon_threadsafe(gates[OFFERS[0].model].set)
            await stage.until(lambda: 5 == len(look.asked))
            assert "1 of 6 headers read · largest that fits: Q2_K" in stage.text

            for gate in gates.values():
                stage.engine._loop.call_soon_threadsafe(gate.set)
            await stage.until(lambda: "headers read" not in stage.text)
            assert ("✗ no" in stage.text, "largest that fits: BF16" in stage.text) == (True, True)
            await stage.press("G")
            assert "cdn.example does not answer; try again" in stage.text

    asyncio.run(run())


def test_leaving_ends_the_reading() -> None:
    async def run() -> None:
        async with _searching() as (stage, _, look):
            look.gates = {OFFERS[0].model: asyncio.Event()}
            await _offers(stage)
            await stage.until(lambda: bool(look.asked))
            await stage.press("escape")

            await stage.until(lambda: [OFFERS[0].model] == look.cancelled)
            assert [OFFERS[0].model] == look.asked
            assert isinstance(stage.app.screen, HubScreen)

    asyncio.run(run())


def test_enter_queues_and_the_row_follows_the_download() -> None:
    async def run() -> None:
        async with _searching() as (stage, _, _):
            await _offers(stage)
            await stage.press("j", "enter")
            await stage.until(lambda: "is in the queue, 5.0G" in stage.said)
            assert [("add", f"{QWEN}:Q4_K_M", "local")] == _orders(stage)
            await stage.until(lambda: "waiting" in stage.text)
            await stage.press("enter")
            assert "is being fetched already" in stage.said
            await stage.press("v")
            assert "DownloadsScreen" == _screen(stage)
            await stage.press("a")
            assert "HubScreen" == _screen(stage)
            assert 1 == sum(isinstance(each, HubScreen) for each in stage.app.screen_stack)

    asyncio.run(run())


def test_what_does_not_fit_is_asked_about_and_no_has_the_focus() -> None:
    async def run() -> None:
        async with _searching() as (stage, _, _):
            await _offers(stage)
            await stage.until(lambda: "✗ no" in stage.text)
            await stage.press("j", "j", "j", "j", "enter")
            assert isinstance(stage.app.screen, ChoiceScreen)
            text = stage.app.screen.question.text
            assert "takes 133G of disk. This machine cannot run it with ctx 4k" in text
            await stage.press("enter")
            assert [] == _orders(stage)
            await stage.press("enter", "tab", "enter")
            await stage.until(lambda: [("add", f"{QWEN}:F32", "local")] == _orders(stage))

    asyncio.run(run())


def test_what_is_here_is_not_fetched_again() -> None:
    async def run() -> None:
        async with _searching() as (stage, _, _):
            await _offers(stage)
            await stage.press("enter")

            assert (f"{QWEN}:Q2_K is on this disk already", []) == (stage.said, _orders(stage))

    asyncio.run(run())


def test_read_only_looks_and_fetches_nothing() -> None:
    async def run() -> None:
        async with _searching(snapshot=full(is_read_only=True)) as (stage, _, _):
            await _offers(stage)
            await stage.until(lambda: "✓ fits" in stage.text)
            await stage.press("j", "enter")

            assert ("this ggtui is read-only", []) == (stage.said, _orders(stage))

    asyncio.run(run())


def test_brackets_move_the_context_of_all_verdicts() -> None:
    async def run() -> None:
        async with _searching() as (stage, _, _):
            screen = await _offers(stage)
            await stage.until(lambda: "largest that fits" in stage.text)

            def contexts() -> set[int]:
                return {row.ahead.n_ctx for row in screen.list.entries if row.ahead is not None}

            assert {4096} == contexts()
            await stage.press("]")
            assert {6144} == contexts()
            await stage.press("[", "[")
            assert {3072} == contexts()
            await stage.press("}")
            assert {131072} == contexts()
            assert "largest that fits: Q8_0" in stage.text
            await stage.press("{")
            assert {4096} == contexts()

    asyncio.run(run())


def test_a_repository_without_an_answer_says_why() -> None:
    async def run() -> None:
        async with _searching() as (stage, downloads, _):
            downloads.hub_failure = RemoteRefused("huggingface.co has no such repository")
            await stage.press(*"no/such", "enter")
            await stage.until(lambda: "huggingface.co has no such repository" in stage.text)
            await stage.press("escape")
            downloads.hub_failure, downloads.offered = None, ()
            await stage.press("enter")
            await stage.until(lambda: "no/such has no GGUF file" in stage.text)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("words", "keys", "size", "ascii_only"),
    [
        pytest.param("qwen", ("j", "j"), (80, 24), False, id="search_80x24"),
        pytest.param(QWEN, ("j", "j", "j", "j"), (80, 24), False, id="offers_80x24"),
        pytest.param(QWEN, ("j", "enter"), (140, 40), True, id="offers_140x40_ascii"),
    ],
)
def test_frame(
    words: str,
    keys: tuple[str, ...],
    size: tuple[int, int],
    ascii_only: bool,
    snap_compare: Callable[..., bool],
) -> None:
    engine = FakeEngine(full())
    _fill(engine)
    app = make_app(engine, ascii_only=ascii_only)
    app.animation_level = "none"

    async def before(pilot: Pilot[object]) -> None:
        stage = Stage(app, pilot, engine)  # type: ignore[arg-type]
        await stage.until(lambda: app.desk.snapshot.version > 0)
        await stage.press("v", "a", *words, "enter")
        await stage.until(lambda: "gated" in stage.text or "largest that fits: BF16" in stage.text)
        await stage.until(lambda: "headers read" not in stage.text)
        await stage.press(*keys)
        app.clear_notifications()
        await stage.settle()

    try:
        assert snap_compare(app, terminal_size=size, run_before=before)
    finally:
        engine.stop()
