"""`/metrics`: ggtui's own numbers, or with `?model=` what that model's server tells of itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ggtui.core.metrics_text import MEDIA_TYPE, metrics_text
from ggtui.proxy.query import parameters

if TYPE_CHECKING:
    from ggtui.proxy.answers import Receive, Reply
    from ggtui.proxy.ports import ControlPort
    from ggtui.proxy.questions import Questions


class MetricsApi:
    """The handler."""

    def __init__(self, control: ControlPort, questions: Questions) -> None:
        self._control = control
        self._questions = questions

    async def metrics(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """GET /metrics, in Prometheus' text format. Asking ggtui itself reaches no server.

        Raises: what Questions.ask raises, with `?model=`.
        """
        if "model" in parameters(scope):
            await self._questions.ask(scope, receive, reply)
            return
        text = metrics_text(self._control.snapshot(), time.time())
        await reply.whole(200, text.encode(), MEDIA_TYPE)
