"""What the fleet makes of servers, drivers and neighbours that misbehave: an end is always reported."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.memory.launcher import MemoryLauncher, Script
from ggtui.core.errors import LoadCancelled, SpawnFailed
from ggtui.core.state import TargetState
from tests.services.desk import desk

if TYPE_CHECKING:
    from ggtui.adapters.memory.launcher import MemoryServer
    from ggtui.core.models import LaunchPlan, RunningTarget
    from ggtui.core.ports.launcher import LaunchListener
    from ggtui.services.launches import Launch


def test_nobody_is_sent_to_a_dead_server_while_its_memory_comes_back() -> None:
    async def scenario() -> None:
        is_back = asyncio.Event()

        async def memory_back() -> None:
            await is_back.wait()

        async with desk(memory_back=memory_back) as it:
            before = await it.runtime.ensure_model_running("alpha", None, 4096)
            it.launcher.crash("alpha")
            await it.until(lambda: TargetState.STOPPING == it.state_of("alpha"))
            request = asyncio.create_task(it.runtime.ensure_model_running("alpha", None, 4096))
            await it.until(lambda: bool(it.snapshot().queue))

            assert await it.runtime.current_model() is None
            assert [before] == it.closed

            is_back.set()

            assert before.pid != (await request).pid

    asyncio.run(scenario())


def test_a_driver_that_fails_keeps_no_room() -> None:
    async def memory_back() -> None:
        raise RuntimeError("driver")

    async def scenario() -> None:
        async with desk(memory_back=memory_back) as it:
            for name in ("alpha", "beta"):
                assert name == (await it.runtime.ensure_model_running(name, None, 4096)).model_name
            it.launcher.crash("beta")
            await it.until(lambda: not it.snapshot().targets)

            assert TargetState.FAILED == it.state_of("beta")

    asyncio.run(scenario())


def test_connections_that_cannot_be_closed_keep_no_server_alive() -> None:
    def closing(_target: RunningTarget) -> None:
        raise RuntimeError("pool")

    async def scenario() -> None:
        async with desk(closing=closing) as it:
            for name in ("alpha", "beta"):
                assert name == (await it.runtime.ensure_model_running(name, None, 4096)).model_name
            it.launcher.crash("beta")
            await it.until(lambda: not it.snapshot().targets)

    asyncio.run(scenario())


def test_a_forecast_that_fails_keeps_no_model_from_loading() -> None:
    def foresee(_model_id: int, _n_ctx: int) -> str:
        raise ZeroDivisionError

    async def scenario() -> None:
        async with desk(foresee=foresee) as it:
            assert "alpha" == (await it.runtime.ensure_model_running("alpha", None, 4096)).model_name

    asyncio.run(scenario())


def test_a_cancelled_load_that_ends_in_an_error_is_no_failure() -> None:
    class Awkward(MemoryLauncher):
        """Answers a cancellation with an error of its own."""

        async def launch(self, plan: LaunchPlan, listener: LaunchListener) -> MemoryServer:
            try:
                return await super().launch(plan, listener)
            except asyncio.CancelledError:
                raise SpawnFailed("killed") from None

    async def scenario() -> None:
        async with desk(launcher=Awkward()) as it:
            it.launcher.script("alpha", Script(hangs=True))
            load = asyncio.create_task(it.control.load("alpha"))
            await it.until(lambda: it.launcher.n_starts["alpha"] == 1)
            await it.control.stop()
            with pytest.raises(LoadCancelled):
                await load

            assert TargetState.IDLE == it.state_of("alpha")

    asyncio.run(scenario())


@pytest.mark.parametrize("moment", ["when_begun", "when_up", "when_ended"])
def test_whoever_learns_from_loads_may_fail_and_the_load_goes_on(moment: str) -> None:
    def hear(_launch: Launch) -> None:
        raise ZeroDivisionError

    async def scenario() -> None:
        async with desk() as it:
            getattr(it.ledger, moment).append(hear)
            for name in ("alpha", "beta"):
                assert name == (await it.runtime.ensure_model_running(name, None, 4096)).model_name
            it.launcher.crash("beta")
            await it.until(lambda: not it.snapshot().targets)

    asyncio.run(scenario())
