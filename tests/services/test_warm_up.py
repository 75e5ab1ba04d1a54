"""What is there before anybody asks."""

from __future__ import annotations

import asyncio

from ggtui.services.warm_up import WarmUp
from tests.services.desk import desk


def test_preloaded_models_come_without_a_request() -> None:
    async def scenario() -> None:
        async with desk() as it:
            part = WarmUp(it.catalog, it.runtime, preload=["nobody", "alpha"])
            await part.start()
            await it.until(lambda: it.launcher.n_starts["alpha"] == 1)
            await part.stop()

    asyncio.run(scenario())


def test_the_model_loaded_last_comes_back_if_asked() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.runtime.ensure_model_running("alpha", None, 4096)
            await it.runtime.ensure_model_running("beta", None, 4096)
            await it.runtime.stop_current()
            await it.until(lambda: it.snapshot().models[1].summary.loaded_at is not None)
            for restores_last, n_starts in ((False, 1), (True, 2)):
                part = WarmUp(it.catalog, it.runtime, restores_last=restores_last)
                await part.start()
                await it.until(lambda n=n_starts: it.launcher.n_starts["beta"] == n)  # type: ignore[misc]
                await part.stop()

    asyncio.run(scenario())
