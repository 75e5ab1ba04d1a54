"""A configuration that is read again while it is applied."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.adapters.memory.catalog import MemoryCatalog
from ggtui.adapters.memory.deployments import MemoryCounters, MemorySecrets, MemorySpend
from ggtui.adapters.memory.downloads import MemoryDownloads
from ggtui.adapters.memory.gpu import MemoryProbe
from ggtui.adapters.memory.launcher import MemoryLauncher
from ggtui.bootstrap.reconciliation import Neighbours, reconciliation_of
from ggtui.bootstrap.reloader import Reloader
from ggtui.config.schema import Config
from ggtui.core.models import LaunchOptions
from ggtui.services.catalog import CatalogService
from ggtui.services.deployments.book import Deployments
from ggtui.services.endpoints import Endpoints
from ggtui.services.engine_lookup import EngineLookup
from ggtui.services.foresight import Foresight
from ggtui.services.gpu_watch import GpuWatch
from ggtui.services.launches import LaunchLedger
from ggtui.services.logs import LogBook
from ggtui.services.runtime import ModelRuntime, RuntimeSettings
from ggtui.services.settings_effects import SettingsEffects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.stores import StoreRoot

NOWHERE = Path("/nowhere")


class SlowCatalog(MemoryCatalog):
    """Takes its time over other folders."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked = asyncio.Event()
        self.may_go_on = asyncio.Event()

    async def reconfigure(
        self, folders: Sequence[Path], options: LaunchOptions, stores: Sequence[StoreRoot] = ()
    ) -> None:
        self.is_asked.set()
        await self.may_go_on.wait()
        await super().reconfigure(folders, options, stores)


def test_what_was_read_last_counts_though_an_earlier_reload_takes_longer() -> None:
    first = Config(NOWHERE, NOWHERE, NOWHERE, NOWHERE, max_queue=1)
    read = iter(
        [replace(first, max_queue=2, options=LaunchOptions(n_parallel=2)), replace(first, max_queue=3)]
    )

    async def scenario() -> None:
        store, launcher, ledger = SlowCatalog(), MemoryLauncher(), LaunchLedger(LogBook())
        catalog = CatalogService(store)
        runtime = ModelRuntime(catalog, launcher, ledger, RuntimeSettings())
        foresight = Foresight(
            catalog=catalog,
            ledger=ledger,
            gpu=GpuWatch(MemoryProbe(), frozenset),
            lookup=EngineLookup(launcher),
        )
        effects = SettingsEffects(catalog, runtime)
        deployments = Deployments(spend=MemorySpend(), counters=MemoryCounters(), secrets=MemorySecrets())
        reload = Reloader(
            first,
            lambda: next(read),
            catalog,
            runtime,
            effects,
            foresight,
            Endpoints(catalog),
            deployments,
            reconciliation_of(first, MemorySecrets(), Neighbours(queue=MemoryDownloads())),
        )
        async with asyncio.timeout(20):
            earlier = asyncio.create_task(reload())
            await store.is_asked.wait()
            later = asyncio.create_task(reload())
            for _ in range(10):
                await asyncio.sleep(0)
            store.may_go_on.set()
            reports = await asyncio.gather(earlier, later)
            await runtime.close()
            await catalog.stop()

        assert [("max_queue", "[launch]"), ("max_queue", "[launch]")] == [each.changed for each in reports]
        assert 3 == runtime.scheduler.rules.max_queue

    asyncio.run(scenario())
