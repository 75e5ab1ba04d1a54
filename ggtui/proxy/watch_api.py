"""`/ggtui/state`, `/ggtui/events`, `/ggtui/logs`: what goes on in a running ggtui, once or as it happens."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ggtui.core.errors import InvalidRequest
from ggtui.core.state_json import state_document
from ggtui.proxy.body import check_name
from ggtui.proxy.interrupt import Cause, Interrupted, Interruptible
from ggtui.proxy.presence import presence_of
from ggtui.proxy.query import parameters

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from ggtui.core.snapshot import EngineSnapshot, LogBatch
    from ggtui.proxy.answers import Receive, Reply
    from ggtui.proxy.interrupt import Drain
    from ggtui.proxy.ports import ControlPort
    from ggtui.proxy.presence import Presence

PING_S = 15.0
_MAX_WAITING_LINES = 10_000
_DEFAULT_LINES = 100
T = TypeVar("T")


class WatchApi:
    """The handlers. Each answers whole JSON, or a stream that ends with the client or the proxy."""

    def __init__(self, control: ControlPort, drain: Drain, ping_s: float = PING_S) -> None:
        self._control = control
        self._drain = drain
        self._ping_s = ping_s

    async def state(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """GET /ggtui/state: the snapshot."""
        await reply.json(_document(self._control.snapshot()))

    async def events(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """GET /ggtui/events: the snapshot now and after every change, as `state` events."""
        newest = _Newest(self._control.snapshot())
        unsubscribe = self._control.subscribe(newest.put)
        try:
            await self._stream(presence_of(scope), reply, lambda: self._send_states(newest, reply))
        finally:
            unsubscribe()

    async def logs(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """GET /ggtui/logs?model=&n=&follow=1&verbose=1: the tail as JSON lines, or as events that go on.

        The verbose lines are in a tail only.
        """
        query = parameters(scope)
        model = self._public_id(query.get("model", ""))
        n_lines = _line_count(query.get("n", str(_DEFAULT_LINES)))
        if query.get("follow") not in ("1", "true"):
            is_verbose = query.get("verbose") in ("1", "true")
            tail = self._control.log_tail(model, n_lines, is_verbose=is_verbose)
            lines = [_log_document(model, line) for line in tail]
            body = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
            await reply.whole(200, body, b"application/x-ndjson")
            return
        waiting = _Lines(model)
        unsubscribe = self._control.subscribe_logs(waiting.put)
        waiting.lines.extend(self._control.log_tail(model, n_lines))
        try:
            await self._stream(presence_of(scope), reply, lambda: self._send_lines(waiting, reply))
        finally:
            unsubscribe()

    def _public_id(self, name: str) -> str:
        """The model that a name leads to; what runs without one. An unknown name has no lines."""
        if name:
            check_name(name)
            return self._control.names.base_of(name) or name
        target = self._control.snapshot().target
        if target is None:
            raise InvalidRequest("nothing runs: name a model", param="model")
        return target.public_id

    async def _stream(self, client: Presence, reply: Reply, send: Callable[[], Awaitable[None]]) -> None:
        await reply.begin_events()
        try:
            async with Interruptible(client, self._drain, is_endless=True):
                await send()
        except Interrupted as interrupted:
            if interrupted.cause is Cause.CLIENT_GONE:
                raise
        await reply.end()

    async def _send_states(self, newest: _Newest, reply: Reply) -> None:
        while True:
            snapshot = await _within(newest.get(), self._ping_s)
            if snapshot is None:
                await reply.write(b": ping\n\n")
            else:
                document = msgspec.json.encode(_document(snapshot))
                await reply.write(b"event: state\ndata: " + document + b"\n\n")

    async def _send_lines(self, waiting: _Lines, reply: Reply) -> None:
        while True:
            lines = await _within(waiting.get(), self._ping_s)
            if lines is None:
                await reply.write(b": ping\n\n")
            else:
                events = (msgspec.json.encode(_log_document(waiting.model, line)) for line in lines)
                await reply.write(b"".join(b"data: " + event + b"\n\n" for event in events))


class _Newest:
    """The latest snapshot a slow reader has not seen; older ones are dropped."""

    def __init__(self, first: EngineSnapshot) -> None:
        self._snapshot: EngineSnapshot | None = first
        self._is_there = asyncio.Event()
        self._is_there.set()

    def put(self, snapshot: EngineSnapshot) -> None:
        self._snapshot = snapshot
        self._is_there.set()

    async def get(self) -> EngineSnapshot | None:
        await self._is_there.wait()
        self._is_there.clear()
        return self._snapshot


class _Lines:
    """Log lines of one model that wait for a reader; the oldest are dropped."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.lines: deque[str] = deque(maxlen=_MAX_WAITING_LINES)
        self._is_there = asyncio.Event()
        self._is_there.set()

    def put(self, batch: LogBatch) -> None:
        if batch.public_id == self.model:
            self.lines.extend(batch.lines)
            self._is_there.set()

    async def get(self) -> list[str] | None:
        await self._is_there.wait()
        self._is_there.clear()
        lines = list(self.lines)
        self.lines.clear()
        return lines


async def _within(work: Coroutine[Any, Any, T], limit_s: float) -> T | None:
    try:
        async with asyncio.timeout(limit_s):
            return await work
    except TimeoutError:
        return None


def _document(snapshot: EngineSnapshot) -> dict[str, object]:
    return state_document(snapshot, time.time(), os.getpid())


def _log_document(model: str, line: str) -> dict[str, str]:
    return {"model": model, "line": line}


def _line_count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise InvalidRequest("n must be a number of lines", param="n")
    return int(text)
