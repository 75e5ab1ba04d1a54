"""`/ggtui/endpoints`, `/aliases`, `/default` and `/adapters`: which names lead where, and what they apply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.core.names_json import (
    adapters_document,
    aliases_document,
    attached_document,
    default_document,
    enabled_document,
    endpoints_document,
)
from ggtui.proxy.body import read_json
from ggtui.proxy.order_fields import model_of, name_of, name_or_null, optional, refuse_path, switch_of
from ggtui.proxy.query import parameters

if TYPE_CHECKING:
    from ggtui.core.snapshot import EngineSnapshot
    from ggtui.proxy.answers import Receive, Reply
    from ggtui.proxy.ports import ControlPort


class NamesApi:
    """The handlers. Each order answers what is in force then."""

    def __init__(self, control: ControlPort, max_body_bytes: int) -> None:
        self._control = control
        self._names = control.names
        self._max_body_bytes = max_body_bytes

    async def endpoints(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """GET /ggtui/endpoints: everything that can be asked for, also what is not ready."""
        snapshot = self._snapshot()
        await reply.json(endpoints_document(snapshot.endpoints, snapshot.names))

    async def switch(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/endpoints {"endpoint", "enabled"}: false refuses every request to it."""
        document = await self._read(scope, receive)
        endpoint, is_enabled = name_of(document, "endpoint"), switch_of(document, "enabled")
        endpoint = await self._names.set_enabled(endpoint, is_enabled)
        await reply.json(enabled_document(self._snapshot(), endpoint))

    async def alias(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/aliases {"alias", "endpoint"}: null removes it."""
        document = await self._read(scope, receive)
        target = name_or_null(document, "endpoint", "removes the alias")
        await self._names.set_alias(name_of(document, "alias"), target)
        await reply.json(aliases_document(self._snapshot()))

    async def default(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/default {"endpoint"}: serves requests that name no model; null for nothing."""
        document = await self._read(scope, receive)
        await self._names.set_default(name_or_null(document, "endpoint", "chooses none"))
        await reply.json(default_document(self._snapshot()))

    async def adapters(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """GET /ggtui/adapters?model=: what is attached to which model, and which LoRA files were found."""
        query = parameters(scope)
        model = await self._names.model(model_of(query)) if query.get("model") else None
        await reply.json(adapters_document(self._snapshot(), model))

    async def weigh(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/adapters {"model", "adapter", "weight"}: from the next request until ggtui ends."""
        document = await self._read(scope, receive)
        adapter, weight = name_of(document, "adapter"), document.get("weight")
        model = await self._names.model(model_of(document))
        await self._names.set_weight(model, adapter, weight)
        await self._tell_of(model, reply)

    async def attach(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/adapters/attach {"model", "lora", "name"?, "weight"?}: one that was found."""
        document = await self._read(scope, receive)
        lora, name = name_of(document, "lora"), optional(document, "name", str)
        refuse_path(lora, "lora")
        model = await self._names.model(model_of(document))
        name = await self._names.attach(model, lora, name, document.get("weight", 1.0))
        await reply.json(attached_document(self._snapshot(), model, name))

    async def detach(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/adapters/detach {"model", "adapter"}: its server restarts after its requests."""
        document = await self._read(scope, receive)
        adapter = name_of(document, "adapter")
        model = await self._names.model(model_of(document))
        await self._names.detach(model, adapter)
        await self._tell_of(model, reply)

    async def _tell_of(self, model: str, reply: Reply) -> None:
        await reply.json(adapters_document(self._snapshot(), model))

    def _snapshot(self) -> EngineSnapshot:
        return self._control.snapshot()

    async def _read(self, scope: Any, receive: Receive) -> dict[str, Any]:
        return await read_json(scope["headers"], receive, self._max_body_bytes)
