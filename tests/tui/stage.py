"""The app on a stage: a fake engine behind it, a pilot in front, and a way to wait until both are idle."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from ggtui.tui.app import ModelsApp
from tests.tui.fake_engine import READY_AT, FakeEngine, full

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from textual.pilot import Pilot

    from ggtui.core.snapshot import EngineSnapshot, LogBatch
    from ggtui.services.engine import Engine
    from ggtui.tui.app import QuitChoice
    from ggtui.tui.screens.main import MainScreen

HANG_GUARD_S = 20.0
NOW = READY_AT + 252.0


def make_app(engine: FakeEngine, **options: Any) -> ModelsApp:
    """The real app on this engine, with a clock that stands still."""
    return ModelsApp(cast("Engine", engine), clock=lambda: NOW, **options)


class Stage:
    """What a test holds on to."""

    def __init__(self, app: ModelsApp, pilot: Pilot[QuitChoice], engine: FakeEngine) -> None:
        self.app = app
        self.pilot = pilot
        self.engine = engine

    @property
    def main(self) -> MainScreen:
        """The main screen."""
        assert self.app.main is not None
        return self.app.main

    @property
    def calls(self) -> list[tuple[object, ...]]:
        """What was asked of the engine."""
        return self.engine.control.calls

    @property
    def text(self) -> str:
        """The screen as lines of text."""
        return screen_text(self.app)

    @property
    def said(self) -> str:
        """What was said last at the edge of the screen."""
        return self.app.notices.kept[-1][1] if self.app.notices.kept else ""

    async def settle(self) -> None:
        """Until neither the engine's loop nor the app has anything left to do."""
        for _ in range(3):
            if self.engine.is_open:
                await asyncio.wrap_future(self.engine.submit(_nothing()))
            await self.pilot.pause()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Until this is so; fails after the hang guard."""
        async with asyncio.timeout(HANG_GUARD_S):
            while not is_so():
                await self.settle()

    async def press(self, *keys: str) -> None:
        """Type, and wait for what it leads to."""
        await self.pilot.press(*keys)
        await self.settle()

    async def publish(self, snapshot: EngineSnapshot) -> None:
        """Let the engine say this."""
        await asyncio.wrap_future(self.engine.submit(self.engine.control.publish(snapshot)))
        await self.settle()

    async def say(self, batch: LogBatch) -> None:
        """Let a server write these lines."""
        await asyncio.wrap_future(self.engine.submit(self.engine.control.say(batch)))
        await self.settle()

    async def put_cursor_on(self, public_id: str) -> None:
        """Move the cursor to this model."""
        status = self.app.desk.by_name(public_id)
        assert status is not None
        self.app.select(status.summary.id)
        await self.settle()


@asynccontextmanager
async def on_stage(
    snapshot: EngineSnapshot | None = None, *, size: tuple[int, int] = (80, 24), **options: Any
) -> AsyncIterator[Stage]:
    """The app with this state, started and drawn."""
    engine = FakeEngine(snapshot or full())
    app = make_app(engine, **options)
    try:
        async with app.run_test(size=size) as pilot:
            stage = Stage(app, pilot, engine)
            await stage.until(lambda: app.desk.snapshot.version > 0)
            await stage.settle()
            yield stage
    finally:
        engine.stop()


def screen_text(app: ModelsApp) -> str:
    """What a terminal would show, without colours."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def _nothing() -> None:
    return None
