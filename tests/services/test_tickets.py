"""How requests and people wait for a model, change their mind, and go away."""

from __future__ import annotations

import asyncio

import pytest

from ggtui.adapters.memory.launcher import Script
from ggtui.core.admission import Admission, Waited
from ggtui.core.errors import AdmissionTimeout, LoadCancelled
from ggtui.core.models import ModelSummary
from ggtui.core.residency import MemoryRoom
from ggtui.core.schedule import Rules
from ggtui.core.state import TargetState
from ggtui.services.runtime import RuntimeSettings
from tests.services.desk import desk


def test_a_second_choice_cancels_the_first_load() -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.launcher.script("alpha", Script(hangs=True))
            first = asyncio.create_task(it.control.load("alpha"))
            await it.until(lambda: it.launcher.n_starts["alpha"] == 1)
            second = await it.control.load("beta")
            with pytest.raises(LoadCancelled):
                await first

            assert "beta" == second.model_name
            assert TargetState.IDLE == it.state_of("alpha")

    asyncio.run(scenario())


def test_a_load_goes_on_when_its_client_has_gone() -> None:
    async def scenario() -> None:
        async with desk() as it:
            it.launcher.script("alpha", Script(hangs=True))
            wait = asyncio.create_task(it.runtime.ensure_model_running("alpha", None, 4096))
            await it.until(lambda: it.launcher.n_starts["alpha"] == 1)
            wait.cancel()
            it.launcher.release("alpha")
            await it.until(lambda: it.state_of("alpha") is TargetState.READY)

            assert 1 == it.launcher.n_starts["alpha"]

    asyncio.run(scenario())


def test_patience_runs_out_behind_an_endless_stream() -> None:
    async def scenario() -> None:
        async with (
            desk(settings=RuntimeSettings(rules=Rules(admission_timeout_s=0.05))) as it,
            it.runtime.acquire("alpha", None, 4096),
        ):
            with pytest.raises(AdmissionTimeout):
                await it.runtime.ensure_model_running("beta", None, 4096)

            assert () == it.snapshot().queue

    asyncio.run(scenario())


def test_leases_and_waiters_are_counted_in_the_snapshot() -> None:
    async def scenario() -> None:
        async with desk() as it:
            async with it.runtime.acquire("alpha", None, 4096), it.runtime.acquire("alpha", None, 4096):
                swap = asyncio.create_task(it.runtime.ensure_model_running("beta", 1024, 4096))
                await it.until(lambda: bool(it.snapshot().queue))
                now = it.snapshot()

                assert now.target is not None
                assert 2 == now.target.in_flight
                assert ["beta"] == [entry.public_id for entry in now.queue]
                assert TargetState.QUEUED == it.state_of("beta")
            await swap

            assert 0 == sum(target.in_flight for target in it.snapshot().targets)

    asyncio.run(scenario())


def test_a_wait_is_told_in_words_and_in_parts() -> None:
    async def scenario() -> None:
        async with desk() as it:
            at_once = Admission()
            async with it.runtime.acquire("alpha", None, 4096):
                async with it.runtime.acquire("alpha", None, 4096, at_once):
                    pass
                behind = Admission()

                async def swap() -> None:
                    async with it.runtime.acquire("beta", None, 4096, behind):
                        pass

                waiter = asyncio.create_task(swap())
                await it.until(lambda: bool(it.snapshot().queue))

                assert "queued, number 1, behind alpha" == behind.now_waiting_for()
                assert "queued, number 1, behind alpha" == it.snapshot().queue[0].words

                await asyncio.sleep(0.01)
            await waiter

            assert Waited() == at_once.waited
            assert behind.waited.queued_s > 0.005

    asyncio.run(scenario())


def test_a_stop_of_long_ago_is_no_part_of_a_wait() -> None:
    room = MemoryRoom(lambda _model_id, _n_ctx: 1, lambda: 2)

    async def scenario() -> None:
        async with desk(room=room) as it:
            it.catalog.put(ModelSummary(3, "gamma", "gamma", "llama", 1000, n_ctx_train=8192))
            await it.control.rescan()
            await it.runtime.ensure_model_running("gamma", None, 4096)
            it.launcher.script("alpha", Script(hangs=True))
            loading = asyncio.create_task(it.runtime.ensure_model_running("alpha", None, 4096))
            await it.until(lambda: it.launcher.n_starts["alpha"] == 1)
            await it.runtime.stop(3)
            behind = Admission()

            async def ask() -> None:
                async with it.runtime.acquire("beta", None, 4096, behind):
                    pass

            waiter = asyncio.create_task(ask())
            await it.until(lambda: bool(it.snapshot().queue))
            await asyncio.sleep(0.1)
            it.launcher.release("alpha")
            await asyncio.gather(loading, waiter)

            assert 0 == behind.waited.stop_s
            assert behind.waited.queued_s > 0.05

    asyncio.run(scenario())
