"""Each key of the table does what the table says, with the engine on its own thread."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.errors import LaunchRejected, PortInUse, SpawnReason
from ggtui.core.forecast import Verdict
from ggtui.core.snapshot import FailureNote
from ggtui.core.state import TargetState
from ggtui.tui.app import START_FAILED, QuitChoice
from ggtui.tui.commands import commands
from ggtui.tui.screens.choice import ChoiceScreen
from ggtui.tui.screens.error_detail import ErrorScreen
from ggtui.tui.screens.model_info import ModelInfoScreen
from tests.tui.fake_engine import FakeEngine, full, running, target
from tests.tui.stage import Stage, make_app, on_stage, screen_text

if TYPE_CHECKING:
    from ggtui.core.snapshot import EngineSnapshot


def failed_snapshot(model_id: int = 10) -> EngineSnapshot:
    """One model whose load has failed."""
    note = FailureNote(
        "Out of memory",
        "the device has no room for the KV cache",
        "choose a smaller context",
        "out_of_memory",
        "out_of_memory",
        ("ggml: failed to allocate",),
        at=5.0,
    )
    models = tuple(
        replace(row, state=TargetState.FAILED, failure=note) if row.summary.id == model_id else row
        for row in full().models
    )
    return full(models=models)


def question(stage: Stage) -> ChoiceScreen:
    """The dialog on top."""
    assert isinstance(stage.app.screen, ChoiceScreen)
    return stage.app.screen


def answers(stage: Stage) -> list[str]:
    """The ids of the dialog's buttons, in order."""
    return [answer.id for answer in question(stage).question.answers]


def test_first_paint_needs_no_engine() -> None:
    async def run() -> None:
        engine = FakeEngine()
        app = make_app(engine, starts_engine=False)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()

            assert "1 Catalog" in screen_text(app)
            assert "starting" in screen_text(app)
        engine.stop()

    asyncio.run(run())


def test_right_bracket_moves_the_forecast_and_keeps_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ggtui.tui.app.KEEP_CHOICE_AFTER_S", 0.01)

    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on("gemma-3-27b-it")
            await stage.press("]")
            outlook = stage.main.forecast.outlook

            assert outlook is not None
            assert outlook.forecast is not None
            assert 49_152 == outlook.n_ctx
            assert Verdict.FITS == outlook.forecast.verdict
            assert "ctx 48k" in stage.main.forecast.text
            await stage.until(lambda: bool(stage.calls))
            assert [("set_context", "gemma-3-27b-it", 49_152)] == stage.calls

    asyncio.run(run())


def test_a_key_after_a_move_is_for_the_row_that_was_moved_to() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on("gemma-3-27b-it")
            await stage.press("j", "]", "j", "]")
            chosen = {row.public_id: row.ctx for row in stage.main.catalog.table.rows}

            assert "32k" == chosen["gemma-3-27b-it"]
            assert "12k" == chosen["llama-3.3-70b-instruct"]
            assert "48k" == chosen["mistral-small-3.2-24b"]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("[",), 24_576),
        (("minus",), 24_576),
        (("plus",), 49_152),
        (("equals_sign",), 49_152),
        (("]", "]", "{"), 32_768),
    ],
)
def test_every_context_key(keys: tuple[str, ...], expected: int) -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on("gemma-3-27b-it")
            await stage.press(*keys)

            assert stage.main.forecast.outlook is not None
            assert expected == stage.main.forecast.outlook.n_ctx

    asyncio.run(run())


def test_right_brace_takes_the_largest_that_fits() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on("gemma-3-27b-it")
            await stage.press("}")
            outlook = stage.main.forecast.outlook

            assert outlook is not None
            assert outlook.forecast is not None
            assert outlook.forecast.largest_ctx == outlook.n_ctx
            assert Verdict.FITS == outlook.forecast.verdict
            await stage.press("]")
            assert Verdict.FITS != stage.main.forecast.outlook.forecast.verdict  # type: ignore[union-attr]

    asyncio.run(run())


def test_enter_loads_with_the_chosen_context() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on("gemma-3-27b-it")
            await stage.press("]", "enter")

            assert ("load", "gemma-3-27b-it", 49_152) in stage.calls

    asyncio.run(run())


def test_enter_asks_when_requests_are_in_flight_and_no_has_the_focus() -> None:
    async def run() -> None:
        async with on_stage(running(target(in_flight=2))) as stage:
            await stage.put_cursor_on("gemma-3-27b-it")
            await stage.press("enter")

            assert ["no", "load"] == answers(stage)
            assert "2 requests" in question(stage).question.text
            await stage.press("enter")
            assert [] == stage.calls
            await stage.press("enter", "right", "enter")
            assert [("load", "gemma-3-27b-it", 32_768)] == stage.calls

    asyncio.run(run())


