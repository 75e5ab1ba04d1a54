"""The context of models for which nobody chose one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ggtui.adapters.gguf.catalog import GgufCatalog
from ggtui.core.forecast_servers import advised_ctx_of_servers
from ggtui.core.memory.pool import MemoryPool, PoolKind
from ggtui.core.models import LaunchOptions
from ggtui.core.units import GIB, MIB
from ggtui.services.catalog import CatalogService
from ggtui.services.context_advice import ContextAdvice
from tests.models import tiny_model

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from ggtui.core.models import ModelSummary

TRAINED = 65_536


async def _until_advised(catalog: CatalogService, n_ctx: int) -> ModelSummary:
    is_news = asyncio.Event()
    catalog.changed = is_news.set
    async with asyncio.timeout(20):
        while not catalog.models or catalog.models[0].n_ctx_advised != n_ctx:
            await is_news.wait()
            is_news.clear()
    return catalog.models[0]


def test_advice_follows_the_memory(tmp_path: Path) -> None:
    tiny_model(tmp_path / "tiny.gguf", n_ctx_train=TRAINED)
    rooms = {"now": MemoryPool(PoolKind.RAM, 8 * GIB, 0, 0)}

    async def scenario() -> None:
        catalog = CatalogService(GgufCatalog(tmp_path / "db", [tmp_path], LaunchOptions()))
        advice = ContextAdvice(catalog, lambda: rooms["now"])
        await catalog.start()
        await advice.start()
        try:
            model = await _until_advised(catalog, 32_768)
            spec = await catalog.resolve_for_launch(model.public_id)

            assert spec is not None
            assert 32_768 == spec.n_ctx_advised

            rooms["now"] = MemoryPool(PoolKind.RAM, 8 * GIB, 8 * GIB - 8 * MIB, 0)
            await catalog.reread()
            smaller = await _until_advised(catalog, 4_096)

            assert model.id == smaller.id
        finally:
            await advice.stop()
            await catalog.stop()

    asyncio.run(scenario())


def test_a_model_that_cannot_be_forecast_keeps_no_other_from_its_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("odd", "tiny"):
        tiny_model(tmp_path / f"{name}.gguf", n_ctx_train=TRAINED)

    def advise(model: ModelSummary, *rest: Any) -> int | None:
        if "odd" in model.public_id:
            raise ZeroDivisionError
        return advised_ctx_of_servers(model, *rest)

    monkeypatch.setattr("ggtui.services.context_advice.advised_ctx_of_servers", advise)

    async def scenario() -> None:
        catalog = CatalogService(GgufCatalog(tmp_path / "db", [tmp_path], LaunchOptions()))
        advice = ContextAdvice(catalog, lambda: MemoryPool(PoolKind.RAM, 8 * GIB, 0, 0))
        await catalog.start()
        await advice.start()
        try:
            await catalog.rescan()
            is_news = asyncio.Event()
            catalog.changed = is_news.set
            async with asyncio.timeout(20):
                while [None, 32_768] != [model.n_ctx_advised for model in catalog.models]:
                    await is_news.wait()
                    is_news.clear()
        finally:
            await advice.stop()
            await catalog.stop()

    asyncio.run(scenario())
