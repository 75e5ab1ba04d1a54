"""`/ggtui/queue`: the downloads, their progress as it happens, and orders to them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

import msgspec

from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.downloads.jobs import Job, JobState
from ggtui.core.downloads.order import is_same_model
from ggtui.core.downloads_json import (
    ordered_document,
    queue_document,
    removed_document,
    status_document,
)
from ggtui.core.errors import DownloadNotFound, InvalidRequest
from ggtui.proxy.body import check_name, read_json
from ggtui.proxy.order_fields import name_of, optional, whole_of
from ggtui.proxy.query import parameters
from ggtui.proxy.routes import QUEUE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ggtui.core.snapshot import EngineSnapshot
    from ggtui.proxy.answers import Receive, Reply
    from ggtui.proxy.event_stream import EventStreams
    from ggtui.proxy.ports import ControlPort

_MAIN = "main"


class QueueOrder(StrEnum):
    """What may be done with a download."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    MOVE = "move"
    REMOVE = "remove"


class QueueApi:
    """The handlers. An order answers what is in force then."""

    def __init__(self, control: ControlPort, streams: EventStreams, max_body_bytes: int) -> None:
        self._control = control
        self._downloads = control.downloads
        self._streams = streams
        self._max_body_bytes = max_body_bytes

    async def queue(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """GET /ggtui/queue: all downloads, by their place, and why the queue cannot be kept, if it cannot."""
        await reply.json(queue_document(self._jobs(), self._downloads.problem))

    async def events(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """GET /ggtui/queue/events: each download now and after every change of it, as `status` events."""
        await self._streams.of_snapshots(scope, reply, self._control, Changes().events)

    async def add(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/queue {"model", "backend"?, "revision"?}: a person wants it; resumes a paused one."""
        document = await self._read(scope, receive)
        model = name_of(document, "model")
        backend = optional(document, "backend", str) or THIS_MACHINE
        revision = optional(document, "revision", str) or _MAIN
        check_name(backend)
        check_name(revision)
        job = await self._downloads.add(model, backend=backend, revision=revision)
        await reply.json(ordered_document((*self._jobs(), job), job.number))

    async def order(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/queue/order {"number", "action", "to"?}: pause, resume, cancel, move or remove one.

        to: the place in the queue, 0 for the first.
        """
        document = await self._read(scope, receive)
        order, number = _order(document.get("action")), whole_of(document, "number")
        if order is QueueOrder.MOVE:
            await self._downloads.move(number, whole_of(document, "to"))
        else:
            await self._order(order)(number)
        await reply.json(ordered_document(self._jobs(), number))

    async def cancel(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """DELETE /ggtui/queue/cancel?url=|model=: cancels what runs or waits and matches either.

        A cancelled download stays paused, with what is on disk, until a person resumes it.
        """
        query = parameters(scope)
        url, model = query.get("url", "").rstrip("/"), query.get("model", "")
        if not url and not model:
            raise InvalidRequest("url or model must say which downloads are meant", param="model")
        meant = [
            job
            for job in self._jobs()
            if job.state.is_open
            and ((url and url == job.base_url.rstrip("/")) or (model and is_same_model(job, model)))
        ]
        if not meant:
            raise DownloadNotFound(f"nothing runs or waits for {model or url}")
        for job in meant:
            await self._downloads.cancel(job.number)
        numbers = {job.number for job in meant}
        await reply.json(queue_document(job for job in self._jobs() if job.number in numbers))

    async def remove(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """DELETE /ggtui/queue/{model}: takes what waits for this model out of the queue.

        What the configuration declares stays, paused: the next cycle would ask for it again.
        """
        model = unquote_to_bytes(scope["raw_path"][len(QUEUE_PREFIX) :]).decode("utf-8", "replace")
        check_name(model)
        meant = [job for job in self._jobs() if job.state is JobState.PENDING and is_same_model(job, model)]
        if not meant:
            raise DownloadNotFound(f"nothing waits for {model}")
        for job in meant:
            await self._downloads.remove(job.number)
        await reply.json(queue_document(self._jobs()))

    def _order(self, order: QueueOrder) -> Callable[[int], Awaitable[None]]:
        return {
            QueueOrder.PAUSE: self._downloads.pause,
            QueueOrder.RESUME: self._downloads.resume,
            QueueOrder.CANCEL: self._downloads.cancel,
            QueueOrder.REMOVE: self._downloads.remove,
        }[order]

    def _jobs(self) -> tuple[Job, ...]:
        return self._control.snapshot().downloads

    async def _read(self, scope: Any, receive: Receive) -> dict[str, Any]:
        return await read_json(scope["headers"], receive, self._max_body_bytes)


class Changes:
    """What one listener has been told of the downloads."""

    def __init__(self) -> None:
        self._told: dict[int, Job] = {}

    def events(self, snapshot: EngineSnapshot) -> bytes:
        """A `status` event for each download that is otherwise than it was told; empty for none."""
        now = {job.number: job for job in snapshot.downloads}
        documents = [removed_document(job) for number, job in self._told.items() if number not in now]
        documents += [status_document(job) for number, job in now.items() if job != self._told.get(number)]
        self._told = now
        return b"".join(b"event: status\ndata: " + msgspec.json.encode(each) + b"\n\n" for each in documents)


def _order(action: object) -> QueueOrder:
    if not isinstance(action, str) or action not in set(QueueOrder):
        raise InvalidRequest(f"action must be one of {', '.join(QueueOrder)}", param="action")
    return QueueOrder(action)
