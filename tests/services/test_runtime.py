"""What the runtime makes of what a person orders: to stop, to keep a model, to close."""

from __future__ import annotations

import asyncio

import pytest

from ggtui.adapters.memory.launcher import Script
from ggtui.core.errors import EngineStopping, LoadCancelled
from ggtui.core.models import ModelSummary
from ggtui.core.residency import MemoryRoom
from ggtui.core.state import TargetState
from tests.services.desk import desk


def test_a_load_can_be_stopped_in_its_first_moment_and_in_the_middle() -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.launcher.script("alpha", Script(hangs=True))
            for n_started in (0, 1):
                wait = asyncio.create_task(it.control.load("alpha"))
                await it.until(lambda: bool(it.snapshot().targets))
                if n_started:
                    await it.until(lambda: it.launcher.n_starts["alpha"] > 0)
                await it.control.stop()
                with pytest.raises(LoadCancelled):
                    await wait

                assert () == it.snapshot().targets
                assert TargetState.IDLE == it.state_of("alpha")

    asyncio.run(scenario())


def test_closing_tells_everybody_and_leaves_nothing() -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.launcher.script("alpha", Script(hangs=True))
            wait = asyncio.create_task(it.runtime.ensure_model_running("alpha", None, 4096))
            await it.until(lambda: bool(it.snapshot().targets))
            await it.runtime.close()
            with pytest.raises(EngineStopping):
                await wait
            with pytest.raises(EngineStopping):
                await it.runtime.ensure_model_running("beta", None, 4096)

            assert it.launcher.is_closed
            assert () == it.snapshot().targets

    asyncio.run(scenario())


def test_models_that_fit_together_stay_and_a_third_evicts_the_unpinned() -> None:
    room = MemoryRoom(lambda model_id, n_ctx: 10, lambda: 20)

    async def scenario() -> None:
        async with desk(room=room) as it:
            it.catalog.put(ModelSummary(3, "gamma", "gamma", "llama", 1000, n_ctx_train=8192))
            await it.control.rescan()
            for name in ("alpha", "beta", "alpha", "beta"):
                await it.runtime.ensure_model_running(name, None, 4096)

            assert {"alpha": 1, "beta": 1} == dict(it.launcher.n_starts)

            await it.control.pin("alpha", True)
            await it.runtime.ensure_model_running("gamma", None, 4096)

            assert {"alpha", "gamma"} == {t.model_name for t in await it.runtime.list_running()}
            assert it.snapshot().models[0].is_pinned

    asyncio.run(scenario())
