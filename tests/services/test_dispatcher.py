"""What becomes of servers that crash, fail, hang or are stopped, and what those hear who waited for them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.memory.launcher import MemoryLauncher, Script
from ggtui.core.errors import (
    LaunchRejected,
    ModelFileNotFound,
    ModelNotReady,
    ModelRuntimeError,
    OutOfMemory,
    SpawnReason,
)
from ggtui.core.state import TargetState
from ggtui.services.runtime import RuntimeSettings
from ggtui.services.servers import ServerTimes
from tests.services.desk import desk

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.adapters.memory.launcher import MemoryServer
    from ggtui.core.models import LaunchPlan
    from ggtui.core.ports.launcher import LaunchListener

NO_MEMORY = OutOfMemory("no memory", reason=SpawnReason.OUT_OF_MEMORY)


def test_a_crash_is_noticed_kept_and_healed_by_the_next_request() -> None:
    async def scenario() -> None:
        async with desk() as it:
            before = await it.runtime.ensure_model_running("alpha", None, 4096)
            it.launcher.crash("alpha")
            await it.until(lambda: not it.snapshot().targets)
            row = it.snapshot().models[0]

            assert TargetState.FAILED == row.state
            assert row.failure is not None
            assert "ended by signal SIGSEGV" == row.failure.detail
            assert [before] == it.closed

            after = await it.runtime.ensure_model_running("alpha", None, 4096)

            assert before.pid != after.pid
            assert it.snapshot().models[0].failure is None

    asyncio.run(scenario())


def test_a_failed_load_is_a_state_with_its_cause_and_everybody_hears_it() -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.launcher.script("alpha", Script(failure=NO_MEMORY))
            waits = (it.runtime.ensure_model_running("alpha", None, 4096) for _ in range(5))
            results = await asyncio.gather(*waits, return_exceptions=True)

            assert [NO_MEMORY] * 5 == results
            assert 1 == it.launcher.n_starts["alpha"]
            assert TargetState.FAILED == it.state_of("alpha")
            assert "beta" == (await it.runtime.ensure_model_running("beta", None, 4096)).model_name

    asyncio.run(scenario())


def test_a_failed_enlargement_keeps_serving_at_the_old_size() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.runtime.ensure_model_running("alpha", 2048, 4096)
            it.launcher.script("alpha", Script(failure=NO_MEMORY, n_failures=2))
            with pytest.raises(OutOfMemory):
                await it.runtime.ensure_model_running("alpha", 8192, 4096)

            assert 2048 == (await it.runtime.ensure_model_running("alpha", None, 4096)).effective_ctx
            assert [2048, 8192, 2048] == [plan.n_ctx for plan in it.launcher.plans]

    asyncio.run(scenario())


def test_connections_are_closed_before_a_server_is_stopped() -> None:
    async def scenario() -> None:
        async with desk() as it:
            alpha = await it.runtime.ensure_model_running("alpha", None, 4096)
            await it.runtime.ensure_model_running("beta", None, 4096)

            assert [alpha] == it.closed
            assert 1 == it.launcher.n_stops["alpha"]

    asyncio.run(scenario())


def test_a_crash_loop_is_left_alone_until_a_person_acts() -> None:
    async def scenario() -> None:
        async with desk() as it:
            for _ in range(3):
                await it.runtime.ensure_model_running("alpha", None, 4096)
                it.launcher.crash("alpha")
                await it.until(lambda: not it.snapshot().targets)
            with pytest.raises(ModelNotReady) as caught:
                await it.runtime.ensure_model_running("alpha", None, 4096)

            assert caught.value.retry_after_s > 0
            assert "SIGSEGV" in caught.value.message
            assert 3 == it.launcher.n_starts["alpha"]
            assert "alpha" == (await it.control.load("alpha")).model_name

    asyncio.run(scenario())


def test_a_start_that_cannot_succeed_is_not_repeated_until_the_files_are_looked_at_again() -> None:
    async def scenario() -> None:
        async with desk() as it:
            refused = LaunchRejected("unknown architecture", reason=SpawnReason.UNSUPPORTED_ARCH)
            it.launcher.script("alpha", Script(failure=refused))
            for _ in range(3):
                with pytest.raises(LaunchRejected):
                    await it.runtime.ensure_model_running("alpha", None, 4096)

            assert 1 == it.launcher.n_starts["alpha"]

            await it.control.rescan()
            with pytest.raises(LaunchRejected):
                await it.runtime.ensure_model_running("alpha", None, 4096)

            assert 2 == it.launcher.n_starts["alpha"]

    asyncio.run(scenario())


def test_a_server_that_has_requests_and_does_nothing_is_ended() -> None:
    times = ServerTimes(stuck_timeout_s=0.05, stuck_check_s=0.01)

    async def scenario() -> None:
        async with desk(settings=RuntimeSettings(times=times)) as it:
            async with it.runtime.acquire("alpha", None, 4096) as target:
                it.launcher.running["alpha"].work = 0.0
                await it.until(lambda: not it.snapshot().targets)

                assert [target] == it.closed
            failure = it.snapshot().models[0].failure

            assert failure is not None
            assert "Server hung" == failure.title

    asyncio.run(scenario())


def test_an_idle_server_may_do_nothing_for_ever() -> None:
    times = ServerTimes(stuck_timeout_s=0.02, stuck_check_s=0.005)

    async def scenario() -> None:
        async with desk(settings=RuntimeSettings(times=times)) as it:
            before = await it.runtime.ensure_model_running("alpha", None, 4096)
            it.launcher.running["alpha"].work = 0.0
            await asyncio.sleep(0.1)

            assert before == await it.runtime.current_model()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "failure",
    [LaunchRejected("cut", reason=SpawnReason.BAD_MODEL_FILE), ModelFileNotFound("alpha")],
    ids=["cut", "gone"],
)
def test_a_failure_of_a_file_stands_until_the_file_is_another_one(
    failure: ModelRuntimeError, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.catalog.paths[1] = tmp_path / "alpha.gguf"
            it.launcher.script("alpha", Script(failure=failure, n_failures=1))
            beta = await it.runtime.ensure_model_running("beta", None, 4096)
            for _ in range(3):
                with pytest.raises(type(failure)):
                    await it.runtime.ensure_model_running("alpha", None, 4096)
            again = await it.runtime.ensure_model_running("beta", None, 4096)
            with pytest.raises(type(failure)):
                await it.runtime.ensure_model_running("alpha", None, 4096)

            assert 1 == it.launcher.n_starts["alpha"]
            assert beta.pid != again.pid
            assert again == await it.runtime.current_model()

            it.catalog.paths[1].write_bytes(b"GGUF")

            assert "alpha" == (await it.runtime.ensure_model_running("alpha", None, 4096)).model_name

    asyncio.run(scenario())


class OneSlot(MemoryLauncher):
    """Every server takes one request at a time."""

    async def launch(self, plan: LaunchPlan, listener: LaunchListener) -> MemoryServer:
        options = replace(plan.spec.options, n_parallel=1)
        return await super().launch(replace(plan, spec=replace(plan.spec, options=options)), listener)


def test_a_crash_loop_is_no_longer_waited_for_by_those_in_the_queue() -> None:
    async def scenario() -> None:
        async with desk(launcher=OneSlot()) as it:

            async def ask() -> None:
                async with it.runtime.acquire("alpha", None, 4096):
                    if "alpha" in it.launcher.running:
                        it.launcher.crash("alpha")

            results = await asyncio.gather(*(ask() for _ in range(20)), return_exceptions=True)

            assert 3 == it.launcher.n_starts["alpha"]
            assert {type(None), ModelNotReady} == {type(result) for result in results}
            assert () == it.runtime.scheduler.waiting
            assert "beta" == (await it.runtime.ensure_model_running("beta", None, 4096)).model_name

    asyncio.run(scenario())


class NoLarger(MemoryLauncher):
    """Whatever is larger than 4096 finds no memory."""

    async def launch(self, plan: LaunchPlan, listener: LaunchListener) -> MemoryServer:
        self.script("alpha", Script(failure=NO_MEMORY) if plan.n_ctx > 4096 else Script())
        return await super().launch(plan, listener)


def test_a_size_that_keeps_failing_does_not_take_the_server_from_the_others_again_and_again() -> None:
    async def scenario() -> None:
        async with desk(launcher=NoLarger()) as it:
            failures = []
            await it.runtime.ensure_model_running("alpha", None, 4096)
            for _ in range(6):
                with pytest.raises(ModelRuntimeError) as caught:
                    await it.runtime.ensure_model_running("alpha", 8192, 4096)
                failures.append(type(caught.value))
                await it.runtime.ensure_model_running("alpha", None, 4096)

            assert [OutOfMemory] * 3 + [ModelNotReady] * 3 == failures
            assert 7 == it.launcher.n_starts["alpha"]

    asyncio.run(scenario())


class FussyAboutSize(MemoryLauncher):
    """An engine that does not take a size above 4096."""

    async def launch(self, plan: LaunchPlan, listener: LaunchListener) -> MemoryServer:
        refused = LaunchRejected("invalid argument", reason=SpawnReason.BAD_ARGUMENT)
        self.script("alpha", Script(failure=refused) if plan.n_ctx > 4096 else Script())
        return await super().launch(plan, listener)


def test_a_size_that_the_engine_refuses_does_not_lock_the_model_out() -> None:
    async def scenario() -> None:
        async with desk(launcher=FussyAboutSize()) as it:
            await it.runtime.ensure_model_running("alpha", None, 4096)
            with pytest.raises(LaunchRejected):
                await it.runtime.ensure_model_running("alpha", 8192, 4096)
            await it.runtime.ensure_model_running("beta", None, 4096)

            assert 4096 == (await it.runtime.ensure_model_running("alpha", None, 4096)).effective_ctx

    asyncio.run(scenario())
