"""The dialogs to type into, as pictures: layout only.

Renew them with `pytest tests/tui/screens/test_form_frames.py --snapshot-update` and look at the difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ggtui.core.removal import DoomedFile, RemovalPlan
from ggtui.core.snapshot import EngineSnapshot
from tests.tui.fake_engine import GIB, FakeEngine, full
from tests.tui.stage import Stage, make_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

FILES = tuple(
    DoomedFile(f"/models/gemma/gemma-3-27b-it-0000{n}-of-00002.gguf", 8 * GIB, (1, n, 1, 1)) for n in (1, 2)
)
PLAN = RemovalPlan(4, "gemma-3-27b-it", FILES, ("a copy stays: ollama gemma3:27b",))
NAMED = ("t", *"Fox", "tab", *"coding")


@pytest.mark.parametrize(
    ("state", "keys", "size", "ascii_only"),
    [
        pytest.param(full(), NAMED, (80, 24), False, id="labels"),
        pytest.param(full(), ("D", *"gemma"), (80, 24), False, id="removal"),
        pytest.param(full(), ("D",), (40, 10), True, id="removal_40x10_ascii"),
        pytest.param(EngineSnapshot(1), ("enter", *"~/"), (80, 24), False, id="folder"),
    ],
)
def test_frame(
    state: EngineSnapshot,
    keys: tuple[str, ...],
    size: tuple[int, int],
    ascii_only: bool,
    snap_compare: Callable[..., bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ggtui.tui.screens.folder.completed", lambda *_: None)
    engine = FakeEngine(state)
    engine.control.removal = PLAN
    app = make_app(engine, ascii_only=ascii_only)
    app.animation_level = "none"

    async def before(pilot: Pilot[object]) -> None:
        stage = Stage(app, pilot, engine)  # type: ignore[arg-type]
        await stage.until(lambda: app.desk.snapshot.version > 0)
        if state.models:
            await stage.put_cursor_on("gemma-3-27b-it")
        await stage.press(keys[0])
        await stage.until(lambda: app.screen is not stage.main)
        await stage.press(*keys[1:])

    try:
        assert snap_compare(app, terminal_size=size, run_before=before)
    finally:
        engine.stop()
