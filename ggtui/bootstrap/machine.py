"""What runs models on this machine: files, devices, engine, servers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.adapters.gguf.catalog import GgufCatalog
from ggtui.adapters.gpu.engine_list import EngineCommand
from ggtui.adapters.gpu.probe import SystemProbe
from ggtui.adapters.llama_server.discovery import question
from ggtui.adapters.llama_server.launcher import LlamaServerLauncher
from ggtui.bootstrap.settings import room_of, runtime_settings, settings_port
from ggtui.services.catalog import CatalogService
from ggtui.services.engine_lookup import EngineLookup
from ggtui.services.foresight import Foresight
from ggtui.services.gpu_watch import GpuWatch
from ggtui.services.launches import LaunchLedger
from ggtui.services.logs import LogBook
from ggtui.services.model_settings import SettingsBook
from ggtui.services.replicas import Replicas
from ggtui.services.roster import MachineRoster
from ggtui.services.runtime import ModelRuntime

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.config.schema import Config
    from ggtui.core.models import RunningTarget
    from ggtui.core.ports.catalog import ModelStorePort
    from ggtui.core.ports.gpu import GpuProbePort
    from ggtui.core.ports.launcher import LauncherPort
    from ggtui.core.ports.model_settings import ModelSettingsPort


@dataclass(frozen=True, slots=True)
class Outside:
    """Adapters in place of the real ones, for tests and pictures; None for the real one."""

    catalog: ModelStorePort | None = None
    launcher: LauncherPort | None = None
    probe: GpuProbePort | None = None
    settings: ModelSettingsPort | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """The services that know models, memory and servers of this machine, plugged together."""

    launcher: LauncherPort
    logs: LogBook
    ledger: LaunchLedger
    models: CatalogService
    lookup: EngineLookup
    gpu: GpuWatch
    foresight: Foresight
    runtime: ModelRuntime


def machine_of(config: Config, outside: Outside, closing: Callable[[RunningTarget], None]) -> Machine:
    """All of it, not started. closing: called with every server that is about to be stopped."""
    launcher = outside.launcher or LlamaServerLauncher(
        config.llama_server, os.environ, config.runtime_dir, config.log_dir
    )
    logs = LogBook()
    ledger = LaunchLedger(logs)
    models = _catalog(config, outside)
    lookup = EngineLookup(launcher)
    gpu = GpuWatch(outside.probe or _probe(config, lookup), lambda: ledger.pids)
    foresight = Foresight(
        catalog=models, ledger=ledger, gpu=gpu, lookup=lookup, most_bytes=config.memory_budget_bytes
    )
    runtime = ModelRuntime(
        models,
        launcher,
        ledger,
        runtime_settings(config, models),
        room=room_of(config, foresight),
        closing=closing,
        memory_back=gpu.memory_back,
        foresee=foresight.line,
        forbids=foresight.impossible,
        replicas=Replicas(models.replicas_of, roster := MachineRoster(gpu, lookup), roster.known),
    )
    models.is_resident = runtime.scheduler.has_server
    foresight.strategy, foresight.scheduler = config.strategy, runtime.scheduler
    return Machine(launcher, logs, ledger, models, lookup, gpu, foresight, runtime)


def _catalog(config: Config, outside: Outside) -> CatalogService:
    store = outside.catalog or GgufCatalog(config.database, config.models_dirs, config.options, config.stores)
    port = outside.settings or settings_port(config)
    return CatalogService(store, SettingsBook(config.model_settings, config.common_settings, port))


def _probe(config: Config, lookup: EngineLookup) -> SystemProbe:
    """A probe whose last resort is the engine's own list of devices, which the lookup asks for anyway."""
    command, env = question(config.llama_server, os.environ)
    known = EngineCommand(command, env, lambda: None if lookup.info is None else lookup.info.devices)
    return SystemProbe(engine=known)
