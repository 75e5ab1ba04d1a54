"""The engine thread: one event loop that owns services, child processes and the proxy.

The main thread crosses over with `submit` only; the engine crosses back by calling subscribers, which hand
the value to their own thread.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ggtui.core.errors import EngineStopping, Internal

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from ggtui.services.control import Control

_LOG = logging.getLogger(__name__)
T = TypeVar("T")

GIVE_UP_S = 1.0
"""How long a part that is still starting may take to give up."""

PART_LIMIT_S = 20.0
"""A part that takes longer to stop is left behind, so that the others are stopped too."""


class Part(Protocol):
    """Something that lives on the engine's loop: started in order, stopped in reverse."""

    async def start(self) -> None:
        """Begin; returns when it serves."""

    async def stop(self) -> None:
        """End; bounded. Also called when start failed or never ran."""


class Engine:
    """Runs the parts on a thread of its own. Invariant: no part is touched from any other thread."""

    def __init__(self, control: Control, parts: Sequence[Part]) -> None:
        self.control = control
        self._parts = tuple(parts)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="ggtui-engine", daemon=True)
        self._stop_asked: asyncio.Event | None = None
        self._lock = threading.Lock()
        self._is_stopping = False
        self.started: Future[None] = Future()
        """Done when every part serves; carries what kept one from it."""
        self.stopped: Future[None] = Future()
        """Done when every part has ended, whatever happened."""
        for future in (self.started, self.stopped):
            future.set_running_or_notify_cancel()  # whoever waits and is cancelled must not take them along

    def start(self) -> None:
        """Start the thread and return at once; wait on `started` to know that it serves."""
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the engine's loop. After the end the future holds EngineStopping."""
        with self._lock:
            loop = self._loop
            if loop is not None and not self._is_stopping:
                return asyncio.run_coroutine_threadsafe(work, loop)
        work.close()
        refused: Future[T] = Future()
        refused.set_exception(EngineStopping("the engine is not running"))
        return refused

    def stop(self, timeout_s: float = 15.0) -> bool:
        """End every part and join the thread; True when it ended in time. May be called twice."""
        with self._lock:
            self._is_stopping = True
            loop, asked = self._loop, self._stop_asked
            if loop is not None and asked is not None and not loop.is_closed():
                loop.call_soon_threadsafe(asked.set)
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_new_loop) as runner:
                runner.run(self._live())
        except Exception as error:  # the last line of defence: the main thread must hear of it
            _LOG.exception("engine thread failed")
            if not self.started.done():
                self.started.set_exception(Internal(type(error).__name__))
        finally:
            self.stopped.set_result(None)

    async def _live(self) -> None:
        self._stop_asked = asyncio.Event()
        with self._lock:
            self._loop = asyncio.get_running_loop()
            if self._is_stopping:
                self._stop_asked.set()
        begun: list[Part] = []
        try:
            for part in self._parts:
                begun.append(part)
                if not await _starts(part, self._stop_asked):
                    raise EngineStopping("ggtui was stopped while it started")
            _calm_collector()
            self.started.set_result(None)
            await self._stop_asked.wait()
        except Exception as error:
            self.started.set_exception(error)
        finally:
            with self._lock:
                self._is_stopping = True
            await _stop_all(begun)
            with self._lock:
                self._loop = None


def _calm_collector() -> None:
    """Keep the garbage collector from walking what lives as long as the process.

    A full collection with a screen's objects holds every thread for a tenth of a second, streams included.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


async def _starts(part: Part, stop_asked: asyncio.Event) -> bool:
    """Start a part; False when a stop came first. Raises what kept the part from starting."""
    starting = asyncio.ensure_future(part.start())
    asked = asyncio.ensure_future(stop_asked.wait())
    await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not starting.done():
        starting.cancel()
        await asyncio.wait({starting}, timeout=GIVE_UP_S)
        return False
    await starting
    return True


async def _stop_all(parts: list[Part]) -> None:
    for part in reversed(parts):
        name = type(part).__name__
        stopping = asyncio.ensure_future(part.stop())
        await asyncio.wait({stopping}, timeout=PART_LIMIT_S)
        if not stopping.done():
            _LOG.error("%s did not stop in %g s; leaving it behind", name, PART_LIMIT_S)
            stopping.cancel()
        elif not stopping.cancelled() and (error := stopping.exception()) is not None:
            _LOG.error("%s did not stop cleanly", name, exc_info=error)


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # not made for Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
