"""The door as a part of the engine: opens on a socket bound before, drains and closes."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

import uvicorn

from ggtui.proxy.access import Access
from ggtui.proxy.app import App
from ggtui.proxy.asking import Asking
from ggtui.proxy.backend_places import BackendPlaces
from ggtui.proxy.backends_api import BackendsApi
from ggtui.proxy.context_need import ContextNeed
from ggtui.proxy.control_api import ControlApi
from ggtui.proxy.course import Course
from ggtui.proxy.deployments_api import DeploymentsApi
from ggtui.proxy.descriptors import connection_cap
from ggtui.proxy.elsewhere import Elsewhere
from ggtui.proxy.engine_metrics import EngineMetrics
from ggtui.proxy.event_stream import EventStreams
from ggtui.proxy.fact_finder import FactFinder
from ggtui.proxy.forward import Forwarder
from ggtui.proxy.history_api import HistoryApi
from ggtui.proxy.http_protocol import GuardedHttpProtocol
from ggtui.proxy.interrupt import Drain
from ggtui.proxy.leased import Leased
from ggtui.proxy.metrics_api import MetricsApi
from ggtui.proxy.models_api import ModelsApi
from ggtui.proxy.names_api import NamesApi
from ggtui.proxy.naming import Naming
from ggtui.proxy.questions import Questions
from ggtui.proxy.queue_api import QueueApi
from ggtui.proxy.settings import HttpLimits, ProxySettings
from ggtui.proxy.token_count import TokenCount
from ggtui.proxy.upstream import UpstreamPool
from ggtui.proxy.watch_api import WatchApi

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from ggtui.core.ports.catalog import ModelCatalogPort
    from ggtui.proxy.ports import BackendsPort, ControlPort, DeploymentsPort, EndpointsPort, RuntimePort


__all__ = ["HttpLimits", "ProxyServer", "ProxySettings"]

_FLUSH_STEP_S = 0.01
_FLUSH_STEPS = 30
"""What was answered may take this long to reach its client before its connection is cut."""


class ProxyServer:
    """Serves clients on the loop it is started on. Started once, stopped once; both may be called anyway."""

    def __init__(
        self,
        sock: socket.socket,
        *,
        runtime: RuntimePort,
        catalog: ModelCatalogPort,
        control: ControlPort,
        endpoints: EndpointsPort,
        deployments: DeploymentsPort | None = None,
        backends: BackendsPort | None = None,
        pool: UpstreamPool | None = None,
        settings: ProxySettings | None = None,
    ) -> None:
        """sock: bound, see ggtui.proxy.bind; the server closes it. deployments, backends: may be None."""
        self._sock = sock
        self._settings = settings or ProxySettings()
        self.pool = pool or UpstreamPool()
        self._drain = Drain()
        host, port = sock.getsockname()[:2]
        self._host, self._port = str(host), int(port)
        app = self._app(runtime, catalog, control, endpoints, deployments, backends)
        self._server = _Server(_config(app, self._settings))
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """What a client uses as base URL, ending in /v1."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(self._host, self._host)
        return f"http://{host}:{self._port}/v1"

    @property
    def n_open(self) -> int:
        """Requests that run."""
        return self._drain.n_open

    async def start(self) -> None:
        """Serve; returns when the door is open."""
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._server.serve(sockets=[self._sock]))
        ready = loop.create_task(self._server.ready.wait())
        await asyncio.wait({self._task, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._task.done():
            await self._task

    async def stop(self) -> None:
        """Close the door within about three seconds: running streams end with an error event."""
        self._drain.begin()
        if self._task is not None and not self._task.done():
            self._server.close_listeners()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._drain.quiet(), self._settings.drain_grace_s)
            self._drain.cut()
            self._server.end()
            await asyncio.gather(self._task, return_exceptions=True)
        self._sock.close()
        await self.pool.close()

    def _app(
        self,
        runtime: RuntimePort,
        catalog: ModelCatalogPort,
        control: ControlPort,
        endpoints: EndpointsPort,
        deployments: DeploymentsPort | None,
        backends: BackendsPort | None,
    ) -> App:
        settings = self._settings
        access = Access(self._host, self._port, keys=settings.client_keys, hosts=settings.hosts)
        leased = Leased(runtime, catalog, self.pool, settings)
        course, facts = None, None
        if deployments is not None:
            elsewhere = Elsewhere(self.pool, catalog)
            places = None if backends is None else BackendPlaces(backends, elsewhere, settings)
            course = Course(endpoints, leased, elsewhere, places)
            facts = FactFinder(deployments, settings)
        forwarder = Forwarder(leased, self._drain, course)
        need = ContextNeed(endpoints, catalog, TokenCount(self.pool, settings))
        naming = Naming(endpoints, runtime, need)
        streams = EventStreams(self._drain)
        questions = Questions(runtime, catalog, endpoints, control, forwarder)
        return App(
            access=access,
            asking=Asking(naming, forwarder, settings.max_body_bytes, facts),
            models=ModelsApi(catalog, runtime, endpoints, deployments),
            questions=questions,
            watch=WatchApi(control, streams),
            control=ControlApi(control, self._drain, settings.max_body_bytes),
            names=NamesApi(control, settings.max_body_bytes),
            history=HistoryApi(control),
            deployments=DeploymentsApi(control, settings.max_body_bytes),
            backends=BackendsApi(control, settings.max_body_bytes),
            queue=QueueApi(control, streams, settings.max_body_bytes),
            metrics=MetricsApi(control, questions, EngineMetrics(questions, endpoints, self.pool)),
            drain=self._drain,
        )


class _Server(uvicorn.Server):
    """uvicorn's server without signals and without its tenth-of-a-second clock."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._is_ended = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the main thread's business."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        while not self._is_ended.is_set():
            await self.on_tick(0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_ended.wait(), 1.0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Every request ends: by itself within the grace, then by cancellation; then every connection."""
        self.close_listeners()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._end_tasks()
        for _ in range(_FLUSH_STEPS):
            if not self.server_state.connections:
                return
            await asyncio.sleep(_FLUSH_STEP_S)
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def _end_tasks(self) -> None:
        tasks = set(self.server_state.tasks)
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=self.config.timeout_graceful_shutdown)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=1.0)

    def close_listeners(self) -> None:
        """Accept nobody any more."""
        for server in self.servers:
            server.close()

    def end(self) -> None:
        """Leave the main loop: what still runs gets uvicorn's own short grace."""
        self.should_exit = True
        self._is_ended.set()


def _config(app: App, settings: ProxySettings) -> uvicorn.Config:
    limits = settings.limits
    capped = replace(limits, max_connections=connection_cap(limits.max_connections))
    return uvicorn.Config(
        app,
        http=cast("type[asyncio.Protocol]", partial(GuardedHttpProtocol, limits=capped)),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=limits.keep_alive_s,
        timeout_graceful_shutdown=1,
        backlog=2048,
    )
