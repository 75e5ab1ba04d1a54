"""`/ggtui/…`: what the command line and scripts order a running ggtui to do, over the same door."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

from ggtui.core.context import parse_num_ctx
from ggtui.core.errors import InvalidRequest
from ggtui.core.labels import label_change
from ggtui.core.model_settings import settings_document
from ggtui.core.moments import utc_text
from ggtui.core.snapshot import TargetStatus
from ggtui.core.state import TargetState
from ggtui.core.state_json import target_document
from ggtui.proxy.body import read_json
from ggtui.proxy.interrupt import Interruptible
from ggtui.proxy.order_fields import model_of, optional, refuse_files, switch_of, words_of
from ggtui.proxy.presence import presence_of
from ggtui.proxy.query import parameters

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ggtui.core.models import RunningTarget
    from ggtui.proxy.answers import Receive, Reply
    from ggtui.proxy.interrupt import Drain
    from ggtui.proxy.ports import ControlPort
    from ggtui.proxy.presence import Presence

T = TypeVar("T")


class ControlApi:
    """The handlers. Each answers whole JSON, when what was ordered is done."""

    def __init__(self, control: ControlPort, drain: Drain, max_body_bytes: int) -> None:
        self._control = control
        self._drain = drain
        self._max_body_bytes = max_body_bytes

    async def load(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/load {"model", "num_ctx"}: answers when the model is ready."""
        document = await self._read(scope, receive)
        model, n_ctx = model_of(document), parse_num_ctx(document.get("num_ctx"))
        target = await self._do(presence_of(scope), self._control.load(model, n_ctx))
        await reply.json(self._target(target))

    async def stop(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/stop {"model"?, "force"?}: answers when the server is dead."""
        document = await self._read(scope, receive)
        model = model_of(document) if document.get("model") is not None else None
        is_forced = switch_of(document, "force", default=False)
        await self._do(presence_of(scope), self._control.stop(model, is_forced=is_forced))
        await reply.json({"ok": True})

    async def context(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/context {"model", "num_ctx"}: null forgets the choice."""
        document = await self._read(scope, receive)
        if "num_ctx" not in document:
            raise InvalidRequest("num_ctx is missing; null forgets the choice", param="num_ctx")
        await self._control.set_context(model_of(document), parse_num_ctx(document["num_ctx"]))
        await reply.json({"ok": True})

    async def pin(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/pin {"model", "pinned"?}: true keeps it resident once it is, false no longer."""
        document = await self._read(scope, receive)
        is_pinned = switch_of(document, "pinned", default=True)
        await self._control.pin(model_of(document), is_pinned)
        await reply.json({"ok": True})

    async def label(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/label {"model", "name"?, "tags"?, "add_tags"?, "remove_tags"?, "favourite"?}.

        An empty name gives the file's own one back. Answers what the model is called then.
        """
        document = await self._read(scope, receive)
        change = label_change(
            name=optional(document, "name", str),
            tags=words_of(document, "tags"),
            added=words_of(document, "add_tags") or (),
            removed=words_of(document, "remove_tags") or (),
            is_favourite=optional(document, "favourite", bool),
        )
        model = await self._control.label(model_of(document), change)
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
        await reply.json(settings_document(await self._control.settings(model_of(parameters(scope)))))

    async def change_settings(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/settings {"model", "settings"}: by key of models.toml; null removes a key."""
        document = await self._read(scope, receive)
        changes = document.get("settings")
        if not isinstance(changes, dict):
            raise InvalidRequest("settings must be an object of keys and values", param="settings")
        refuse_files(changes)
        await reply.json(settings_document(await self._control.change_settings(model_of(document), changes)))

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
