"""`/ggtui/state`, `/ggtui/events`, `/ggtui/logs`: what goes on in a running ggtui, once or as it happens."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from ggtui.core.errors import InvalidRequest
from ggtui.core.state_json import state_document
from ggtui.proxy.body import check_name
from ggtui.proxy.query import parameters

if TYPE_CHECKING:
    from ggtui.core.snapshot import EngineSnapshot, LogBatch
    from ggtui.proxy.answers import Receive, Reply
    from ggtui.proxy.event_stream import EventStreams
    from ggtui.proxy.ports import ControlPort

_MAX_WAITING_LINES = 10_000
_DEFAULT_LINES = 100


class WatchApi:
    """The handlers. Each answers whole JSON, or a stream that ends with the client or the proxy."""

    def __init__(self, control: ControlPort, streams: EventStreams) -> None:
        self._control = control
        self._streams = streams

    async def state(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """GET /ggtui/state: the snapshot; has what is old of backends looked at again."""
        _ = self._control.backends.states
        await reply.json(_document(self._control.snapshot()))

    async def events(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """GET /ggtui/events: the snapshot now and after every change, as `state` events."""
        await self._streams.of_snapshots(scope, reply, self._control, _state_event)

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
            await self._streams.of_news(scope, reply, waiting.events)
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

    async def events(self) -> bytes:
        """Those that came since the last call, once there are any."""
        await self._is_there.wait()
        self._is_there.clear()
        events = [msgspec.json.encode(_log_document(self.model, line)) for line in self.lines]
        self.lines.clear()
        return b"".join(b"data: " + event + b"\n\n" for event in events)


def _state_event(snapshot: EngineSnapshot) -> bytes:
    return b"event: state\ndata: " + msgspec.json.encode(_document(snapshot)) + b"\n\n"


def _document(snapshot: EngineSnapshot) -> dict[str, object]:
    return state_document(snapshot, time.time(), os.getpid())


def _log_document(model: str, line: str) -> dict[str, str]:
    return {"model": model, "line": line}


def _line_count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise InvalidRequest("n must be a number of lines", param="n")
    return int(text)
