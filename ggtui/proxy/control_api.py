"""`/ggtui/…`: what the command line and scripts ask of a running ggtui, over the same door."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ggtui.core.context import parse_num_ctx
from ggtui.core.errors import InvalidRequest
from ggtui.core.labels import label_change
from ggtui.core.model_settings import settings_document
from ggtui.core.snapshot import TargetStatus
from ggtui.core.state import TargetState
from ggtui.core.state_json import state_document, target_document, utc_text
from ggtui.proxy.body import check_name, read_json
from ggtui.proxy.interrupt import Cause, Interrupted, Interruptible
from ggtui.proxy.presence import presence_of
from ggtui.proxy.query import parameters

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from ggtui.core.models import RunningTarget
    from ggtui.core.snapshot import EngineSnapshot, LogBatch
    from ggtui.proxy.answers import Receive, Reply
    from ggtui.proxy.interrupt import Drain
    from ggtui.proxy.ports import ControlPort
    from ggtui.proxy.presence import Presence

PING_S = 15.0
_MAX_WAITING_LINES = 10_000
_DEFAULT_LINES = 100
_TEMPLATE_NAME = re.compile(r"[a-z0-9_-]+(\.[0-9]+)?")
T = TypeVar("T")


class ControlApi:
    """The handlers. Each answers whole JSON, or a stream that ends with the client or the proxy."""

    def __init__(
        self, control: ControlPort, drain: Drain, max_body_bytes: int, ping_s: float = PING_S
    ) -> None:
        self._control = control
        self._drain = drain
        self._max_body_bytes = max_body_bytes
        self._ping_s = ping_s

    async def state(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """GET /ggtui/state: the snapshot."""
        await reply.json(self._document(self._control.snapshot()))

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
        model = query.get("model") or self._current_model()
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

    async def load(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/load {"model", "num_ctx"}: answers when the model is ready."""
        document = await self._read(scope, receive)
        model, n_ctx = _model(document), parse_num_ctx(document.get("num_ctx"))
        target = await self._do(presence_of(scope), self._control.load(model, n_ctx))
        await reply.json(self._target(target))

    async def stop(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/stop {"model"?, "force"?}: answers when the server is dead."""
        document = await self._read(scope, receive)
        model = _model(document) if document.get("model") is not None else None
        is_forced = document.get("force", False)
        if not isinstance(is_forced, bool):
            raise InvalidRequest("force must be true or false", param="force")
        await self._do(presence_of(scope), self._control.stop(model, is_forced=is_forced))
        await reply.json({"ok": True})

    async def context(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/context {"model", "num_ctx"}: null forgets the choice."""
        document = await self._read(scope, receive)
        if "num_ctx" not in document:
            raise InvalidRequest("num_ctx is missing; null forgets the choice", param="num_ctx")
        await self._control.set_context(_model(document), parse_num_ctx(document["num_ctx"]))
        await reply.json({"ok": True})

    async def pin(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/pin {"model", "pinned"?}: true keeps it resident once it is, false no longer."""
        document = await self._read(scope, receive)
        is_pinned = document.get("pinned", True)
        if not isinstance(is_pinned, bool):
            raise InvalidRequest("pinned must be true or false", param="pinned")
        await self._control.pin(_model(document), is_pinned)
        await reply.json({"ok": True})

    async def label(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/label {"model", "name"?, "tags"?, "add_tags"?, "remove_tags"?, "favourite"?}.

        An empty name gives the file's own one back. Answers what the model is called then.
        """
        document = await self._read(scope, receive)
        change = label_change(
            name=_optional(document, "name", str),
            tags=_words(document, "tags"),
            added=_words(document, "add_tags") or (),
            removed=_words(document, "remove_tags") or (),
            is_favourite=_optional(document, "favourite", bool),
        )
        model = await self._control.label(_model(document), change)
        await reply.json(
            {
                "model": model.public_id,
                "name": model.name,
                "given_name": model.given_name,
                "tags": list(model.tags),
                "favourite": model.is_favourite,
            }
        )

    async def settings(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """GET /ggtui/settings?model=: what was set for a model, and what is in force with its source."""
        await reply.json(settings_document(await self._control.settings(_model(parameters(scope)))))

    async def change_settings(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/settings {"model", "settings"}: by key of models.toml; null removes a key."""
        document = await self._read(scope, receive)
        changes = document.get("settings")
        if not isinstance(changes, dict):
            raise InvalidRequest("settings must be an object of keys and values", param="settings")
        _refuse_files(changes)
        await reply.json(settings_document(await self._control.change_settings(_model(document), changes)))

    async def reload(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/reload: reads the configuration again, answers which settings changed."""
        await self._read(scope, receive)
        report = await self._control.reload()
        await reply.json({"changed": list(report.changed), "at_next_start": list(report.at_next_start)})

    async def rescan(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/rescan: answers what was found."""
        await self._read(scope, receive)
        report = await self._do(presence_of(scope), self._control.rescan())
        await reply.json(
            {
                "folders": list(report.folders),
                "problems": list(report.problems),
                "n_files": report.n_files,
                "scanned_at": utc_text(report.scanned_at),
            }
        )

    # Behind them

    async def _read(self, scope: Any, receive: Receive) -> dict[str, Any]:
        return await read_json(scope["headers"], receive, self._max_body_bytes)

    async def _do(self, client: Presence, work: Coroutine[Any, Any, T]) -> T:
        """Await the work; a client that leaves takes it back."""
        try:
            async with Interruptible(client, self._drain) as block:
                done = await work
                block.settle()
        finally:
            work.close()
        return done

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
                document = msgspec.json.encode(self._document(snapshot))
                await reply.write(b"event: state\ndata: " + document + b"\n\n")

    async def _send_lines(self, waiting: _Lines, reply: Reply) -> None:
        while True:
            lines = await _within(waiting.get(), self._ping_s)
            if lines is None:
                await reply.write(b": ping\n\n")
            else:
                events = (msgspec.json.encode(_log_document(waiting.model, line)) for line in lines)
                await reply.write(b"".join(b"data: " + event + b"\n\n" for event in events))

    def _document(self, snapshot: EngineSnapshot) -> dict[str, object]:
        return state_document(snapshot, time.time(), os.getpid())

    def _target(self, target: RunningTarget) -> dict[str, object]:
        now = time.time()
        for status in self._control.snapshot().targets:
            if status.model_id == target.model_id and status.state is TargetState.READY:
                return target_document(status, now)
        fresh = TargetStatus(
            target.model_id,
            target.model_name,
            TargetState.READY,
            now,
            pid=target.pid,
            port=target.port,
            base_url=target.base_url,
            n_ctx=target.effective_ctx,
            n_slots=target.n_slots,
        )
        return target_document(fresh, now)

    def _current_model(self) -> str:
        target = self._control.snapshot().target
        if target is None:
            raise InvalidRequest("nothing runs: name a model", param="model")
        return target.public_id


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


def _log_document(model: str, line: str) -> dict[str, str]:
    return {"model": model, "line": line}


def _line_count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise InvalidRequest("n must be a number of lines", param="n")
    return int(text)


_EXPECTED = {str: "a text", bool: "true or false"}
_MOST_WORDS = 256


def _optional(document: Mapping[str, Any], key: str, kind: type[T]) -> T | None:
    value = document.get(key)
    if value is not None and not isinstance(value, kind):
        raise InvalidRequest(f"{key} must be {_EXPECTED[kind]}", param=key)
    return value


def _words(document: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    value = document.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidRequest(f"{key} must be a list of texts", param=key)
    return tuple(value[:_MOST_WORDS])


def _refuse_files(changes: dict[str, Any]) -> None:
    """A client of this door is not the owner of the files that llama-server could read and write for it."""
    if changes.get("extra_args") is not None:
        raise InvalidRequest("extra_args can only be set in models.toml or on the screen", param="extra_args")
    template = changes.get("template")
    if isinstance(template, str) and _TEMPLATE_NAME.fullmatch(template) is None:
        raise InvalidRequest(
            "template takes the name of a built-in one here; a file can only be set in models.toml",
            param="template",
        )


def _model(document: Mapping[str, Any]) -> str:
    model = document.get("model")
    if isinstance(model, int) and not isinstance(model, bool):
        model = str(model)
    if not isinstance(model, str) or not model:
        raise InvalidRequest("model must name a model", param="model")
    check_name(model)
    return model
