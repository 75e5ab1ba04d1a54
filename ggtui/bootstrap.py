"""Who plugs what together: the one module that knows every adapter."""

from __future__ import annotations

import asyncio
import os
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.catalog import GgufCatalog
from ggtui.adapters.gpu.engine_list import EngineCommand
from ggtui.adapters.gpu.probe import SystemProbe
from ggtui.adapters.history.store import SqliteHistory
from ggtui.adapters.llama_server.discovery import question
from ggtui.adapters.llama_server.launcher import LlamaServerLauncher
from ggtui.adapters.memory.model_settings import MemoryModelSettings
from ggtui.adapters.memory.names import MemoryNames
from ggtui.adapters.secrets.sources import SecretSources
from ggtui.adapters.settings_file.file import ModelSettingsFile
from ggtui.adapters.settings_file.folders import ConfigFolders
from ggtui.adapters.settings_file.names import ConfigNames
from ggtui.adapters.spending.counters import SqliteCounters
from ggtui.adapters.spending.shared_place import shared_file
from ggtui.adapters.spending.spend import SqliteSpend
from ggtui.config.checks import config_checks
from ggtui.config.paths import default_config_file
from ggtui.core.decisions import Phase
from ggtui.core.reload import ReloadReport
from ggtui.core.residency import MemoryRoom, SingleRoom
from ggtui.core.schedule import Rules
from ggtui.services.catalog import CatalogService
from ggtui.services.context_advice import ContextAdvice
from ggtui.services.control import Control
from ggtui.services.deployments.book import Deployments
from ggtui.services.deployments.control import DeploymentsControl
from ggtui.services.doctor import Doctor
from ggtui.services.endpoints import Endpoints
from ggtui.services.engine import Engine
from ggtui.services.engine_lookup import EngineLookup
from ggtui.services.foresight import Foresight
from ggtui.services.gpu_watch import GpuWatch
from ggtui.services.history import History
from ggtui.services.launches import LaunchLedger
from ggtui.services.load_learning import LoadLearning
from ggtui.services.logs import LogBook
from ggtui.services.model_settings import SettingsBook
from ggtui.services.names import Names
from ggtui.services.publisher import Publisher
from ggtui.services.replicas import Replicas
from ggtui.services.roster import MachineRoster
from ggtui.services.runtime import ModelRuntime, RuntimeSettings
from ggtui.services.servers import ServerTimes
from ggtui.services.settings_effects import SettingsEffects
from ggtui.services.warm_up import WarmUp

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from ggtui.config.schema import Config
    from ggtui.core.deployment.replicas import Replica
    from ggtui.core.models import RunningTarget
    from ggtui.core.ports.catalog import ModelStorePort
    from ggtui.core.ports.gpu import GpuProbePort
    from ggtui.core.ports.launcher import LauncherPort
    from ggtui.core.ports.model_settings import ModelSettingsPort
    from ggtui.core.ports.models_folders import ModelsFoldersPort
    from ggtui.core.residency import Room
    from ggtui.proxy.server import ProxyServer


