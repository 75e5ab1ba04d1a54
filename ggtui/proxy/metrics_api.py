"""`/metrics`: the numbers of ggtui and of all its servers, or with `?model=` those of one server alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ggtui.core.metrics_text import MEDIA_TYPE, metrics_text
from ggtui.core.reconciliation_metrics import reconciliation_families
from ggtui.proxy.query import parameters

if TYPE_CHECKING:
    from ggtui.proxy.answers import Receive, Reply
    from ggtui.proxy.engine_metrics import EngineMetrics
    from ggtui.proxy.ports import ControlPort
    from ggtui.proxy.questions import Questions


class MetricsApi:
    """The handler."""

    def __init__(self, control: ControlPort, questions: Questions, engines: EngineMetrics) -> None:
        self._control = control
        self._questions = questions
        self._engines = engines

    async def metrics(self, scope: Any, receive: Receive, reply: Reply) -> None:
        """GET /metrics, in Prometheus' text format. For one reader: see EngineMetrics.

        Raises: what Questions.ask raises, with `?model=`.
        """
        if "model" in parameters(scope):
            await self._questions.ask(scope, receive, reply)
            return
        engines = await self._engines.families()
        snapshot, now = self._control.snapshot(), time.time()
        text = metrics_text(snapshot, now, (*reconciliation_families(snapshot, now), *engines))
        await reply.whole(200, text.encode(), MEDIA_TYPE)
