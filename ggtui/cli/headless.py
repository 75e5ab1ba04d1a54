"""Runs the engine without a screen: the main thread only waits, for the engine and for signals."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from ggtui.cli.exits import ExitCode
from ggtui.cli.leaving import leave_now
from ggtui.cli.output import OutputLost
from ggtui.cli.stop_signals import stop_signals
from ggtui.core.errors import Failure, Internal

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from ggtui.cli.output import Output
    from ggtui.core.reload import ReloadReport
    from ggtui.services.engine import Engine

_LOG = logging.getLogger(__name__)

STOP_LIMIT_S = 3.0
"""From the first stop signal to the end of the process."""

SLICE_S = 0.2
"""Longest single wait: a signal that arrives just before a wait is not heard until the wait is over."""

_STARTED, _ENDED = 0, -1
"""What the main thread may hear of besides signal numbers, which are above 0."""


def serve(engine: Engine, url: str, out: Output, *, leave: Callable[[int], object] = leave_now) -> ExitCode:
    """Start the engine, tell the URL in one line on stdout, serve until a stop signal.

    Raises: what kept the engine from starting.
    """
    # SimpleQueue may be put to from a signal handler; an Event's lock may not.
    heard: SimpleQueue[int] = SimpleQueue()
    with stop_signals(heard.put, leave, hangup_reloads=not is_attended()):
        engine.start()
        return _attend(engine, url, out, heard, leave)


def keep_serving(
    engine: Engine, url: str, out: Output, *, leave: Callable[[int], object] = leave_now
) -> ExitCode:
    """The same for an engine that already runs, after its screen has gone."""
    heard: SimpleQueue[int] = SimpleQueue()
    with stop_signals(heard.put, leave):
        return _attend(engine, url, out, heard, leave)


def stop_engine(engine: Engine, leave: Callable[[int], object] = leave_now) -> None:
    """End the engine within the limit. An engine that hangs is left behind: its guard ends the children."""
    deadline = time.monotonic() + STOP_LIMIT_S
    has_stopped = engine.stop(SLICE_S)
    while not has_stopped and time.monotonic() < deadline:
        has_stopped = engine.stop(SLICE_S)
    if not has_stopped:
        _LOG.warning("the engine did not stop within %g s; leaving it behind", STOP_LIMIT_S)
        leave(ExitCode.DONE)


def _attend(
    engine: Engine, url: str, out: Output, heard: SimpleQueue[int], leave: Callable[[int], object]
) -> ExitCode:
    engine.started.add_done_callback(lambda _: heard.put(_STARTED))
    engine.stopped.add_done_callback(lambda _: heard.put(_ENDED))
    try:
        number = _next(heard)
        if number == _STARTED:
            engine.started.result()
            _announce(url, out)
            number = _next_but_reloads(engine, heard)
        if number == _ENDED:
            raise Internal("the engine ended by itself")
        _LOG.info("stopping (signal %d)", number)
    finally:
        stop_engine(engine, leave)
    return ExitCode.DONE


def is_attended() -> bool:
    """True when somebody sits before this ggtui: a hang-up then means that they are gone."""
    return sys.stdin is not None and sys.stdin.isatty()


def _next_but_reloads(engine: Engine, heard: SimpleQueue[int]) -> int:
    """What ends the serving. Each hang-up that arrives here asks for a reload."""
    number = _next(heard)
    while number == signal.SIGHUP and not is_attended():
        engine.submit(engine.control.reload()).add_done_callback(_log_reload)
        number = _next(heard)
    return number


def _log_reload(done: Future[ReloadReport]) -> None:
    error = None if done.cancelled() else done.exception()
    if isinstance(error, Failure):
        meant = f" ({error.hint})" if error.hint else ""
        _LOG.error("%s: %s%s; the configuration stays as it was", error.title, error.detail, meant)
    elif error is not None or done.cancelled():
        _LOG.error("the reload did not end: %s", type(error).__name__)
    else:
        _LOG.info("configuration reloaded: %s", done.result().words)


def _next(heard: SimpleQueue[int]) -> int:
    while True:
        with suppress(Empty):
            return heard.get(timeout=SLICE_S)


def _announce(url: str, out: Output) -> None:
    _LOG.info("serving at %s", url)
    try:
        if out.is_json:
            out.document({"schema": 1, "url": url, "pid": os.getpid()})
        else:
            out.line(url)
    except OutputLost as failure:
        _LOG.info("nobody reads the standard output: %s", failure.detail)