def build(
    config: Config,
    sock: socket.socket | None,
    *,
    catalog: ModelStorePort | None = None,
    launcher: LauncherPort | None = None,
    probe: GpuProbePort | None = None,
    settings: ModelSettingsPort | None = None,
    reread: Callable[[], Config] | None = None,
) -> Engine:
    """An engine that is ready to start. Without a socket it has no proxy.

    catalog, launcher, probe, settings: other adapters in place of the real ones, for tests and pictures.
    reread: reads the configuration again for a reload; None where there is none to read.
    """
    launcher = launcher or LlamaServerLauncher(
        config.llama_server, os.environ, config.runtime_dir, config.log_dir
    )
    store = catalog or GgufCatalog(config.database, config.models_dirs, config.options, config.stores)
    door = Door(config, sock)
    logs = LogBook()
    ledger = LaunchLedger(logs)
    port = settings or _settings_port(config)
    models = CatalogService(store, SettingsBook(config.model_settings, config.common_settings, port))
    lookup = EngineLookup(launcher)
    gpu = GpuWatch(probe or _probe(config, lookup), lambda: ledger.pids)
    foresight = Foresight(
        catalog=models,
        ledger=ledger,
        gpu=gpu,
        lookup=lookup,
        most_bytes=config.memory_budget_bytes,
    )
    runtime = ModelRuntime(
        models,
        launcher,
        ledger,
        _settings(config, models),
        room=_room(config, foresight),
        closing=door.close_target,
        memory_back=gpu.memory_back,
        foresee=foresight.line,
        forbids=foresight.impossible,
        replicas=Replicas(models.replicas_of, roster := MachineRoster(gpu, lookup), roster.known),
    )
    models.is_resident = lambda model_id: any(
        resident.model_id == model_id for resident in runtime.scheduler.residents
    )
    endpoints = Endpoints(models, config.names, config.n_ctx, config.deployments)
    deployments = _deployments(config, models, runtime, endpoints)
    history = History(
        SqliteHistory(config.history_file),
        ledger,
        weights=endpoints.weights,
        n_requests=runtime.scheduler.n_requests,
    )
    endpoints.weighed = history.weights_changed
    publisher = Publisher(
        catalog=models,
        ledger=ledger,
        scheduler=runtime.scheduler,
        gpu=gpu,
        lookup=lookup,
        endpoints=endpoints,
        history=history,
        deployments=deployments,
        default_n_ctx=config.n_ctx,
        strategy=config.strategy,
        is_read_only=config.read_only,
        most_bytes=lambda: foresight.most_bytes,
    )
    foresight.strategy, foresight.scheduler = config.strategy, runtime.scheduler
    learning = LoadLearning(
        catalog=models, ledger=ledger, lookup=lookup, foresight=foresight, reading=lambda: gpu.reading
    )
    effects = SettingsEffects(models, runtime)
    effects.weighed = history.weights_changed
    advice = ContextAdvice(models, foresight.pool)
    reloader = (
        Reloader(config, reread, models, runtime, effects, foresight, endpoints, deployments)
        if reread
        else None
    )
    control = Control(
        catalog=models,
        runtime=runtime,
        launcher=launcher,
        logs=logs,
        publisher=publisher,
        settings=effects,
        names=Names(
            models,
            endpoints,
            ConfigNames(_config_file(config)) if reread else MemoryNames(config.names),
            effects,
            is_read_only=config.read_only,
        ),
        deployments=DeploymentsControl(deployments, is_read_only=config.read_only),
        reload=reloader,
        folders=_folders(config) if reread else None,
        doctor=Doctor(catalog=models, gpu=gpu, lookup=lookup, settings=lambda: config_checks(config)),
        is_read_only=config.read_only,
    )
    warm_up = WarmUp(
        models,
        runtime,
        preload=config.preload,
        restores_last=config.restore_last,
        default_ctx=config.n_ctx,
    )
    door.runtime, door.catalog, door.control, door.publisher = runtime, models, control, publisher
    door.endpoints, door.deployments = endpoints, deployments
    # Stopped last, they hear of every end.
    watchers = (gpu, models, lookup, learning, advice, history, deployments)
    return Engine(control, [*watchers, RuntimePart(runtime), door, warm_up])


def _deployments(
    config: Config, models: CatalogService, runtime: ModelRuntime, endpoints: Endpoints
) -> Deployments:
    def server_slots(model: str) -> int | None:
        known = models.by_name(models.deployed(model) or "")
        found = runtime.scheduler.servers_of(known.id) if known else []
        return sum(each.n_slots for each in found if each.phase is Phase.READY) or None

    def replicas(model: str) -> tuple[Replica, ...]:
        known = models.by_name(models.deployed(model) or "")
        return runtime.replicas_of(known.id) if known else ()

    return Deployments(
        config.deployments,
        spend=SqliteSpend(config.data_dir / "spending.sqlite3"),
        counters=SqliteCounters(shared_file()),
        secrets=SecretSources(folder=_config_file(config).parent),
        is_local=endpoints.is_local,
        server_slots=server_slots,
        replicas=replicas,
    )


def _probe(config: Config, lookup: EngineLookup) -> SystemProbe:
    """A probe whose last resort is the engine's own list of devices, which the lookup asks for anyway."""
    command, env = question(config.llama_server, os.environ)
    known = EngineCommand(command, env, lambda: None if lookup.info is None else lookup.info.devices)
    return SystemProbe(engine=known)


def _settings_port(config: Config) -> ModelSettingsPort:
    return ModelSettingsFile(config.models_file) if config.models_file is not None else MemoryModelSettings()


def _folders(config: Config) -> ModelsFoldersPort:
    return ConfigFolders(_config_file(config))


