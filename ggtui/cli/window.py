"""Opens the screen on a running engine and closes it again, also when a signal asks for it."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from ggtui.cli.exits import ExitCode
from ggtui.cli.headless import STOP_LIMIT_S, keep_serving, stop_engine
from ggtui.cli.log_output import stderr_log
from ggtui.cli.stop_signals import STOP_SIGNALS
from ggtui.config.paths import default_config_file

if TYPE_CHECKING:
    from ggtui.cli.output import Output
    from ggtui.cli.ownership import Ground
    from ggtui.services.engine import Engine
    from ggtui.tui.app import ModelsApp, QuitChoice

_LOG = logging.getLogger(__name__)


def show(engine: Engine, ground: Ground, out: Output) -> ExitCode:
    """The screen until it is closed, then the end of the engine, or serving on without it."""
    from ggtui.tui.app import ModelsApp, QuitChoice

    config = ground.config
    app = ModelsApp(
        engine,
        ascii_only=config.ascii,
        options=config.options,
        config_path=str(config.config_file or default_config_file()),
    )
    choice = QuitChoice.STOP
    try:
        choice = asyncio.run(_shown(app, QuitChoice.STOP, mouse=config.mouse)) or QuitChoice.STOP
    finally:
        if choice is not QuitChoice.KEEP_SERVING:
            stop_engine(engine)
    if choice is QuitChoice.KEEP_SERVING:
        out.say("ggtui serves on without its screen; ctrl+c stops it")
        with stderr_log(config):
            return keep_serving(engine, ground.url, out)
    return ExitCode(app.return_code or ExitCode.DONE)


async def _shown(app: ModelsApp, on_signal: QuitChoice, *, mouse: bool) -> QuitChoice | None:
    loop = asyncio.get_running_loop()

    def leave(number: int) -> None:
        _LOG.info("closing the screen (signal %d)", number)
        _watchdog(number)
        app.exit(on_signal)

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, leave, int(number))
    try:
        return await app.run_async(mouse=mouse)
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


def _watchdog(number: int) -> None:
    """A terminal that has gone can keep the screen from closing; the process ends all the same.

    The engine's guard ends its servers with it.
    """
    timer = threading.Timer(2 * STOP_LIMIT_S, os._exit, (128 + number,))
    timer.daemon = True
    with suppress(RuntimeError):
        timer.start()
