"""The services on in-memory adapters, wired as in production."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ggtui.adapters.memory.catalog import MemoryCatalog
from ggtui.adapters.memory.gpu import MemoryProbe
from ggtui.adapters.memory.history import MemoryHistory
from ggtui.adapters.memory.launcher import MemoryLauncher
from ggtui.adapters.memory.model_settings import MemoryModelSettings
from ggtui.adapters.memory.names import MemoryNames
from ggtui.core.models import ModelSummary
from ggtui.services.catalog import CatalogService
from ggtui.services.control import Control
from ggtui.services.endpoints import Endpoints
from ggtui.services.engine_lookup import EngineLookup
from ggtui.services.gpu_watch import GpuWatch
from ggtui.services.history import History
from ggtui.services.launches import LaunchLedger
from ggtui.services.logs import LogBook
from ggtui.services.model_settings import SettingsBook
from ggtui.services.names import Names
from ggtui.services.publisher import Publisher
from ggtui.services.runtime import ModelRuntime, RuntimeSettings
from ggtui.services.servers import memory_at_once
from ggtui.services.settings_effects import SettingsEffects

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from ggtui.core.models import RunningTarget
    from ggtui.core.residency import Room
    from ggtui.core.snapshot import EngineSnapshot
    from ggtui.core.state import TargetState
    from ggtui.services.replicas import Replicas

ALPHA = ModelSummary(1, "alpha", "alpha", "llama", 1000, n_ctx_train=8192)
BETA = ModelSummary(2, "beta", "beta", "llama", 1000, n_ctx_train=8192)
GUARD_S = 20


@dataclass
class Desk:
    """Everything a service test reaches for."""

    catalog: MemoryCatalog
    launcher: MemoryLauncher
    ledger: LaunchLedger
    probe: MemoryProbe
    runtime: ModelRuntime
    control: Control
    publisher: Publisher
    kept: MemoryModelSettings
    """The settings of models as they are kept."""
    book: SettingsBook
    effects: SettingsEffects
    closed: list[RunningTarget]
    """Targets whose connections were to be closed, in order."""
    endpoints: Endpoints
    names: MemoryNames
    """Names as they are kept."""

    def snapshot(self) -> EngineSnapshot:
        return self.publisher.snapshot()

    def state_of(self, public_id: str) -> TargetState:
        return next(row.state for row in self.snapshot().models if row.summary.public_id == public_id)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Let the loop run until something is so; the scenario's guard ends a wait in vain."""
        while not is_so():  # noqa: ASYNC110 - any state may be waited for
            await asyncio.sleep(0)


@asynccontextmanager
async def desk(
    *,
    is_read_only: bool = False,
    settings: RuntimeSettings | None = None,
    room: Room | None = None,
    launcher: MemoryLauncher | None = None,
    closing: Callable[[RunningTarget], None] | None = None,
    memory_back: Callable[[], Awaitable[None]] = memory_at_once,
    foresee: Callable[[int, int], str] = lambda _model_id, _n_ctx: "",
    replicas: Replicas | None = None,
) -> AsyncIterator[Desk]:
    """The services with two models, closed at the end."""
    catalog = MemoryCatalog([ALPHA, BETA])
    launcher, probe, logs = launcher or MemoryLauncher(), MemoryProbe(), LogBook()
    closed: list[RunningTarget] = []
    ledger = LaunchLedger(logs)
    kept = MemoryModelSettings()
    book, settings = SettingsBook(port=kept), settings or RuntimeSettings()
    models = CatalogService(catalog, book)
    runtime = ModelRuntime(
        models,
        launcher,
        ledger,
        replace(settings, rules=replace(settings.rules, keep_alive_of=models.keep_alive_of)),
        room=room,
        closing=closing or closed.append,
        memory_back=memory_back,
        foresee=foresee,
        replicas=replicas,
    )
    publisher = Publisher(
        catalog=models,
        ledger=ledger,
        scheduler=runtime.scheduler,
        gpu=GpuWatch(probe, lambda: ledger.pids),
        lookup=EngineLookup(launcher),
        endpoints=(endpoints := Endpoints(models)),
        history=History(MemoryHistory(), ledger),
        default_n_ctx=4096,
        is_read_only=is_read_only,
    )
    effects = SettingsEffects(models, runtime)
    control = Control(
        catalog=models,
        runtime=runtime,
        launcher=launcher,
        logs=logs,
        publisher=publisher,
        settings=effects,
        names=Names(models, endpoints, names := MemoryNames(), effects, is_read_only=is_read_only),
        is_read_only=is_read_only,
    )
    async with asyncio.timeout(GUARD_S):
        await models.start()
        await models.rescan()
        try:
            yield Desk(
                catalog,
                launcher,
                ledger,
                probe,
                runtime,
                control,
                publisher,
                kept,
                book,
                effects,
                closed,
                endpoints,
                names,
            )
        finally:
            await runtime.close()
            await models.stop()
