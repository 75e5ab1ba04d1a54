"""What the services are told of the configuration, as the plain values that they take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.adapters.memory.model_settings import MemoryModelSettings
from ggtui.adapters.settings_file.file import ModelSettingsFile
from ggtui.config.paths import default_config_file
from ggtui.core.residency import MemoryRoom, SingleRoom
from ggtui.core.schedule import Rules
from ggtui.services.runtime import RuntimeSettings
from ggtui.services.servers import ServerTimes

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.config.schema import Config
    from ggtui.core.ports.model_settings import ModelSettingsPort
    from ggtui.core.residency import Room
    from ggtui.services.catalog import CatalogService
    from ggtui.services.foresight import Foresight


def config_file_of(config: Config) -> Path:
    """The file that was read, or where one would be."""
    return config.config_file or default_config_file()


def settings_port(config: Config) -> ModelSettingsPort:
    """Where settings of single models are kept."""
    return ModelSettingsFile(config.models_file) if config.models_file is not None else MemoryModelSettings()


def runtime_settings(config: Config, models: CatalogService) -> RuntimeSettings:
    """How servers are started, shared and stopped."""
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


def room_of(config: Config, foresight: Foresight) -> Room:
    """How many models may be loaded at once."""
    if config.strategy == "memory":
        return MemoryRoom(foresight.need_bytes, foresight.budget_bytes, foresight.more_bytes)
    return SingleRoom()
