"""The one crossing to the engine: calls go in as coroutines, events come back as messages to the App."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ggtui.core.errors import Failure
from ggtui.core.snapshot import FailureNote, LogBatch
from ggtui.tui.messages import CallAnswered, CallFailed, EngineFailed, LogsArrived, SnapshotArrived

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

    from textual.app import App

    from ggtui.core.snapshot import EngineSnapshot
    from ggtui.services.control import Control
    from ggtui.services.engine import Engine

_LOG = logging.getLogger(__name__)
T = TypeVar("T")

CLOSE_TIMEOUT_S = 1.0
LOG_LINES = 5000
"""Lines kept of each server's log."""


class Bridge:
    """Submits to the engine and listens to it. The engine's thread only ever posts messages here."""

    def __init__(self, app: App[Any], engine: Engine) -> None:
        self._app = app
        self._engine = engine
        self._ends: tuple[Callable[[], None], ...] = ()
        self._ping: Future[None] | None = None
        self._pinged_at = 0.0

    @property
    def control(self) -> Control:
        """What may be asked; its coroutines are for `submit` and `ask` only."""
        return self._engine.control

    async def open(self, *, starts_engine: bool) -> None:
        """Start the engine when told to, wait until it serves, then listen."""
        if starts_engine:
            self._engine.start()
        try:
            await asyncio.shield(asyncio.wrap_future(self._engine.started))
            await self.ask(self._listen())
        except Failure as failure:
            self._app.post_message(EngineFailed(FailureNote.of(failure, time.time())))
        except Exception as error:
            _LOG.exception("the engine did not start")
            note = FailureNote("ggtui could not start", type(error).__name__, "ggtui doctor tells more")
            self._app.post_message(EngineFailed(note))

    async def close(self) -> None:
        """Stop listening; the engine goes on. Bounded, for an engine that no longer answers."""
        with suppress(Failure, TimeoutError):
            await asyncio.wait_for(self.ask(self._unlisten()), CLOSE_TIMEOUT_S)

    async def ask(self, work: Coroutine[Any, Any, T]) -> T:
        """The answer to one call. Giving up the wait, as at exit, does not cancel the call.

        Raises: what the call raises.
        """
        return await asyncio.shield(asyncio.wrap_future(self._engine.submit(work)))

    async def fetch(self, work: Coroutine[Any, Any, T]) -> T:
        """The answer to one call that changes nothing: giving up the wait ends the call too.

        Raises: what the call raises.
        """
        return await asyncio.wrap_future(self._engine.submit(work))

    def submit(
        self, work: Coroutine[Any, Any, T], about: str = "", words: Callable[[T], str] | None = None
    ) -> None:
        """Send a call on its way; a failure comes back as `CallFailed`.

        about: public id of the model it is about. words: what to say of the answer, which then comes back
        as `CallAnswered`; called on the engine's thread.
        """
        # No worker waits for the answer: one that is made in the app's last moments would never begin.
        self._engine.submit(work).add_done_callback(partial(self._hear_out, about, words))

    def silent_s(self, now: float) -> float:
        """Seconds for which the engine has not answered; asks again once it has.

        now: monotonic clock.
        """
        if self._ping is not None and not self._ping.done():
            return now - self._pinged_at
        self._ping = self._engine.submit(_answer())
        self._pinged_at = now
        return 0.0

    def _hear_out(self, about: str, words: Callable[[Any], str] | None, answer: Future[Any]) -> None:
        """Runs on the engine's thread."""
        error = None if answer.cancelled() else answer.exception()
        if isinstance(error, Failure):
            self._app.post_message(CallFailed(FailureNote.of(error, time.time()), about))
        elif error is not None:
            _LOG.error("a call to the engine failed", exc_info=error)
            self._app.post_message(CallFailed(FailureNote("Internal error", type(error).__name__), about))
        elif words is not None and not answer.cancelled():
            self._app.post_message(CallAnswered(words(answer.result())))

    async def _listen(self) -> None:
        control = self._engine.control
        for target in control.snapshot().targets:
            self._hear_logs(control.log_tail(target.public_id, LOG_LINES), target.public_id)
        self._ends = (control.subscribe(self._hear), control.subscribe_logs(self._hear_batch))

    async def _unlisten(self) -> None:
        for end in self._ends:
            end()
        self._ends = ()

    def _hear(self, snapshot: EngineSnapshot) -> None:
        self._app.post_message(SnapshotArrived(snapshot))

    def _hear_batch(self, batch: LogBatch) -> None:
        self._app.post_message(LogsArrived(batch))

    def _hear_logs(self, lines: tuple[str, ...], public_id: str) -> None:
        if lines:
            self._hear_batch(LogBatch(public_id, lines))


async def _answer() -> None:
    return None