def _config_file(config: Config) -> Path:
    """The file that was read, or where one would be."""
    return config.config_file or default_config_file()


def _settings(config: Config, models: CatalogService) -> RuntimeSettings:
    return RuntimeSettings(
        default_ctx=config.n_ctx,
        rules=Rules(
            turn_quantum_s=config.turn_quantum_s,
            admission_timeout_s=config.admission_timeout_s,
            max_queue=config.max_queue,
            keep_alive_s=config.keep_alive_s,
            keep_alive_of=models.keep_alive_of,
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
    "names": "[names] and [aliases]",
    "deployments": "[[deployment]]",
    "admission_timeout_s": "admission_timeout_s",
    "turn_quantum_s": "turn_quantum_s",
    "max_queue": "max_queue",
    "memory_budget_mb": "memory_budget_mb",
    "keep_alive_s": "keep_alive_s",
    "pinned": "pinned",
    "stop_grace_s": "stop_grace_s",
    "stall_timeout_s": "stall_timeout_s",
    "stuck_timeout_s": "stuck_timeout_s",
}
"""Fields of Config that a reload applies at once, and what a person calls them."""

SETTLED = frozenset({"data_dir", "cache_dir", "log_dir", "runtime_dir", "config_file", "models_file"})
"""Fields that say where ggtui lives; a running one has settled that."""

BY_MODEL = "model_settings"
"""The field that a reload compares model by model, with what is in force."""


class Reloader:
    """Applies a configuration that was read again, and says what of it counts now."""

    def __init__(
        self,
        config: Config,
        reread: Callable[[], Config],
        catalog: CatalogService,
        runtime: ModelRuntime,
        effects: SettingsEffects,
        foresight: Foresight,
        endpoints: Endpoints,
        deployments: Deployments,
    ) -> None:
        self._started_with = config
        self._config = config
        self._reread = reread
        self._catalog = catalog
        self._runtime = runtime
        self._effects = effects
        self._foresight = foresight
        self._endpoints = endpoints
        self._deployments = deployments
        self._turn = asyncio.Lock()

    async def __call__(self) -> ReloadReport:
        """Read and apply, one at a time: what is read last counts. Raises: ConfigInvalid; nothing changed."""
        async with self._turn:
            return await self._apply()

    async def _apply(self) -> ReloadReport:
        before, after = self._config, self._reread()
        book = self._catalog.settings
        own_before = book.own
        # The default context is one of those that count from the next start.
        book.take(after.model_settings, replace(after.common_settings, n_ctx=self._started_with.n_ctx))
        if _launching(after) != _launching(before):
            await self._catalog.reconfigure(after.models_dirs, after.options, after.stores)
        self._foresight.most_bytes = after.memory_budget_bytes
        self._endpoints.take(after.names)
        await self._take_deployments(after)
        self._runtime.reconfigure(_settings(after, self._catalog))
        models = await self._effects.settle(own_before)
        self._config = after
        changed = (LIVE[name] for name in _differing(before, after) if name in LIVE)
        return ReloadReport(
            changed=(*changed, *(f'["{name}"]' for name in models)),
            at_next_start=tuple(name for name in _differing(self._started_with, after) if name not in LIVE),
        )

    async def _take_deployments(self, config: Config) -> None:
        """A model that is deployed no more ends after its requests."""
        before = self._deployed_models()
        await self._deployments.take(config.deployments)
        await self._endpoints.take_deployments(config.deployments)
        self._runtime.retire(before - self._deployed_models())

    def _deployed_models(self) -> set[int]:
        local = (each.rules.model for each in self._deployments.all if each.kind.is_local)
        models = (self._catalog.by_name(self._catalog.deployed(given) or "") for given in local)
        return {model.id for model in models if model is not None}


def _launching(config: Config) -> tuple[object, ...]:
    return config.options, config.models_dirs, config.stores


def _differing(one: Config, other: Config) -> list[str]:
    names = [each.name for each in fields(other) if each.name not in {*SETTLED, BY_MODEL}]
    return [name for name in names if getattr(one, name) != getattr(other, name)]


class Door:
    """The proxy as a part. Its modules are imported on the engine thread, after the first paint."""

    runtime: ModelRuntime
    catalog: CatalogService
    control: Control
    publisher: Publisher
    endpoints: Endpoints
    deployments: Deployments

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
            settings=ProxySettings(
                default_ctx=config.n_ctx,
                api_key=config.api_key,
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
