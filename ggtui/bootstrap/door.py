"""What the engine starts last and stops first: its door, and the servers behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

    from ggtui.config.schema import Config
    from ggtui.core.models import RunningTarget
    from ggtui.proxy.server import ProxyServer
    from ggtui.services.backends.book import Backends
    from ggtui.services.catalog import CatalogService
    from ggtui.services.control import Control
    from ggtui.services.deployments.book import Deployments
    from ggtui.services.endpoints import Endpoints
    from ggtui.services.publisher import Publisher
    from ggtui.services.runtime import ModelRuntime


class Door:
    """The proxy as a part. Its modules are imported on the engine thread, after the first paint."""

    runtime: ModelRuntime
    catalog: CatalogService
    control: Control
    publisher: Publisher
    endpoints: Endpoints
    deployments: Deployments
    backends: Backends

    def __init__(self, config: Config, sock: socket.socket | None) -> None:
        self._config = config
        self._sock = sock
        self._server: ProxyServer | None = None

    async def start(self) -> None:
        """Open the door on the socket that was bound before."""
        if self._sock is None:
            return
        from ggtui.proxy.server import ProxyServer, ProxySettings

        config = self._config
        self._server = ProxyServer(
            self._sock,
            runtime=self.runtime,
            catalog=self.catalog,
            control=self.control,
            endpoints=self.endpoints,
            deployments=self.deployments,
            backends=self.backends,
            settings=ProxySettings(
                default_ctx=config.n_ctx,
                client_keys=config.client_keys,
                hosts=config.hosts,
                max_body_bytes=config.max_body_bytes,
                count_timeout_ms=config.count_timeout_ms,
                estimate_ms=config.estimate_ms,
            ),
        )
        await self._server.start()
        self.publisher.url = self._server.url
        self.publisher.changed()

    async def stop(self) -> None:
        """Drain and close."""
        if self._server is not None:
            await self._server.stop()

    def close_target(self, target: RunningTarget) -> None:
        """Close every connection to a server that is about to be stopped."""
        if self._server is not None:
            self._server.pool.close_target(target)


class RuntimePart:
    """The runtime as a part: nothing to start, everything to stop."""

    def __init__(self, runtime: ModelRuntime) -> None:
        self._runtime = runtime

    async def start(self) -> None:
        """Servers start when they are wanted."""

    async def stop(self) -> None:
        """Stop every server; returns when all are dead."""
        await self._runtime.close()
