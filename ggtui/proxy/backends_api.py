"""`/ggtui/backends` and `/ggtui/reconcile`: what should be where, what is, and closing the difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.core.backends_json import backends_document, reconciled_document
from ggtui.proxy.body import read_json
from ggtui.proxy.order_fields import switch_of

if TYPE_CHECKING:
    from ggtui.proxy.answers import Receive, Reply
    from ggtui.proxy.ports import ControlPort


class BackendsApi:
    """The handlers."""

    def __init__(self, control: ControlPort, max_body_bytes: int) -> None:
        self._control = control
        self._backends = control.backends
        self._max_body_bytes = max_body_bytes

    async def backends(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """GET /ggtui/backends: what was seen of each, and how it differs; has what is old looked at again."""
        states = self._backends.states
        is_reconciling = self._control.snapshot().is_reconciling
        document = backends_document(states, self._backends.rows)
        await reply.json({**document, "is_reconciling": is_reconciling})

    async def reconcile(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """POST /ggtui/reconcile {"dry_run"?}: looks now, queues what is missing, answers the difference.

        dry_run: true looks only.
        """
        document = await read_json(scope["headers"], receive, self._max_body_bytes)
        is_dry_run = switch_of(document, "dry_run", default=False)
        rows = await self._backends.reconcile(is_dry_run=is_dry_run)
        await reply.json(reconciled_document(rows, is_dry_run=is_dry_run))
