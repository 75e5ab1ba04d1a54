"""What is learned from loads, and what it may cost them: nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ggtui.adapters.memory.catalog import MemoryCatalog
from ggtui.adapters.memory.gpu import MemoryProbe
from ggtui.adapters.memory.launcher import MemoryLauncher
from ggtui.core.models import ModelSummary
from ggtui.core.ports.gpu import MemoryReading
from ggtui.services.catalog import CatalogService
from ggtui.services.engine_lookup import EngineLookup
from ggtui.services.foresight import Foresight
from ggtui.services.gpu_watch import GpuWatch
from ggtui.services.launches import LaunchLedger
from ggtui.services.load_learning import LoadLearning
from ggtui.services.logs import LogBook
from ggtui.services.runtime import ModelRuntime, RuntimeSettings

if TYPE_CHECKING:
    import pytest


def test_a_comparison_that_fails_is_told_and_the_model_serves(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    is_asked = asyncio.Event()

    def fail(*_: object) -> None:
        is_asked.set()
        raise ZeroDivisionError

    monkeypatch.setattr(LoadLearning, "_compare", fail)

    async def scenario() -> None:
        catalog = CatalogService(MemoryCatalog([ModelSummary(1, "alpha", "alpha", "llama", 1000)]))
        launcher, ledger = MemoryLauncher(), LaunchLedger(LogBook())
        gpu, lookup = GpuWatch(MemoryProbe(MemoryReading()), frozenset), EngineLookup(launcher)
        foresight = Foresight(catalog=catalog, ledger=ledger, gpu=gpu, lookup=lookup)
        learning = LoadLearning(
            catalog=catalog,
            ledger=ledger,
            lookup=lookup,
            foresight=foresight,
            reading=lambda: gpu.reading,
            settles_s=0,
        )
        runtime = ModelRuntime(catalog, launcher, ledger, RuntimeSettings())
        async with asyncio.timeout(20):
            await catalog.start()
            assert "alpha" == (await runtime.ensure_model_running("alpha", None, 4096)).model_name
            await is_asked.wait()
            await learning.stop()
            await runtime.close()
            await catalog.stop()

    asyncio.run(scenario())

    assert "nothing is learned from the load of alpha" in [record.getMessage() for record in caplog.records]
