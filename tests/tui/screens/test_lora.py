"""The screen of adapters, typed as a person would."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Button, Input

from ggtui.core.errors import ConfigInvalid, StoreUnavailable
from ggtui.core.model_settings import ModelSettings
from ggtui.core.routing.adapters import AdapterRef, AttachedAdapter
from ggtui.tui.lora_rows import Kind
from ggtui.tui.screens.attaching import AttachScreen
from ggtui.tui.screens.choice import ChoiceScreen
from ggtui.tui.screens.lora import LoraScreen
from ggtui.tui.screens.main import MainScreen
from ggtui.tui.widgets.text_block import TextBlock
from tests.tui.fake_engine import full, running, target
from tests.tui.fake_names import adapted, named
from tests.tui.stage import on_stage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.stage import Stage

GEMMA = "gemma-3-27b-it"
BOTH = (AdapterRef("code", 0.6), AdapterRef("chat", 0.4))
BUSY = running(target(4, in_flight=2))
NONE = adapted(BUSY, GEMMA, {})
TWO = adapted(BUSY, GEMMA, {"code": 0.8, "chat": 1.0}, {"both": BOTH})


def asked(stage: Stage, what: str) -> list[tuple[object, ...]]:
    return [call[1:] for call in stage.calls if call[0] == what]


def screen(stage: Stage) -> LoraScreen:
    assert isinstance(stage.app.screen, LoraScreen)
    return stage.app.screen


def here(stage: Stage) -> str:
    row = screen(stage).row
    return row.name if row is not None else ""


async def open_on(stage: Stage, *keys: str) -> None:
    await stage.put_cursor_on(GEMMA)
    await stage.press("A", *keys)


def test_a_file_made_for_the_model_comes_first_with_what_follows() -> None:
    async def run() -> None:
        async with on_stage(NONE) as stage:
            await open_on(stage)

            assert "code-lora" == here(stage)
            assert "none: enter on a file below attaches it" in stage.text
            assert "48M more: gemma-3-27b-it with ctx 32k → " in stage.text
            assert "The server ends after its 2 requests; the next request starts it again." in stage.text

    asyncio.run(run())


@pytest.mark.parametrize("key", ["enter", "space"])
def test_attaching_asks_for_name_and_weight(key: str) -> None:
    async def run() -> None:
        async with on_stage(NONE) as stage:
            await open_on(stage, key)
            assert isinstance(stage.app.screen, AttachScreen)
            assert "✓ fits" in stage.text
            assert ["code-lora", "1"] == [line.value for line in stage.app.screen.query(Input)]
            await stage.press("ctrl+u", *"code", "enter", "backspace", *"0.8", "enter")
            await stage.until(lambda: isinstance(stage.app.screen, LoraScreen))

            assert [(GEMMA, "code-lora", "code", 0.8)] == asked(stage, "attach")
            assert f"{GEMMA}:code can be asked for now" in stage.said
            assert "code" == here(stage)
            assert "not carried yet. The server ends after its 2 requests;" in stage.text

    asyncio.run(run())


def test_more_memory_is_forecast_for_every_file_that_is_attached() -> None:
    async def run() -> None:
        async with on_stage(adapted(full(), GEMMA, {})) as stage:
            status = stage.app.desk.by_name(GEMMA)
            assert status is not None
            before = stage.app.desk.outlook(status).forecast
            await open_on(stage, "enter", "enter", "enter")
            await stage.until(lambda: isinstance(stage.app.screen, LoraScreen))
            after = stage.app.desk.outlook(stage.app.desk.by_name(GEMMA) or status).forecast

            assert before is not None
            assert after is not None
            assert 48 * 1024**2 == after.after_bytes - before.after_bytes

    asyncio.run(run())


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (("ctrl+u", *"a b"), "the name of an adapter is 1 to 64 letters"),
        (("ctrl+u", *"both"), "has an adapter or a stack called both already"),
        (("enter", "5"), "the weight is a number from 0 to 1"),
    ],
)
def test_what_is_wrong_is_said_where_it_was_typed(typed: tuple[str, ...], expected: str) -> None:
    async def run() -> None:
        async with on_stage(TWO, size=(100, 40)) as stage:
            await open_on(stage, "G", "k", "k", "k", "enter", *typed, "enter", "enter")
            problem = stage.app.screen.query_one("#form-problem", TextBlock).shown.plain

            assert expected in problem
            assert stage.app.screen.query_one("#form-do", Button).disabled
            assert [] == asked(stage, "attach")

    asyncio.run(run())


def test_a_refusal_of_the_engine_stays_in_the_dialog() -> None:
    async def run() -> None:
        async with on_stage(NONE) as stage:
            await open_on(stage, "enter")
            stage.engine.control.failure = ConfigInvalid("code-lora cannot be attached: it is cut off")
            await stage.press("enter", "enter")
            await stage.until(lambda: "it is cut off" in stage.text)

            assert isinstance(stage.app.screen, AttachScreen)
            await stage.press("escape")
            assert isinstance(stage.app.screen, LoraScreen)

    asyncio.run(run())


def test_a_path_is_typed_and_proposes_a_name(tmp_path: Path) -> None:
    (tmp_path / "Far One.gguf").write_bytes(b"")

    async def run() -> None:
        async with on_stage(NONE) as stage:
            await open_on(stage, "a")
            path, name = stage.app.screen.query(Input)
            path.insert_text_at_cursor(f"{tmp_path}/F")
            await stage.until(lambda: bool(path._suggestion))
            await stage.press("right")
            assert f"{tmp_path}/Far One.gguf" == path.value
            assert "far-one" == name.value
            await stage.press("enter", "enter")
            await stage.until(lambda: isinstance(stage.app.screen, LoraScreen))

            assert [(GEMMA, f"{tmp_path}/Far One.gguf", "far-one", 1.0)] == asked(stage, "attach")

    asyncio.run(run())


def test_a_typed_name_is_not_replaced_by_a_proposal() -> None:
    async def run() -> None:
        async with on_stage(NONE) as stage:
            await open_on(stage, "G", "enter", *"/one", "tab", "ctrl+u", *"me", "shift+tab", "2")

            assert ["/one2", "me"] == [line.value for line in stage.app.screen.query(Input)]

    asyncio.run(run())


def test_detaching_asks_and_says_what_follows() -> None:
    async def run() -> None:
        async with on_stage(TWO) as stage:
            await open_on(stage, "enter")
            assert isinstance(stage.app.screen, ChoiceScreen)
            words = stage.app.screen.question.text
            assert f"Who asks for {GEMMA}:code is refused then." in words
            assert "ends after its 2 requests" in words
            await stage.press("enter")
            assert [] == asked(stage, "detach")
            await stage.press("enter", "tab", "enter")
            assert [(GEMMA, "code")] == asked(stage, "detach")
            await stage.until(lambda: f"code is detached from {GEMMA}" == stage.said)

    asyncio.run(run())


def test_weights_change_at_once_by_twentieths_and_to_both_ends() -> None:
    async def run() -> None:
        async with on_stage(TWO) as stage:
            await open_on(stage, "<", "-", "<", "+", ">", "0", "1", "1")
            sent = [call[2] for call in asked(stage, "set_weight")]

            assert [0.75, 0.7, 0.65, 0.7, 0.75, 0.0, 1.0] == sent
            assert {(GEMMA, "code")} == {call[:2] for call in asked(stage, "set_weight")}
            assert 1.0 == stage.app.desk.weights.now(stage.app.desk.snapshot, GEMMA, "code")

    asyncio.run(run())


def test_the_weight_of_the_file_stands_beside_the_live_one() -> None:
    async def run() -> None:
        async with on_stage(TWO) as stage:
            stage.engine.control.kept.own[GEMMA] = ModelSettings(adapters=(AttachedAdapter("code", "", 0.5),))
            await open_on(stage)
            await stage.until(lambda: bool(screen(stage).kept))
            row = screen(stage).row

            assert row is not None
            assert (0.5, 0.8) == (row.weight, row.live)
            assert "0.80 for each request that follows, until ggtui ends; then 0.50 again" in stage.text

    asyncio.run(run())


def test_a_refused_weight_goes_back() -> None:
    async def run() -> None:
        async with on_stage(TWO) as stage:
            await open_on(stage)
            stage.engine.control.failure = StoreUnavailable("no")
            await stage.press("<")
            await stage.until(lambda: bool(stage.said))

            assert 0.8 == stage.app.desk.weights.now(stage.app.desk.snapshot, GEMMA, "code")
            row = screen(stage).row
            assert row is not None
            assert 0.8 == row.live

    asyncio.run(run())


def test_keys_that_do_nothing_to_a_row_say_why() -> None:
    async def run() -> None:
        async with on_stage(TWO) as stage:
            await open_on(stage, "G", ">")
            assert "no adapter under the cursor" == stage.said
            await stage.press("k", "enter")
            assert "old-lora: it has no tensors" == stage.said
            await stage.press("g", "j", "j", "enter")
            assert Kind.STACK is (screen(stage).row or screen(stage).list.entries[0]).kind
            assert "stacks are written in models.toml" == stage.said
            assert [] == [call for call in stage.calls if call[0] != "settings"]

    asyncio.run(run())


@pytest.mark.parametrize("key", ["enter", "a", "<", "0"])
def test_a_read_only_ggtui_says_so_and_changes_nothing(key: str) -> None:
    async def run() -> None:
        async with on_stage(replace(TWO, is_read_only=True)) as stage:
            await open_on(stage, key)

            assert "this ggtui is read-only" == stage.said
            assert "this ggtui is read-only" == stage.app.why_not("attach")
            assert [] == stage.calls

    asyncio.run(run())


def test_a_model_that_cannot_be_loaded_has_no_screen() -> None:
    async def run() -> None:
        async with on_stage(named(full())) as stage:
            await stage.put_cursor_on("broken-7b")
            await stage.press("A")

            assert isinstance(stage.app.screen, MainScreen)
            assert "shard 2 of 3 is missing" in stage.said

    asyncio.run(run())


def test_from_the_names_it_opens_at_their_model() -> None:
    async def run() -> None:
        async with on_stage(TWO) as stage:
            await stage.press("N", "slash", *"it:chat", "enter", "A")

            assert GEMMA == screen(stage).public_id
            await stage.press("escape", "escape", "escape")
            assert isinstance(stage.app.screen, MainScreen)

    asyncio.run(run())


def test_a_model_that_leaves_is_said() -> None:
    async def run() -> None:
        async with on_stage(TWO) as stage:
            await open_on(stage)
            await stage.publish(full(models=()))

            assert f"{GEMMA} has left the catalog" in stage.text

    asyncio.run(run())
