"""The Running pane: what the server holds by its own log, and by forecast until that is known."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.load_history import LoadRecord
from ggtui.core.memory.parts import DeviceShare
from ggtui.core.snapshot import LogBatch
from ggtui.tui.desk import Desk
from ggtui.tui.glyphs import ASCII, UNICODE
from ggtui.tui.panes.running_rows import running_lines
from ggtui.tui.views import running_view
from tests.tui.fake_engine import GIB, running, target
from tests.tui.fake_names import adapted
from tests.tui.stage import NOW, on_stage

if TYPE_CHECKING:
    from tests.tui.stage import Stage

NARROW, WIDE = 36, 44
NAME = "qwen3-coder-30b-a3b"
LOAD = LoadRecord(
    0.0,
    "llama-server b1234",
    32768,
    4,
    predicted=(DeviceShare("GPU0", weights_bytes=17 * GIB, kv_bytes=3 * GIB),),
    actual=(
        DeviceShare(
            "CUDA0", weights_bytes=17 * GIB, kv_bytes=2 * GIB, state_bytes=GIB, compute_bytes=GIB // 2
        ),
        DeviceShare("CPU", is_host=True, output_bytes=GIB // 4),
    ),
)


def shown(width: int = NARROW, *, log: str = "", is_pinned: bool = False, **changes: object) -> list[str]:
    """The lines about one server."""
    desk = Desk()
    snapshot = running(target(**changes))  # type: ignore[arg-type]
    models = tuple(replace(each, is_pinned=is_pinned and each.summary.id == 9) for each in snapshot.models)
    desk.apply(replace(snapshot, models=models))
    desk.hear(LogBatch(NAME, (log,)))
    return [line.plain for line in running_lines(running_view(desk), NOW, width, UNICODE)]


def test_parts_come_from_the_engine_s_log_once_it_has_told() -> None:
    lines = shown(load=LOAD)

    assert "weights 17.0  kv 3.0  comp 0.8" == lines[4]
    assert "predicted 20.0G   actual 20.8G" == lines[5]


def test_parts_by_forecast_are_marked() -> None:
    lines = shown()

    assert lines[4].startswith("≈weights 17.3  kv 3.0")
    assert "predicted 20.4G   actual 20.5G" == lines[5]


@pytest.mark.parametrize(
    ("log", "argv", "expected"),
    [
        ("load_tensors: offloaded 30/49 layers to GPU", ("x", "-ngl", "99"), "ngl 30/49"),
        ("", ("x", "-ngl", "99"), "ngl 49/49"),
        ("", ("x", "-ngl", "12"), "ngl 12/49"),
        ("", ("x",), ""),
        ("", ("x", "-ngl", "auto"), ""),
    ],
)
def test_layers_by_log_else_as_told(log: str, argv: tuple[str, ...], expected: str) -> None:
    line = shown(log=log, argv=argv)[2]

    assert expected in line
    assert ("ngl" in line) is bool(expected)


@pytest.mark.parametrize(
    ("keep_alive_s", "is_pinned", "expected"),
    [
        (900.0, False, "policy  keep-alive 15m00s"),
        (-1.0, False, "policy  stays until room is needed"),
        (900.0, True, "policy  pinned, stays loaded"),
    ],
)
def test_what_ends_it_is_told(keep_alive_s: float, is_pinned: bool, expected: str) -> None:
    assert expected in shown(keep_alive_s=keep_alive_s, is_pinned=is_pinned)


def test_a_policy_that_nobody_told_is_left_out() -> None:
    assert not any("policy" in line for line in shown())


def test_pinned_goes_before_the_layers_where_both_have_no_room() -> None:
    assert shown(is_pinned=True)[2].endswith("   pinned")
    assert shown(WIDE, is_pinned=True)[2].endswith("   pinned   ngl 49/49")


def test_every_line_keeps_to_the_narrow_pane() -> None:
    assert all(len(line) <= NARROW for line in shown(load=LOAD, keep_alive_s=-1.0))


def test_ascii_has_a_twin_of_every_sign() -> None:
    desk = Desk()
    desk.apply(running(target(keep_alive_s=60.0)))
    lines = running_lines(running_view(desk), NOW, NARROW, ASCII)

    assert all(line.plain.isascii() for line in lines)


CARRYING = adapted(running(target(in_flight=2)), NAME, {"code": 0.8, "chat": 1.0})


def keys_shown(stage: Stage) -> str:
    return stage.text.splitlines()[-1]


def test_adapters_stand_before_the_speeds_and_other_servers() -> None:
    desk = Desk()
    other = replace(target(10), adapters=())
    desk.apply(replace(CARRYING, targets=(*CARRYING.targets, other)))
    lines = [line.plain.rstrip() for line in running_lines(running_view(desk), NOW, NARROW, UNICODE)]

    assert ["lora  code 0.80  chat 1.00", "● READY  smollm3-3b"] == lines[3:5]


def test_the_pane_changes_the_weight_of_the_marked_adapter() -> None:
    async def run() -> None:
        async with on_stage(CARRYING) as stage:
            await stage.put_cursor_on(NAME)
            assert "lora  code 0.80  chat 1.00" in stage.text
            await stage.press("2", "<", ".", "<", "<", "right", ">", "left", ",", ">")

            assert [
                ("set_weight", NAME, "code", 0.75),
                ("set_weight", NAME, "chat", 0.95),
                ("set_weight", NAME, "chat", 0.9),
                ("set_weight", NAME, "code", 0.8),
                ("set_weight", NAME, "code", 0.85),
            ] == stage.calls
            assert "lora ▸code 0.85  chat 0.90" in stage.text

    asyncio.run(run())


def test_its_keys_are_shown_while_it_has_the_focus_and_adapters() -> None:
    async def run() -> None:
        async with on_stage(CARRYING) as stage:
            assert "Weight" not in keys_shown(stage)
            await stage.press("2")
            assert keys_shown(stage).startswith("← → LoRA < > Weight [ ] Ctx")
            assert "▸" in stage.text
            await stage.publish(running(target()))
            assert "Weight" not in keys_shown(stage)
            await stage.press("<", "right")
            assert [] == stage.calls
            await stage.publish(CARRYING)
            assert "Weight" in keys_shown(stage)
            await stage.press("1")
            assert "Weight" not in keys_shown(stage)
            assert "▸" not in stage.text

    asyncio.run(run())


def test_a_read_only_ggtui_changes_no_weight_and_says_so() -> None:
    async def run() -> None:
        async with on_stage(replace(CARRYING, is_read_only=True)) as stage:
            await stage.press("2", "<")

            assert "this ggtui is read-only" == stage.said == stage.app.why_not("weight-down")
            assert [] == stage.calls

    asyncio.run(run())


def test_help_begins_with_the_keys_of_the_pane() -> None:
    async def run() -> None:
        async with on_stage(CARRYING) as stage:
            await stage.press("2", "?")

            assert "Keys in Running" in stage.text
            assert "less of the adapter: counts for each request that follows" in stage.text

    asyncio.run(run())
