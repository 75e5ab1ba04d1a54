"""Names and adapters as pictures: layout only. What they say is asserted elsewhere.

Renew them with `pytest tests/tui/screens/test_name_frames.py --snapshot-update` and look at the difference.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from ggtui.core.model_settings import ModelSettings
from ggtui.core.routing.adapters import AdapterRef, AttachedAdapter
from ggtui.core.snapshot import EngineSnapshot, RouteNote
from ggtui.tui.screens.lora import LoraScreen
from tests.tui.fake_engine import FakeEngine, full, running, target
from tests.tui.fake_names import adapted, named
from tests.tui.stage import NOW, Stage, make_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

GEMMA = "gemma-3-27b-it"
NAMES = named(
    full(),
    default="phi-4-mini",
    aliases={"gpt-4": GEMMA, "gpt-4o": GEMMA, "old": "gone-7b"},
    disabled=frozenset({"smollm3-3b"}),
)
SERVING = running(
    target(4, in_flight=2), last_route=RouteNote(GEMMA, "12041 tokens; phi-4-mini holds 8192", NOW)
)
NONE = adapted(SERVING, GEMMA, {})
BOTH = (AdapterRef("code", 0.615), AdapterRef("chat", 0.385))
ATTACHED = adapted(
    SERVING,
    GEMMA,
    {"code": 0.8, "chat": 1.0, "gone": 1.0},
    {"both": BOTH},
    {"gone": "its file does not exist"},
)


@dataclass(frozen=True)
class Frame:
    """One picture: a state, a size, and the keys that lead there."""

    name: str
    snapshot: EngineSnapshot
    keys: tuple[str, ...]
    size: tuple[int, int] = (80, 24)
    theme: str = "ggtui-dark"
    ascii_only: bool = False


FRAMES = (
    Frame("names_80x24", NAMES, ("N",)),
    Frame("names_140x40", NAMES, ("N", "G"), (140, 40)),
    Frame("names_40x10", NAMES, ("N",), (40, 10)),
    Frame("names_filter_light", NAMES, ("N", "slash", *"gpt"), theme="ggtui-light"),
    Frame("names_read_only_ascii", replace(NAMES, is_read_only=True), ("N", "g"), ascii_only=True),
    Frame("lora_none_80x24", NONE, ("A",)),
    Frame("lora_80x24", ATTACHED, ("A", "<", "<")),
    Frame("lora_140x40", ATTACHED, ("A", "j", "j"), (140, 40)),
    Frame("lora_read_only_ascii", replace(ATTACHED, is_read_only=True), ("A",), ascii_only=True),
    Frame("lora_attach", NONE, ("A", "enter")),
    Frame("running", ATTACHED, ("2", "right")),
)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.name)
def test_frame(frame: Frame, snap_compare: Callable[..., bool]) -> None:
    engine = FakeEngine(frame.snapshot)
    engine.control.kept.own[GEMMA] = ModelSettings(ctx=32768, adapters=(AttachedAdapter("code", "", 0.8),))
    app = make_app(engine, ascii_only=frame.ascii_only)
    app.theme = frame.theme
    app.animation_level = "none"

    async def before(pilot: Pilot[object]) -> None:
        stage = Stage(app, pilot, engine)  # type: ignore[arg-type]
        await stage.until(lambda: app.desk.snapshot.version > 0)
        await stage.put_cursor_on(GEMMA)
        await stage.press(*frame.keys)
        screen = app.screen
        if isinstance(screen, LoraScreen):
            await stage.until(lambda: bool(screen.kept))

    try:
        assert snap_compare(app, terminal_size=frame.size, run_before=before)
    finally:
        engine.stop()
