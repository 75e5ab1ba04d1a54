"""Launch options by keyboard and mouse: live forecast, what is wrong at once, saved without loss."""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Button

from ggtui.core.errors import StoreUnavailable
from ggtui.core.forecast import Verdict
from ggtui.core.model_settings import ModelSettings
from ggtui.core.models import KvType
from ggtui.tui.screens.choice import ChoiceScreen
from ggtui.tui.screens.help import HelpScreen
from ggtui.tui.screens.launch_options import LaunchOptionsScreen
from ggtui.tui.screens.model_info import ModelInfoScreen
from ggtui.tui.widgets.option_row import OptionRow, ValueInput
from tests.tui.fake_engine import full, running, target
from tests.tui.stage import Stage, on_stage

if TYPE_CHECKING:
    from ggtui.core.forecast import Forecast
    from ggtui.tui.launch_draft import Draft

NAME = "gemma-3-27b-it"
BIG = "llama-3.3-70b-instruct"


def screen(stage: Stage) -> LaunchOptionsScreen:
    """The launch options, which are on top."""
    assert isinstance(stage.app.screen, LaunchOptionsScreen)
    return stage.app.screen


def draft(stage: Stage) -> Draft:
    """What is being changed."""
    found = screen(stage).draft
    assert found is not None
    return found


def ahead(stage: Stage) -> Forecast:
    """What the changes lead to."""
    outlook = screen(stage).outlook
    assert outlook is not None
    assert outlook.forecast is not None
    return outlook.forecast


def row(stage: Stage, key: str) -> OptionRow:
    """One of the rows."""
    return screen(stage).query_one(f"#option-{key}", OptionRow)


async def opened(stage: Stage, public_id: str = NAME) -> None:
    """Put the cursor on a model and open its options."""
    await stage.put_cursor_on(public_id)
    await stage.press("e")
    await stage.until(lambda: screen(stage).draft is not None)


async def go_to(stage: Stage, key: str) -> None:
    """Move to a row by keyboard."""
    row(stage, key).focus()
    await stage.settle()


def saved(stage: Stage) -> list[tuple[object, ...]]:
    """What was written, and what was loaded."""
    return [call for call in stage.calls if call[0] in ("change_settings", "load")]


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (140, 40)])
def test_every_option_has_its_value_and_source(size: tuple[int, int]) -> None:
    async def run() -> None:
        async with on_stage(size=size) as stage:
            await opened(stage)
            rows = {each.key: each.look for each in screen(stage).query(OptionRow)}

            assert ("32768 (32k)", "models.toml") == (rows["ctx"].words, rows["ctx"].source)
            assert ("4", "built-in") == (rows["slots"].words, rows["slots"].source)
            assert ("auto: all 49", "computed") == (rows["gpu_layers"].words, rows["gpu_layers"].source)
            assert "ctx 32k → 20.1/24.0G  ✓ fits" in stage.text
            assert "takes GPU0 18.9G (49 layers)" in stage.text
            assert "Save and load" in stage.text
            await stage.press("G")
            assert "pinned" in stage.text

    asyncio.run(run())


def test_the_forecast_moves_with_every_step() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await opened(stage)
            before = ahead(stage).after_bytes
            await stage.press("j", "j", "j", "right", "right", "j", "right", "right")

            assert ("q8_0", "q8_0") == (
                draft(stage).value("cache_type_k"),
                draft(stage).value("cache_type_v"),
            )
            assert ahead(stage).after_bytes < before
            await stage.press("]", "]")
            assert 65536 == draft(stage).n_ctx
            assert "ctx 64k" in stage.text
            await stage.press("}")
            assert ahead(stage).largest_ctx == draft(stage).n_ctx
            await stage.press("{")
            assert 32768 == draft(stage).n_ctx
            assert [] == saved(stage)

    asyncio.run(run())


def test_the_command_follows_and_y_copies_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ggtui.tui.launching.ASK_AFTER_S", 0.0)

    async def run() -> None:
        async with on_stage() as stage:
            await opened(stage)
            await go_to(stage, "gpu_layers")
            await stage.press("left")
            await stage.until(lambda: "-ngl" in screen(stage).command)
            await stage.press("y")
            await stage.until(lambda: bool(stage.said))

            assert shlex.join(screen(stage).command) in stage.said
            assert "-ngl 49" in stage.said

    asyncio.run(run())


def test_a_value_is_typed_in_its_place() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await opened(stage)
            await stage.press("enter", *"64k")

            assert isinstance(stage.app.focused, ValueInput)
            assert "ctx 64k" in stage.text
            assert 32768 == draft(stage).n_ctx
            await stage.press("enter")
            assert 65536 == draft(stage).n_ctx
            assert "option-ctx" == getattr(stage.app.focused, "id", "")
            assert "not saved; was 32768" == row(stage, "ctx").look.source

    asyncio.run(run())


