"""Work in a thread of its own that can be called back at any moment, also while it waits for a byte."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ggtui.core.errors import RemoteUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
LONGEST_END_S = 0.9
"""How long a caller that is cancelled waits for the thread. Longer takes only what nothing can end: the
look-up of a name, and the opening of a connection."""


class Stopped(Exception):
    """The work was called back."""


class Stop:
    """Calls a thread back, from any other one."""

    def __init__(self) -> None:
        self._called = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def set(self) -> None:
        """Call it back. What it reads from ends at once."""
        with self._lock:
            self._called.set()
            if self._socket is not None:
                # Of the base class: one with TLS must keep its state while another thread reads from it.
                with suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    @property
    def is_set(self) -> bool:
        """True once it is called back."""
        return self._called.is_set()

    def meet(self, sock: socket.socket) -> None:
        """What the thread reads from, from now on. Raises: Stopped."""
        with self._lock:
            self.check()
            self._socket = sock

    def check(self) -> None:
        """Raises: Stopped when the thread is called back."""
        if self._called.is_set():
            raise Stopped

    def wait(self, seconds: float) -> None:
        """Sleep. Raises: Stopped."""
        if self._called.wait(max(0.0, seconds)):
            raise Stopped


class Threads:
    """The threads that work now."""

    def __init__(self) -> None:
        self._working: dict[Stop, asyncio.Future[Any]] = {}

    async def carry(self, work: Callable[[Stop], T]) -> T:
        """What the work returns or raises. A caller that is cancelled calls it back, and waits a moment.

        Raises: RemoteUnreachable when it was called back by `close`.
        """
        loop = asyncio.get_running_loop()
        told: asyncio.Future[tuple[T | None, BaseException | None]] = loop.create_future()
        stop = Stop()

        def run() -> None:
            outcome: tuple[T | None, BaseException | None]
            try:
                outcome = work(stop), None
            except BaseException as error:  # raised again where it is awaited
                outcome = None, error
            # A loop that is closed has nobody who waits.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(told.set_result, outcome)

        thread = threading.Thread(target=run, name="hub", daemon=True)
        self._working[stop] = told
        try:
            thread.start()
            await asyncio.wait({told})
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait({told}, timeout=LONGEST_END_S)
            raise
        finally:
            del self._working[stop]
            if told.done():
                # It has nothing left to do.
                thread.join()
        return _outcome(*told.result())

    async def close(self) -> None:
        """Call all of them back and wait a moment."""
        for stop in self._working:
            stop.set()
        if self._working:
            await asyncio.wait(set(self._working.values()), timeout=LONGEST_END_S)


def _outcome(result: T | None, error: BaseException | None) -> T:
    if isinstance(error, Stopped):
        raise RemoteUnreachable("ggtui is stopping", hint="it goes on with the next start") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # None is what such work returns
