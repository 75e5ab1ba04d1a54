"""The whole engine: all services on their adapters, behind one control and one door."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggtui.adapters.history.store import SqliteHistory
from ggtui.adapters.memory.names import MemoryNames
from ggtui.adapters.secrets.sources import SecretSources
from ggtui.adapters.settings_file.folders import ConfigFolders
from ggtui.adapters.settings_file.names import ConfigNames
from ggtui.bootstrap.deployed import deployments_of
from ggtui.bootstrap.door import Door, RuntimePart
from ggtui.bootstrap.hub_models import HubModels
from ggtui.bootstrap.machine import Machine, Outside, machine_of
from ggtui.bootstrap.reloader import Reloader
from ggtui.bootstrap.settings import config_file_of
from ggtui.config.checks import config_checks
from ggtui.services.context_advice import ContextAdvice
from ggtui.services.control import Control
from ggtui.services.deployments.control import DeploymentsControl
from ggtui.services.doctor import Doctor
from ggtui.services.endpoints import Endpoints
from ggtui.services.engine import Engine
from ggtui.services.history import History
from ggtui.services.hub_look import HubLook
from ggtui.services.load_learning import LoadLearning
from ggtui.services.names import Names
from ggtui.services.publisher import Publisher
from ggtui.services.settings_effects import SettingsEffects
from ggtui.services.warm_up import WarmUp

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from ggtui.config.schema import Config
    from ggtui.core.ports.catalog import ModelStorePort
    from ggtui.core.ports.gpu import GpuProbePort
    from ggtui.core.ports.launcher import LauncherPort
    from ggtui.core.ports.model_settings import ModelSettingsPort
    from ggtui.services.deployments.book import Deployments
    from ggtui.services.engine import Part


@dataclass(frozen=True, slots=True)
class Services:
    """What the machine serves by: names, rules, and who tells of it."""

    endpoints: Endpoints
    deployments: Deployments
    history: History
    publisher: Publisher


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
    door = Door(config, sock)
    machine = machine_of(config, Outside(catalog, launcher, probe, settings), door.close_target)
    services = _services(config, machine)
    control = _control(config, machine, services, reread)
    door.runtime, door.catalog, door.control = machine.runtime, machine.models, control
    door.publisher, door.endpoints = services.publisher, services.endpoints
    door.deployments = services.deployments
    return Engine(control, _parts(config, machine, services, door))


def _services(config: Config, machine: Machine) -> Services:
    secrets = SecretSources(folder=config_file_of(config).parent)
    endpoints = Endpoints(machine.models, config.names, config.n_ctx, config.deployments)
    deployments = deployments_of(config, machine, endpoints, secrets)
    history = History(
        SqliteHistory(config.history_file),
        machine.ledger,
        weights=endpoints.weights,
        n_requests=machine.runtime.scheduler.n_requests,
    )
    endpoints.weighed = history.weights_changed
    publisher = Publisher(
        catalog=machine.models,
        ledger=machine.ledger,
        scheduler=machine.runtime.scheduler,
        gpu=machine.gpu,
        lookup=machine.lookup,
        endpoints=endpoints,
        history=history,
        deployments=deployments,
        default_n_ctx=config.n_ctx,
        strategy=config.strategy,
        is_read_only=config.read_only,
        most_bytes=lambda: machine.foresight.most_bytes,
    )
    return Services(endpoints, deployments, history, publisher)


def _control(
    config: Config, machine: Machine, services: Services, reread: Callable[[], Config] | None
) -> Control:
    models, runtime, endpoints = machine.models, machine.runtime, services.endpoints
    effects = SettingsEffects(models, runtime)
    effects.weighed = services.history.weights_changed
    file = config_file_of(config)
    reload = None
    if reread is not None:
        reload = Reloader(
            config, reread, models, runtime, effects, machine.foresight, endpoints, services.deployments
        )
    return Control(
        catalog=models,
        runtime=runtime,
        launcher=machine.launcher,
        logs=machine.logs,
        publisher=services.publisher,
        settings=effects,
        names=Names(
            models,
            endpoints,
            ConfigNames(file) if reread else MemoryNames(config.names),
            effects,
            is_read_only=config.read_only,
        ),
        deployments=DeploymentsControl(services.deployments, is_read_only=config.read_only),
        reload=reload,
        folders=ConfigFolders(file) if reread else None,
        doctor=Doctor(
            catalog=models, gpu=machine.gpu, lookup=machine.lookup, settings=lambda: config_checks(config)
        ),
        hub_look=HubLook(HubModels(os.environ)),
        is_read_only=config.read_only,
    )


def _parts(config: Config, machine: Machine, services: Services, door: Door) -> list[Part]:
    """In the order in which they are started; those that watch are stopped last, and hear of every end."""
    models, runtime, lookup = machine.models, machine.runtime, machine.lookup
    learning = LoadLearning(
        catalog=models,
        ledger=machine.ledger,
        lookup=lookup,
        foresight=machine.foresight,
        reading=lambda: machine.gpu.reading,
    )
    advice = ContextAdvice(models, machine.foresight.pool)
    warm_up = WarmUp(
        models,
        runtime,
        preload=config.preload,
        restores_last=config.restore_last,
        default_ctx=config.n_ctx,
    )
    watchers = (machine.gpu, models, lookup, learning, advice, services.history, services.deployments)
    return [*watchers, RuntimePart(runtime), door, warm_up]
