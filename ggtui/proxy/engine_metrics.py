"""The numbers of all running servers at once: asked without a lease, within a second, for one reader."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from ggtui.core.engine_metrics import MAX_METRICS_BYTES, ServerMetrics, engine_families, read_series
from ggtui.core.errors import Failure
from ggtui.proxy.headers import upstream_head
from ggtui.proxy.routes import METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.engine_metrics import Series
    from ggtui.core.metrics_text import Family
    from ggtui.core.models import RunningTarget
    from ggtui.proxy.ports import EndpointsPort
    from ggtui.proxy.questions import Questions
    from ggtui.proxy.upstream import UpstreamPool

ANSWER_S = 1.0
"""All servers together may take this long."""
REUSE_S = 1.0
"""A second scraper within this time reads the same."""


class EngineMetrics:
    """Asks llama-server as its only reader, and tells each scraper what came of it.

    Gauges such as `llamacpp:predicted_tokens_seconds` are averages since somebody last asked the server, so
    that every reader shortens the time that the next one sees. One scraper at an even interval reads true
    averages; several share what was read within REUSE_S, and otherwise read averages of shorter times.
    Counters have no such fault. Asking directly, with `?model=`, counts as a reader of its own.
    """

    def __init__(
        self,
        questions: Questions,
        endpoints: EndpointsPort,
        pool: UpstreamPool,
        *,
        answer_s: float = ANSWER_S,
        reuse_s: float = REUSE_S,
    ) -> None:
        """questions: who may be asked. answer_s, reuse_s: see ANSWER_S and REUSE_S."""
        self._questions = questions
        self._endpoints = endpoints
        self._pool = pool
        self._answer_s = answer_s
        self._reuse_s = reuse_s
        self._lock = asyncio.Lock()
        self._families: Sequence[Family] = ()
        self._valid_until = float("-inf")

    async def families(self) -> Sequence[Family]:
        """The series of all servers, and who did not tell any. Starts, keeps and wakes nothing."""
        async with self._lock:
            loop = asyncio.get_running_loop()
            if loop.time() >= self._valid_until:
                self._families = await self._asked()
                self._valid_until = loop.time() + self._reuse_s
            return self._families

    async def _asked(self) -> Sequence[Family]:
        servers = await self._questions.servers()
        told = await asyncio.gather(*(self._series(server) for server in servers))
        deployment = self._deployments()
        return list(
            engine_families(
                ServerMetrics(
                    server.model_name,
                    deployment.get(server.model_name, ""),
                    series,
                    "" if server.replica is None else str(server.replica + 1),
                )
                for server, series in zip(servers, told, strict=True)
            )
        )

    async def _series(self, server: RunningTarget) -> dict[str, Series] | None:
        """What one server tells; None when it does not, or not in time."""
        head = upstream_head("GET", METRICS, (), server, None)
        answer = bytearray()
        try:
            async with (
                asyncio.timeout(self._answer_s),
                self._pool.exchange(server, head) as exchange,
            ):
                if exchange.head.status != 200:
                    return None
                while len(answer) <= MAX_METRICS_BYTES and (data := await exchange.read()):
                    answer += data
        except (TimeoutError, Failure):
            return None
        return read_series(bytes(answer))

    def _deployments(self) -> dict[str, str]:
        """Public id of a model -> the deployment of it, where that is the only one."""
        names: defaultdict[str, set[str]] = defaultdict(set)
        for endpoint in self._endpoints.all:
            if endpoint.deployment and endpoint.base_model:
                names[endpoint.base_model].add(endpoint.deployment)
        return {model: next(iter(found)) for model, found in names.items() if len(found) == 1}
