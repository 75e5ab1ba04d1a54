"""`/ggtui/history`: what was served, when, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.core.errors import InvalidRequest
from ggtui.core.history import SHOWN
from ggtui.core.state_json import history_document
from ggtui.proxy.query import parameters

if TYPE_CHECKING:
    from ggtui.proxy.answers import Receive, Reply
    from ggtui.proxy.ports import ControlPort


class HistoryApi:
    """The handler."""

    def __init__(self, control: ControlPort) -> None:
        self._control = control

    async def generations(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """GET /ggtui/history?n=: the newest generations, newest first; 32 at most, and without n."""
        n = _count(parameters(scope).get("n", str(SHOWN)))
        await reply.json(history_document(self._control.snapshot().history[:n]))


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise InvalidRequest("n must be a number of generations", param="n")
    return int(text)
