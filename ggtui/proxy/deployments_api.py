"""`/ggtui/deployments`: what serves each, how far its rules are used up, and orders to one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ggtui.core.deployment.orders import DeploymentOrder
from ggtui.core.deployments_json import deployments_document, ordered_document
from ggtui.core.errors import InvalidRequest
from ggtui.proxy.body import read_json
from ggtui.proxy.order_fields import name_of

if TYPE_CHECKING:
    from ggtui.proxy.answers import Receive, Reply
    from ggtui.proxy.ports import ControlPort


class DeploymentsApi:
    """The handlers. An order answers what is in force then."""

    def __init__(self, control: ControlPort, max_body_bytes: int) -> None:
        self._control = control
        self._max_body_bytes = max_body_bytes

    async def deployments(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """GET /ggtui/deployments: those of the configuration, in its order."""
        await reply.json(deployments_document(self._control.snapshot().deployments, time.time()))

    async def order(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/deployments {"deployment", "action"}: open, close, reset, drain or resume."""
        document = await read_json(scope["headers"], receive, self._max_body_bytes)
        name, order = name_of(document, "deployment"), _order(document.get("action"))
        await self._control.deployments.order(name, order)
        await reply.json(ordered_document(self._control.snapshot().deployments, name, time.time()))


def _order(action: object) -> DeploymentOrder:
    if not isinstance(action, str) or action not in set(DeploymentOrder):
        raise InvalidRequest(f"action must be one of {', '.join(DeploymentOrder)}", param="action")
    return DeploymentOrder(action)
