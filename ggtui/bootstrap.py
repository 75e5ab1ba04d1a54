"""Who plugs what together: the one module that knows every adapter."""

from __future__ import annotations

import os
from dataclasses import fields
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.catalog import GgufCatalog
from ggtui.adapters.gpu.probe import SystemProbe
from ggtui.adapters.llama_server.launcher import LlamaServerLauncher
from ggtui.core.reload import ReloadReport
from ggtui.core.residency import MemoryRoom, SingleRoom
from ggtui.core.schedule import Rules
from ggtui.services.catalog import CatalogService
from ggtui.services.control import Control
from ggtui.services.engine import Engine
from ggtui.services.engine_lookup import EngineLookup
from ggtui.services.foresight import Foresight
from ggtui.services.gpu_watch import GpuWatch
from ggtui.services.launches import LaunchLedger
from ggtui.services.logs import LogBook
from ggtui.services.publisher import Publisher
from ggtui.services.runtime import ModelRuntime, RuntimeSettings
from ggtui.services.servers import ServerTimes
from ggtui.services.warm_up import WarmUp

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from ggtui.config.schema import Config
    from ggtui.core.models import RunningTarget
    from ggtui.core.ports.catalog import ModelStorePort
    from ggtui.core.ports.gpu import GpuProbePort
    from ggtui.core.ports.launcher import LauncherPort
    from ggtui.core.residency import Room
    from ggtui.proxy.server import ProxyServer


def build(
    config: Config,
    sock: socket.socket | None,
    *,
    catalog: ModelStorePort | None = None,
    launcher: LauncherPort | None = None,
    probe: GpuProbePort | None = None,
    reread: Callable[[], Config] | None = None,
) -> Engine:
    """An engine that is ready to start. Without a socket it has no proxy.

    catalog, launcher, probe: other adapters in place of the real ones, for tests and pictures.
    reread: reads the configuration again for a reload; None where there is none to read.
    """
    launcher = launcher or LlamaServerLauncher(
        config.llama_server, os.environ, config.runtime_dir, config.log_dir
    )
    store = catalog or GgufCatalog(config.database, config.models_dirs, config.options, config.stores)
    door = Door(config, sock)
    logs = LogBook()
    ledger = LaunchLedger(logs)
    models = CatalogService(store)
    gpu = GpuWatch(probe or SystemProbe(), lambda: ledger.pids)
    lookup = EngineLookup(launcher)
    foresight = Foresight(
        catalog=models,
        ledger=ledger,
        gpu=gpu,
        lookup=lookup,
        options=config.options,
        most_bytes=config.memory_budget_bytes,
    )
    runtime = ModelRuntime(
        models,
        launcher,
        ledger,
        _settings(config),
        room=_room(config, foresight),
        closing=door.close_target,
        memory_back=gpu.memory_back,
        foresee=foresight.line,
        forbids=foresight.impossible,
    )
    publisher = Publisher(
        catalog=models,
        ledger=ledger,
        scheduler=runtime.scheduler,
        gpu=gpu,
        lookup=lookup,
        options=config.options,
        default_n_ctx=config.n_ctx,
        strategy=config.strategy,
        is_read_only=config.read_only,
    )
    reloader = Reloader(config, reread, models, runtime, publisher, foresight) if reread else None
    control = Control(
        catalog=models,
        runtime=runtime,
        launcher=launcher,
        logs=logs,
        publisher=publisher,
        reload=reloader,
        is_read_only=config.read_only,
    )
    warm_up = WarmUp(
        models,
        runtime,
        pinned=config.pinned,
        preload=config.preload,
        restores_last=config.restore_last,
        default_ctx=config.n_ctx,
    )
    door.runtime, door.catalog, door.control, door.publisher = runtime, models, control, publisher
    return Engine(control, [gpu, models, lookup, RuntimePart(runtime), door, warm_up])


def _settings(config: Config) -> RuntimeSettings:
    return RuntimeSettings(
        default_ctx=config.n_ctx,
        rules=Rules(
            turn_quantum_s=config.turn_quantum_s,
            admission_timeout_s=config.admission_timeout_s,
            max_queue=config.max_queue,
            keep_alive_s=config.keep_alive_s,
        ),
        times=ServerTimes(
            stall_timeout_s=config.stall_timeout_s,
            stop_grace_s=config.stop_grace_s,
            stuck_timeout_s=config.stuck_timeout_s,
        ),
    )


def _room(config: Config, foresight: Foresight) -> Room:
    if config.strategy == "memory":
        return MemoryRoom(foresight.need_bytes, foresight.budget_bytes)
    return SingleRoom()


LIVE = {
    "models_dirs": "models_dirs",
    "stores": "stores",
    "options": "[launch]",
    "admission_timeout_s": "admission_timeout_s",
    "turn_quantum_s": "turn_quantum_s",
    "max_queue": "max_queue",
    "memory_budget_mb": "memory_budget_mb",
    "keep_alive_s": "keep_alive_s",
    "stop_grace_s": "stop_grace_s",
    "stall_timeout_s": "stall_timeout_s",
    "stuck_timeout_s": "stuck_timeout_s",
}
"""Fields of Config that a reload applies at once, and what a person calls them."""

SETTLED = frozenset({"data_dir", "cache_dir", "log_dir", "runtime_dir", "config_file"})
"""Fields that say where ggtui lives; a running one has settled that."""


class Reloader:
    """Applies a configuration that was read again, and says what of it counts now."""

    def __init__(
        self,
        config: Config,
        reread: Callable[[], Config],
        catalog: CatalogService,
        runtime: ModelRuntime,
        publisher: Publisher,
        foresight: Foresight,
    ) -> None:
        self._started_with = config
        self._config = config
        self._reread = reread
        self._catalog = catalog
        self._runtime = runtime
        self._publisher = publisher
        self._foresight = foresight

    async def __call__(self) -> ReloadReport:
        """Read and apply. Raises: ConfigInvalid; then nothing was changed."""
        before, after = self._config, self._reread()
        restarts = after.options != before.options
        if restarts or (after.models_dirs, after.stores) != (before.models_dirs, before.stores):
            await self._catalog.reconfigure(after.models_dirs, after.options, after.stores)
        self._publisher.options = self._foresight.options = after.options
        self._foresight.most_bytes = after.memory_budget_bytes
        await self._runtime.reconfigure(_settings(after), restarts=restarts)
        self._config = after
        return ReloadReport(
            changed=tuple(LIVE[name] for name in _differing(before, after) if name in LIVE),
            at_next_start=tuple(name for name in _differing(self._started_with, after) if name not in LIVE),
        )


def _differing(one: Config, other: Config) -> list[str]:
    names = [each.name for each in fields(other) if each.name not in SETTLED]
    return [name for name in names if getattr(one, name) != getattr(other, name)]


class Door:
    """The proxy as a part. Its modules are imported on the engine thread, after the first paint."""

    runtime: ModelRuntime
    catalog: CatalogService
    control: Control
    publisher: Publisher

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
            settings=ProxySettings(
                default_ctx=config.n_ctx,
                api_key=config.api_key,
                hosts=config.hosts,
                max_body_bytes=config.max_body_mb * 1024 * 1024,
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