def test_enter_offers_the_context_that_fits() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on("gemma-3-27b-it")
            await stage.press("}")
            largest = stage.main.forecast.outlook.n_ctx  # type: ignore[union-attr]
            await stage.press("]", "enter")

            assert ["no", "largest", "part"] == answers(stage)
            await stage.press("tab", "enter")
            assert ("load", "gemma-3-27b-it", largest) in stage.calls

    asyncio.run(run())


def test_enter_on_what_can_only_be_loaded_in_part_names_the_layers() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on("llama-3.3-70b-instruct")
            await stage.press("enter")

            assert "of 80 layers on GPU" in question(stage).question.answers[-1].label
            await stage.press("escape")
            assert [] == stage.calls

    asyncio.run(run())


def test_a_load_in_part_keeps_the_number_of_layers_first() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on("llama-3.3-70b-instruct")
            outlook = stage.main.forecast.outlook
            assert outlook is not None
            assert outlook.forecast is not None
            n_layers = outlook.forecast.n_layers_on_gpu
            await stage.press("enter", "tab", "enter")

            changed = ("change_settings", "llama-3.3-70b-instruct", {"gpu_layers": n_layers})
            assert [changed, ("load", "llama-3.3-70b-instruct", 8192)] == stage.calls
            await stage.press("enter", "tab", "enter")  # one's own number of layers stays
            assert ("load", "llama-3.3-70b-instruct", 8192) == stage.calls[-1]
            assert 1 == stage.calls.count(changed)

    asyncio.run(run())


def test_a_guess_with_ample_room_is_not_asked_about() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on("odd-arch-7b")
            await stage.press("enter")

            assert [("load", "odd-arch-7b", 8192)] == stage.calls

    asyncio.run(run())


def test_enter_on_a_broken_file_says_why() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on("broken-7b")
            await stage.press("enter")

            assert "shard 2 of 3 is missing" in stage.said
            assert [] == stage.calls

    asyncio.run(run())


def test_s_stops_what_runs() -> None:
    async def run() -> None:
        async with on_stage(running(target())) as stage:
            await stage.press("s")

            assert [("stop", "qwen3-coder-30b-a3b", False)] == stage.calls

    asyncio.run(run())


def test_s_cancels_a_load() -> None:
    async def run() -> None:
        async with on_stage(running(target(10, TargetState.LOADING, progress=0.4))) as stage:
            await stage.press("s")

            assert [("stop", "smollm3-3b", False)] == stage.calls

    asyncio.run(run())


def test_s_asks_when_requests_are_in_flight() -> None:
    async def run() -> None:
        async with on_stage(running(target(in_flight=1))) as stage:
            await stage.press("s")

            assert ["no", "stop", "stop-now"] == answers(stage)
            await stage.press("down", "down", "enter")
            assert [("stop", "qwen3-coder-30b-a3b", True)] == stage.calls

    asyncio.run(run())


def test_s_with_nothing_running_says_so() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.press("s")

            assert "nothing is running" == stage.said

    asyncio.run(run())


def test_r_restarts_with_another_context() -> None:
    async def run() -> None:
        async with on_stage(running(target())) as stage:
            await stage.put_cursor_on("qwen3-coder-30b-a3b")
            await stage.press("[", "r")

            assert ("load", "qwen3-coder-30b-a3b", 24_576) in stage.calls

    asyncio.run(run())


def test_r_restarts_as_it_is() -> None:
    async def run() -> None:
        async with on_stage(running(target())) as stage:
            await stage.press("r")

            stop, load = ("stop", "qwen3-coder-30b-a3b", False), ("load", "qwen3-coder-30b-a3b", 32_768)
            assert [stop, load] == stage.calls

    asyncio.run(run())


def test_a_failed_load_is_told_and_r_tries_again() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.publish(failed_snapshot())

            assert "smollm3-3b: the device has no room" in stage.said
            assert "! FAILED  smollm3-3b" in stage.text
            await stage.put_cursor_on("smollm3-3b")
            await stage.press("r")
            assert [("load", "smollm3-3b", 65_536)] == stage.calls

    asyncio.run(run())


def test_i_after_a_failure_shows_what_happened_and_r_there_tries_again() -> None:
    async def run() -> None:
        async with on_stage(failed_snapshot()) as stage:
            await stage.put_cursor_on("smollm3-3b")
            await stage.press("i")

            assert isinstance(stage.app.screen, ErrorScreen)
            assert "choose a smaller context" in stage.app.screen.plain
            assert "ggml: failed to allocate" in stage.app.screen.plain
            await stage.press("y")
            assert "Out of memory" in stage.app.clipboard
            await stage.press("r")
            assert [("load", "smollm3-3b", 65_536)] == stage.calls

    asyncio.run(run())


