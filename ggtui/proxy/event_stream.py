"""Answers that go on as events until the client leaves or the proxy stops, with signs of life in between."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from ggtui.proxy.interrupt import Cause, Interrupted, Interruptible
from ggtui.proxy.presence import presence_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from ggtui.core.snapshot import EngineSnapshot
    from ggtui.proxy.answers import Reply
    from ggtui.proxy.interrupt import Drain
    from ggtui.proxy.ports import ControlPort

PING_S = 15.0
PING = b": ping\n\n"
T = TypeVar("T")


class EventStreams:
    """Sends what a handler makes of news, as long as somebody listens."""

    def __init__(self, drain: Drain, ping_s: float = PING_S) -> None:
        self._drain = drain
        self._ping_s = ping_s

    async def of_news(self, scope: Any, reply: Reply, news: Callable[[], Coroutine[Any, Any, bytes]]) -> None:
        """Send what `news` returns, again and again; nothing where it is empty.

        news: waits for something to tell; is cancelled and called again where that takes long.
        """
        await reply.begin_events()
        try:
            async with Interruptible(presence_of(scope), self._drain, is_endless=True):
                await self._send(reply, news)
        except Interrupted as interrupted:
            if interrupted.cause is Cause.CLIENT_GONE:
                raise
        await reply.end()

    async def of_snapshots(
        self, scope: Any, reply: Reply, control: ControlPort, tell: Callable[[EngineSnapshot], bytes]
    ) -> None:
        """The same with what `tell` makes of the state now, and of the newest state after changes."""
        newest = _Newest()
        unsubscribe = control.subscribe(newest.put)
        newest.put(control.snapshot())

        async def news() -> bytes:
            return tell(await newest.get())

        try:
            await self.of_news(scope, reply, news)
        finally:
            unsubscribe()

    async def _send(self, reply: Reply, news: Callable[[], Awaitable[bytes]]) -> None:
        while True:
            try:
                async with asyncio.timeout(self._ping_s):
                    events = await news()
            except TimeoutError:
                events = PING
            if events:
                await reply.write(events)


class _Newest:
    """The latest snapshot a slow reader has not seen; older ones are dropped."""

    def __init__(self) -> None:
        self._snapshot: EngineSnapshot | None = None
        self._is_there = asyncio.Event()

    def put(self, snapshot: EngineSnapshot) -> None:
        self._snapshot = snapshot
        self._is_there.set()

    async def get(self) -> EngineSnapshot:
        await self._is_there.wait()
        self._is_there.clear()
        assert self._snapshot is not None
        return self._snapshot
