"""Ends the work of a request the moment its client has gone or the proxy has to stop."""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from ggtui.proxy.presence import Presence


class Cause(Enum):
    """Why work was ended from outside."""

    CLIENT_GONE = auto()
    STOPPING = auto()


class Interrupted(Exception):
    """The work inside an Interruptible block was ended."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.name)
        self.cause = cause


class Drain:
    """The proxy's stop, as its requests see it: first no new ones, then an end to those that run."""

    def __init__(self) -> None:
        self.is_begun = False
        self.is_cut = False
        self._open: set[Interruptible] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def n_open(self) -> int:
        """Requests that run."""
        return len(self._open)

    def begin(self) -> None:
        """Refuse new requests, end those that would never end by themselves."""
        self.is_begun = True
        for each in list(self._open):
            if each.is_endless:
                each.cut(Cause.STOPPING)

    def cut(self) -> None:
        """End every request, also one that is about to begin."""
        self.is_cut = True
        for each in list(self._open):
            each.cut(Cause.STOPPING)

    async def quiet(self) -> None:
        """Return when no request runs."""
        await self._quiet.wait()

    def add(self, each: Interruptible) -> None:
        """A request begins."""
        self._open.add(each)
        self._quiet.clear()

    def discard(self, each: Interruptible) -> None:
        """A request has ended."""
        self._open.discard(each)
        if not self._open:
            self._quiet.set()


class Interruptible:
    """A block that is cancelled when its client disconnects or the proxy drains.

    The block's request body must have been read: what comes after it is dropped.
    Leaving raises Interrupted when the block was cut. `settle` ends the watch before the answer's end.
    """

    def __init__(self, client: Presence, drain: Drain, *, is_endless: bool = False) -> None:
        self._client = client
        self._drain = drain
        self.is_endless = is_endless
        self._cause: Cause | None = None
        self._is_settled = False

    async def __aenter__(self) -> Interruptible:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._n_cancels = task.cancelling()
        self._drain.add(self)
        self._client.watch(self._client_gone)
        if self._drain.is_cut or (self._drain.is_begun and self.is_endless):
            self.cut(Cause.STOPPING)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_settled = True
        self._client.unwatch()
        self._drain.discard(self)
        if self._cause is None:
            return
        if not isinstance(error, asyncio.CancelledError):
            await self._take_late_cancel()
        if self._task.uncancel() <= self._n_cancels:
            raise Interrupted(self._cause) from None

    def settle(self) -> None:
        """The work is done: what happens to the client from now on changes nothing."""
        self._is_settled = True

    def cut(self, cause: Cause) -> None:
        """End the block's work."""
        if not self._is_settled and self._cause is None:
            self._cause = cause
            self._task.cancel()

    def _client_gone(self) -> None:
        self.cut(Cause.CLIENT_GONE)

    async def _take_late_cancel(self) -> None:
        # A cancel that came while the block was already leaving would hit whatever is awaited next.
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            if self._task.cancelling() > self._n_cancels + 1:
                raise
