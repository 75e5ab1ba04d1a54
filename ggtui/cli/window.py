"""Opens the screen on an engine and closes it again, also when a signal asks for it."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING

from ggtui.cli.exits import ExitCode
from ggtui.cli.headless import keep_serving, stop_engine
from ggtui.cli.leaving import leave_now
from ggtui.cli.log_output import stderr_log
from ggtui.cli.stop_signals import stop_signals
from ggtui.cli.terminal import kept_terminal
from ggtui.config.paths import default_config_file

if TYPE_CHECKING:
    from ggtui.cli.output import Output
    from ggtui.cli.ownership import Ground
    from ggtui.services.engine import Engine
    from ggtui.tui.app import ModelsApp, QuitChoice

_LOG = logging.getLogger(__name__)

CLOSE_S = 0.8
"""How long a screen may take to close after a signal. A terminal that has gone can hold it for ever."""

_CLOSED = 0
"""Told to the watcher in place of a signal number."""


def show(engine: Engine, ground: Ground, out: Output) -> ExitCode:
    """The screen until it is closed, then the end of the engine, or serving on without it.

    The screen starts the engine itself, once it has painted.
    """
    from ggtui.tui.app import ModelsApp, QuitChoice

    config = ground.config
    app = ModelsApp(
        engine,
        ascii_only=config.ascii,
        options=config.options,
        config_path=str(config.config_file or default_config_file()),
    )
    watcher = _Watcher(app, engine, QuitChoice.STOP)
    choice = QuitChoice.STOP
    with stop_signals(watcher.heard.put):
        try:
            with kept_terminal():
                choice = asyncio.run(watcher.shown(mouse=config.mouse)) or QuitChoice.STOP
        finally:
            if choice is not QuitChoice.KEEP_SERVING:
                stop_engine(engine)
    if choice is QuitChoice.KEEP_SERVING:
        out.say("ggtui serves on without its screen; ctrl+c stops it")
        with stderr_log(config):
            return keep_serving(engine, ground.url, out)
    return ExitCode(app.return_code or ExitCode.DONE)


class _Watcher:
    """Closes the screen when a signal is heard, from a thread of its own: the screen's may be stuck."""

    def __init__(self, app: ModelsApp, engine: Engine, choice: QuitChoice) -> None:
        self.heard: SimpleQueue[int] = SimpleQueue()
        """Signal numbers; SimpleQueue may be put to from a signal handler."""
        self._app = app
        self._engine = engine
        self._choice = choice
        self._closed = threading.Event()

    async def shown(self, *, mouse: bool) -> QuitChoice | None:
        """Show the screen; what was chosen at its end."""
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._watch, args=(loop,), name="ggtui-signals", daemon=True).start()
        try:
            return await self._app.run_async(mouse=mouse)
        finally:
            self._closed.set()
            self.heard.put(_CLOSED)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        number = self.heard.get()
        if number == _CLOSED:
            return
        _LOG.info("closing the screen (signal %d)", number)
        with suppress(RuntimeError):  # it may be closing at this very moment
            loop.call_soon_threadsafe(self._app.exit, self._choice)
        if not self._closed.wait(CLOSE_S):
            _LOG.warning("the screen does not close; leaving it behind")
            stop_engine(self._engine)
            leave_now(ExitCode.DONE)