def test_letters_stay_in_the_place_where_they_are_typed() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await opened(stage)
            await go_to(stage, "extra_args")
            await stage.press("enter", *"-q swy", "enter")

            assert ("-q", "swy") == draft(stage).own.extra_args
            assert [] == saved(stage)

    asyncio.run(run())


def test_a_wrong_text_says_so_at_once_and_is_not_taken() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await opened(stage)
            await stage.press("j", "enter", *"lots")
            assert "must be a whole number from 1 to 1024" in stage.text
            await stage.press("enter")
            assert row(stage, "slots").is_open
            await stage.press("escape")
            assert not row(stage, "slots").is_open
            assert {} == draft(stage).changes
            assert "must be a whole number" not in stage.text
            await stage.press("enter", *"lots", "tab")
            assert {} == draft(stage).changes
            assert not row(stage, "slots").is_open

    asyncio.run(run())


def test_who_goes_on_to_another_row_means_what_was_typed() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await opened(stage)
            await stage.press("j", "enter", *"8", "tab")

            assert {"slots": 8} == draft(stage).changes
            assert row(stage, "kv_unified") is stage.app.focused

    asyncio.run(run())


def test_what_the_engine_would_refuse_stands_at_the_field_while_it_is_typed() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await opened(stage)
            await stage.press("j", "enter", *"300")

            assert "! the engine serves at most 256 slots" in stage.text
            assert Verdict.NO is ahead(stage).verdict
            await stage.press("enter")
            assert "the engine serves at most 256 slots" == row(stage, "slots").look.problem
            await stage.press("backspace")
            assert "" == row(stage, "slots").look.problem
            assert {} == draft(stage).changes

    asyncio.run(run())


def test_what_is_saved_is_what_is_shown_again() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await opened(stage)
            await stage.press("[", "j", "right", "j", "j", "right", "right")
            await go_to(stage, "extra_args")
            await stage.press("enter", *"--lora '/a b'", "enter")
            await go_to(stage, "keep_alive")
            await stage.press("enter", *"10m", "enter", "w")
            await stage.until(lambda: stage.app.screen is stage.main)

            assert ModelSettings(
                ctx=24576, slots=6, cache_type_k=KvType.Q8_0, extra_args=("--lora", "/a b"), keep_alive="10m"
            ) == stage.engine.control.kept.own[NAME]  # fmt: skip
            assert f"saved for {NAME}: the next load uses it" == stage.said
            assert "ctx 24k" in stage.main.forecast.text
            await stage.press("e")
            await stage.until(lambda: screen(stage).draft is not None)
            assert {} == draft(stage).changes
            assert "q8_0" == row(stage, "cache_type_k").look.words
            await go_to(stage, "extra_args")
            await stage.press("backspace", "w")
            await stage.until(lambda: stage.app.screen is stage.main)
            assert stage.engine.control.kept.own[NAME].extra_args is None

    asyncio.run(run())


def test_nothing_is_written_when_nothing_was_changed_or_somebody_leaves() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await opened(stage)
            await stage.press("w")
            assert "nothing was changed" == stage.said
            await stage.press("j", "right", "escape")

            assert stage.app.screen is stage.main
            assert f"1 change of {NAME} not saved" == stage.said
            assert [] == saved(stage)

    asyncio.run(run())


def test_a_file_that_cannot_be_written_keeps_the_changes_on_the_screen() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await opened(stage)
            await stage.press("j", "right")
            stage.engine.control.failure = StoreUnavailable("models.toml cannot be written: disk full")
            await go_to(stage, "pinned")
            await stage.press("w")
            await stage.until(lambda: "disk full" in stage.said)

            assert {"slots": 6} == draft(stage).changes

    asyncio.run(run())


def test_save_and_load_does_both() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await opened(stage)
            await stage.press("[", "L")
            await stage.until(lambda: stage.app.screen is stage.main)

            assert [("change_settings", NAME, {"ctx": 24576}), ("load", NAME, 24576)] == saved(stage)

    asyncio.run(run())


def test_save_and_load_asks_as_enter_does_and_no_changes_nothing() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await opened(stage, BIG)
            await stage.press("j", "right", "L")
            assert isinstance(stage.app.screen, ChoiceScreen)
            await stage.press("enter")
            assert {"slots": 6} == draft(stage).changes
            assert [] == saved(stage)
            n_layers = ahead(stage).n_layers_on_gpu
            await stage.press("L", "down", "enter")
            await stage.until(lambda: stage.app.screen is stage.main)

            written = {"slots": 6, "gpu_layers": n_layers}
            assert [("change_settings", BIG, written), ("load", BIG, 8192)] == saved(stage)

    asyncio.run(run())


