"""What a load would do to the memory, and what no machine should be asked to do."""

from __future__ import annotations

import asyncio

import pytest

from ggtui.adapters.memory.catalog import MemoryCatalog
from ggtui.adapters.memory.gpu import MemoryProbe
from ggtui.adapters.memory.launcher import MemoryLauncher
from ggtui.core.deployment.deployment import Deployment
from ggtui.core.errors import OutOfMemory
from ggtui.core.models import ModelSummary
from ggtui.core.ports.gpu import MemoryReading
from ggtui.core.units import GIB
from ggtui.services.catalog import CatalogService
from ggtui.services.engine_lookup import EngineLookup
from ggtui.services.foresight import Foresight
from ggtui.services.gpu_watch import GpuWatch
from ggtui.services.launches import LaunchLedger
from ggtui.services.logs import LogBook
from ggtui.services.runtime import ModelRuntime, RuntimeSettings
from tests.shapes import dense_shape

LARGE = ModelSummary(1, "large", "large", "llama", 4 * GIB, n_ctx_train=1 << 20, shape=dense_shape())
"""128 KiB of KV cache for each token: a gigabyte for 8192 of them."""


async def _foresight(launcher: MemoryLauncher) -> tuple[Foresight, CatalogService]:
    catalog = CatalogService(MemoryCatalog([LARGE]))
    await catalog.start()
    await catalog.rescan()
    probe = MemoryProbe(MemoryReading(ram_total_bytes=16 * GIB, ram_available_bytes=12 * GIB))
    gpu = GpuWatch(probe, frozenset)
    await gpu.sample()
    ledger, lookup = LaunchLedger(LogBook()), EngineLookup(launcher)
    return Foresight(catalog=catalog, ledger=ledger, gpu=gpu, lookup=lookup), catalog


def test_the_line_names_model_context_and_verdict() -> None:
    async def scenario() -> None:
        foresight, _ = await _foresight(MemoryLauncher())

        assert foresight.line(1, 8192).startswith("load large  ctx 8k → RAM 9.")
        assert foresight.line(1, 8192).endswith("fits")
        assert "" == foresight.line(2, 8192)
        assert foresight.need_bytes(1, 8192) > 5 * GIB
        assert 12 * GIB > foresight.budget_bytes() > 9 * GIB

    asyncio.run(scenario())


def test_each_server_of_a_deployment_counts() -> None:
    async def scenario() -> None:
        foresight, catalog = await _foresight(MemoryLauncher())
        one, need = foresight.line(1, 8192), foresight.need_bytes(1, 8192)
        alone = foresight.forecast_of_server(LARGE, 8192)
        catalog.deployments = (Deployment("d", "large", replicas=2),)
        await catalog.reread()

        assert (
            one.replace("ctx", "2 servers  ctx").partition("→")[0]
            == foresight.line(1, 8192).partition("→")[0]
        )
        both = foresight.forecast(LARGE, 8192)
        assert alone is not None
        assert both is not None
        assert 2 * alone.kv_bytes == both.kv_bytes
        assert alone == foresight.forecast_of_server(LARGE, 8192, 1)
        assert (need, need - 4 * GIB) == (foresight.need_bytes(1, 8192), foresight.more_bytes(1, 8192))
        assert 0 == foresight.more_bytes(2, 8192)

    asyncio.run(scenario())


def test_what_the_machine_can_never_hold_is_refused_before_anything_is_stopped() -> None:
    async def scenario() -> None:
        launcher = MemoryLauncher()
        foresight, catalog = await _foresight(launcher)
        runtime = ModelRuntime(
            catalog, launcher, LaunchLedger(LogBook()), RuntimeSettings(), forbids=foresight.impossible
        )
        running = await runtime.ensure_model_running("large", 8192, 4096)
        with pytest.raises(OutOfMemory) as caught:
            await runtime.ensure_model_running("large", 1 << 20, 4096)

        assert "context 1048576 needs 129G" in caught.value.message
        assert "this machine has 16.0G" in caught.value.message
        assert running == await runtime.current_model()
        assert () == runtime.scheduler.waiting

        await runtime.close()

    asyncio.run(scenario())


def test_a_model_whose_forecast_fails_is_tried_and_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> int:
        raise ZeroDivisionError

    async def scenario() -> None:
        foresight, _ = await _foresight(MemoryLauncher())
        monkeypatch.setattr("ggtui.services.foresight.needs", fail)
        monkeypatch.setattr("ggtui.services.foresight.allocated_bytes", fail)
        for _ in range(3):
            assert 0 == foresight.need_bytes(1, 8192)
            assert "" == foresight.impossible(1, 1 << 20)

    asyncio.run(scenario())

    assert ["no forecast of large"] == [record.getMessage() for record in caplog.records]