def test_i_shows_the_header_and_the_command_and_enter_loads() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on("gemma-3-27b-it")
            await stage.press("i")
            screen = stage.app.screen

            assert isinstance(screen, ModelInfoScreen)
            assert "llama-server -m /models/gemma-3-27b-it.gguf -c 32768 --port PORT" in screen.plain
            await stage.press("]")
            assert "ctx 48k" in screen.plain
            await stage.press("enter")
            assert ("load", "gemma-3-27b-it", 49_152) in stage.calls

    asyncio.run(run())


def test_y_says_that_it_was_sent_and_shows_the_text() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.press("y")
            await stage.until(lambda: bool(stage.said))

            assert "sent to terminal clipboard: http://127.0.0.1:8080/v1" == stage.said
            assert "http://127.0.0.1:8080/v1" == stage.app.clipboard

    asyncio.run(run())


def test_big_y_offers_what_there_is() -> None:
    async def run() -> None:
        async with on_stage(running(target())) as stage:
            await stage.press("Y")

            assert ["no", "curl", "env", "command", "path"] == answers(stage)
            await stage.press("down", "enter")
            await stage.until(lambda: bool(stage.app.clipboard))
            assert "qwen3-coder-30b-a3b" in stage.app.clipboard
            assert "/v1/chat/completions" in stage.app.clipboard

    asyncio.run(run())


def test_ctrl_r_rescans() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.press("ctrl+r")

            assert [("rescan",)] == stage.calls

    asyncio.run(run())


def test_a_refused_call_is_told() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            stage.engine.control.failure = LaunchRejected("no such flag", reason=SpawnReason.BAD_ARGUMENT)
            await stage.put_cursor_on("phi-4-mini")
            await stage.press("[", "enter")
            await stage.until(lambda: bool(stage.said))

            assert "no such flag" in stage.said

    asyncio.run(run())


def test_read_only_dims_load_and_stop_and_says_why() -> None:
    async def run() -> None:
        async with on_stage(running(target(), is_read_only=True)) as stage:
            await stage.press("s")

            assert "this ggtui is read-only" == stage.said
            assert [] == stage.calls

    asyncio.run(run())


def test_q_with_nothing_running_leaves_at_once() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.press("q")

            assert QuitChoice.STOP == stage.app.return_value

    asyncio.run(run())


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("enter",), QuitChoice.STOP),
        (("down", "enter"), QuitChoice.KEEP_SERVING),
        (("down", "down", "enter"), None),
        (("escape",), None),
    ],
)
def test_q_asks_what_becomes_of_a_running_model(keys: tuple[str, ...], expected: QuitChoice | None) -> None:
    async def run() -> None:
        async with on_stage(running(target())) as stage:
            await stage.press("q")

            assert ["stop", "keep", "no"] == answers(stage)
            await stage.press(*keys)
            assert expected == stage.app.return_value

    asyncio.run(run())


def test_q_with_requests_in_flight_focuses_cancel() -> None:
    async def run() -> None:
        async with on_stage(running(target(in_flight=1))) as stage:
            await stage.press("ctrl+q", "enter")

            assert stage.app.return_value is None
            assert stage.app.is_running

    asyncio.run(run())


def test_leaving_writes_the_choice_that_was_not_written_yet() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            await stage.put_cursor_on("gemma-3-27b-it")
            await stage.press("]", "q")

            assert [("set_context", "gemma-3-27b-it", 49_152)] == stage.calls

    asyncio.run(run())


def test_an_engine_that_does_not_start_is_shown_and_ends_the_app() -> None:
    async def run() -> None:
        engine = FakeEngine(start_failure=PortInUse("127.0.0.1:8080 in use by pid 312"))
        app = make_app(engine)
        async with app.run_test(size=(80, 24)) as pilot:
            stage = Stage(app, pilot, engine)
            await stage.until(lambda: isinstance(app.screen, ErrorScreen))
            await stage.settle()

            assert "in use by pid 312" in stage.text
            await stage.press("escape")
        engine.stop()

        assert QuitChoice.STOP == app.return_value
        assert START_FAILED == app.return_code

    asyncio.run(run())


def test_palette_offers_models_actions_and_themes() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            offered = {command.text: command.run for command in commands(stage.app)}

            assert {"load phi-4-mini", "theme ggtui-light", "quit; asks when a model is running"} <= set(
                offered
            )
            offered["theme ggtui-light"]()
            assert "ggtui-light" == stage.app.theme
            offered["load phi-4-mini"]()
            await stage.settle()
            assert [("load", "phi-4-mini", 131_072)] == stage.calls
            await stage.press(":")
            assert "CommandPalette" == type(stage.app.screen).__name__

    asyncio.run(run())


def test_a_silent_engine_is_named() -> None:
    async def run() -> None:
        async with on_stage() as stage:
            stage.main.tick(0.0, 4.2)
            await stage.settle()

            assert "engine not answering 4 s" in stage.text

    asyncio.run(run())