def test_a_loaded_model_ends_after_its_requests_when_its_launch_changed() -> None:
    async def run() -> None:
        async with on_stage(running(target(in_flight=1))) as stage:
            await opened(stage, "qwen3-coder-30b-a3b")
            await stage.press("j", "left")
            assert "reload qwen3-coder-30b-a3b" in stage.text
            await stage.press("w")
            await stage.until(lambda: stage.app.screen is stage.main)

            assert "its server ends after its requests" in stage.said

    asyncio.run(run())


def test_an_idle_time_counts_at_once() -> None:
    async def run() -> None:
        async with on_stage(running(target())) as stage:
            await opened(stage, "qwen3-coder-30b-a3b")
            await go_to(stage, "keep_alive")
            await stage.press("left", "w")
            await stage.until(lambda: stage.app.screen is stage.main)

            assert "saved for qwen3-coder-30b-a3b: it counts at once" == stage.said

    asyncio.run(run())


def test_read_only_shows_and_changes_nothing() -> None:
    async def run() -> None:
        async with on_stage(full(is_read_only=True)) as stage:
            await opened(stage)
            assert "(read-only)" in stage.text
            for keys in (("right",), ("enter",), ("backspace",), ("w",), ("L",)):
                await stage.press("j", *keys)
                assert "this ggtui is read-only" == stage.said
            await stage.press("]", "}")

            assert {} == draft(stage).changes
            assert [] == saved(stage)
            assert all(
                button.disabled for button in screen(stage).query(Button) if button.id != "options-cancel"
            )

    asyncio.run(run())


def test_the_mouse_reaches_everything_but_typing() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await opened(stage)
            await stage.pilot.click("#option-slots", offset=(18, 0))
            await stage.settle()
            assert {"slots": 3} == draft(stage).changes
            await stage.pilot.click("#option-slots", offset=(22, 0))
            await stage.settle()
            assert {} == draft(stage).changes
            await stage.pilot.click("#option-kv_unified", offset=(3, 0))
            await stage.settle()
            assert row(stage, "kv_unified") is stage.app.focused
            assert draft(stage).options.kv_unified
            await stage.pilot.click("#option-kv_unified", offset=(20, 0))
            await stage.settle()
            assert {"kv_unified": False} == draft(stage).changes
            await stage.pilot.click("#options-save")
            await stage.until(lambda: stage.app.screen is stage.main)
            assert [("change_settings", NAME, {"kv_unified": False})] == saved(stage)

    asyncio.run(run())


def test_buttons_follow_the_last_row() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await opened(stage)
            await stage.press("G", "j")
            assert "options-save" == getattr(stage.app.focused, "id", "")
            await stage.press("right", "right", "enter")
            assert stage.app.screen is stage.main

    asyncio.run(run())


def test_help_knows_the_place() -> None:
    async def run() -> None:
        async with on_stage(size=(100, 30)) as stage:
            await opened(stage)
            await stage.press("?")

            assert isinstance(stage.app.screen, HelpScreen)
            assert "Keys in launch options" in stage.text

    asyncio.run(run())


def test_options_open_from_info_and_load_leads_back_to_the_catalog() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on(NAME)
            await stage.press("i", "e")
            await stage.until(lambda: screen(stage).draft is not None)
            await stage.press("escape")
            assert isinstance(stage.app.screen, ModelInfoScreen)
            await stage.press("e")
            await stage.until(lambda: screen(stage).draft is not None)
            await stage.press("L")
            await stage.until(lambda: stage.app.screen is stage.main)
            assert [("load", NAME, 32768)] == saved(stage)

    asyncio.run(run())


def test_a_broken_file_has_no_options() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on("broken-7b")
            await stage.press("e")

            assert stage.app.screen is stage.main
            assert "broken-7b cannot be loaded: shard 2 of 3 is missing" == stage.said

    asyncio.run(run())


def test_the_memory_moves_the_forecast_under_the_changes() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await opened(stage)
            await stage.press("j", "right")
            used = stage.engine.control.snapshot().memory
            gpu = replace(used.gpus[0], used_bytes=12 * 1024**3)
            await stage.publish(full(memory=replace(used, gpus=(gpu,))))

            assert Verdict.PART is ahead(stage).verdict
            assert {"slots": 6} == draft(stage).changes

    asyncio.run(run())
