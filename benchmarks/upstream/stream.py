"""One answer of server-sent events: paced by the clock, or as fast as the reader takes it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.upstream import answers

if TYPE_CHECKING:
    import asyncio


class Stream:
    """Writes its events, one write per event, and the end. Pauses when the reader does."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        n_chunks: int,
        interval_s: float,
    ) -> None:
        """interval_s: 0 for as fast as possible."""
        self._loop = loop
        self._transport = transport
        self._left = n_chunks
        self._interval_s = interval_s
        self._next_at = loop.time()
        self._is_paused = False
        self._is_waiting = False
        self._handle: asyncio.Handle | None = None

    def start(self) -> None:
        """Send the head and the first event."""
        self._transport.write(answers.STREAM_HEAD)
        self._step()

    def stop(self) -> None:
        """Send nothing more."""
        self._left = -1
        if self._handle is not None:
            self._handle.cancel()

    def pause(self) -> None:
        """The reader is behind."""
        self._is_paused = True

    def resume(self) -> None:
        """The reader goes on."""
        self._is_paused = False
        if self._is_waiting:
            self._is_waiting = False
            self._step()

    def _step(self) -> None:
        if self._left < 0 or self._transport.is_closing():
            return
        if self._is_paused:
            self._is_waiting = True
            return
        if self._left == 0:
            self._transport.write(answers.STREAM_END)
            return
        self._left -= 1
        self._transport.write(answers.chunk(time.monotonic_ns()))
        if self._interval_s:
            self._next_at += self._interval_s
            self._handle = self._loop.call_at(self._next_at, self._step)
        else:
            self._handle = self._loop.call_soon(self._step)
