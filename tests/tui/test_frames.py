"""Whole frames, few of them: layout only. What they say is asserted elsewhere.

Renew them with `pytest tests/tui/test_frames.py --snapshot-update` and look at the difference.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.models import EngineInfo
from ggtui.core.snapshot import EngineSnapshot, LogBatch, WaitPhase
from ggtui.core.state import TargetState
from ggtui.tui.screens.launch_options import LaunchOptionsScreen
from tests.tui.fake_engine import NO_GPU, FakeEngine, full, running, target, waiter
from tests.tui.stage import NOW, Stage, make_app
from tests.tui.test_app import failed_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from ggtui.tui.app import ModelsApp

LINES = (
    "model loaded in 6.2 s, 49/49 layers on GPU 0",
    "listening on 127.0.0.1:9101",
    "slot 0: task 41 started",
    "slot 0: pp 812.4 t/s, tg 61.4 t/s",
)
SERVING = running(target(in_flight=2))
LOADING = running(target(10, TargetState.LOADING, progress=0.43, since=NOW - 6, expected_load_s=14.0))
WAITING = running(
    target(state=TargetState.DRAINING, in_flight=2),
    queue=(
        *(
            waiter(
                "gemma-3-27b-it",
                place,
                NOW - 5 + place,
                phase=WaitPhase.BEHIND_DRAINING,
                behind=("qwen3-coder-30b-a3b",),
                expected_s=14.0,
            )
            for place in (1, 2, 3)
        ),
        waiter("phi-4-mini", 4, NOW - 1, phase=WaitPhase.BEHIND_QUEUE, behind=("gemma-3-27b-it",)),
    ),
)
PINNED = full(models=tuple(replace(row, is_pinned=row.summary.id == 8) for row in full().models))
OFF = ("j", "j", "left")
"""From the V cache to flash attention, and that off."""
CPU = EngineInfo("llama-server", "/usr/bin/llama-server", "b1234")


@dataclass(frozen=True)
class Frame:
    """One picture: a state, a size, and the keys that lead there."""

    name: str
    snapshot: EngineSnapshot
    size: tuple[int, int] = (80, 24)
    keys: tuple[str, ...] = ()
    cursor: str = "gemma-3-27b-it"
    theme: str = "ggtui-dark"
    ascii_only: bool = False


FRAMES = (
    Frame("main_80x24", SERVING),
    Frame("main_140x40", SERVING, (140, 40)),
    Frame("main_40x10", SERVING, (40, 10)),
    Frame("main_100x30_light", SERVING, (100, 30), theme="ggtui-light"),
    Frame("ascii", SERVING, ascii_only=True),
    Frame("loading", LOADING, cursor="smollm3-3b"),
    Frame("waiting_80x24", WAITING),
    Frame("waiting_140x40", WAITING, (140, 40)),
    Frame("waiting_all", WAITING, keys=("W",)),
    Frame("pinned_ascii", PINNED, ascii_only=True),
    Frame("failed", failed_snapshot(), keys=("i",), cursor="smollm3-3b"),
    Frame("no_gpu", full(memory=NO_GPU, engine=CPU)),
    Frame("empty", EngineSnapshot(1), cursor=""),
    Frame("in_part", SERVING, keys=("enter",), cursor="llama-3.3-70b-instruct"),
    Frame("options_80x24", SERVING, keys=("e", "j", "right", "j", "j", "j", "right", "right", *OFF)),
    Frame("options_140x40", SERVING, (140, 40), keys=("e",), cursor="llama-3.3-70b-instruct"),
    Frame("info", SERVING, (100, 30), keys=("i",)),
    Frame("help", full(), keys=("?",)),
)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.name)
def test_frame(frame: Frame, snap_compare: Callable[..., bool]) -> None:
    engine = FakeEngine(replace(frame.snapshot))
    app = make_app(engine, ascii_only=frame.ascii_only)
    app.theme = frame.theme
    app.animation_level = "none"

    async def before(pilot: Pilot[object]) -> None:
        stage = Stage(app, pilot, engine)  # type: ignore[arg-type]
        await lead_to(stage, frame)

    try:
        assert snap_compare(app, terminal_size=frame.size, run_before=before)
    finally:
        engine.stop()


async def lead_to(stage: Stage, frame: Frame) -> None:
    """Bring the app into the frame's state and wait until it is drawn."""
    app: ModelsApp = stage.app
    await stage.until(lambda: app.desk.snapshot.version > 0)
    await stage.say(LogBatch("qwen3-coder-30b-a3b", LINES))
    if frame.cursor:
        await stage.put_cursor_on(frame.cursor)
    await stage.press(*frame.keys)
    screen = app.screen
    if isinstance(screen, LaunchOptionsScreen):
        await stage.until(lambda: bool(screen.command))
