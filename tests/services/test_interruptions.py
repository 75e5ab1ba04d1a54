"""Cancelled at any step, by anybody, with a stop or the end in between: nobody hangs and nothing is left."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.memory.launcher import Script
from ggtui.core.errors import Failure
from ggtui.core.models import RunningTarget
from tests.services.desk import desk

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from tests.services.desk import Desk

N_STEPS = 24
"""Turns of the loop; a load from a standing start takes fewer."""


async def _hold(it: Desk) -> RunningTarget:
    async with it.runtime.acquire("alpha", None, 4096) as target:
        await asyncio.sleep(0)
        return target


WORK: dict[str, Callable[[Desk], Coroutine[Any, Any, Any]]] = {
    "request": _hold,
    "load": lambda it: it.control.load("alpha"),
    "choose": lambda it: it.control.load("alpha", 2048),
    "stop": lambda it: it.control.stop(),
    "force": lambda it: it.control.stop(is_forced=True),
}
EVERY = pytest.mark.parametrize("work", list(WORK))


@pytest.fixture(autouse=True)
def no_task_dies_unheard(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """asyncio logs an exception that nobody has looked at when its task is collected."""
    yield
    gc.collect()
    records = [*caplog.get_records("call"), *caplog.get_records("teardown")]

    assert [] == [record.getMessage() for record in records if record.levelno >= logging.ERROR]


async def _steps(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def _comes_to_rest(it: Desk) -> None:
    """The other model can be had, and then nobody waits and nobody holds anything."""
    assert "beta" == (await it.runtime.ensure_model_running("beta", None, 4096)).model_name

    now = it.snapshot()

    assert ([0], ()) == ([target.in_flight for target in now.targets], now.queue)


@EVERY
def test_work_that_is_cancelled_at_any_step(work: str) -> None:
    async def scenario() -> None:
        for number in range(N_STEPS):
            async with desk() as it:
                running = asyncio.create_task(it.runtime.ensure_model_running("beta", 2048, 4096))
                task = asyncio.create_task(WORK[work](it))
                await _steps(number)
                task.cancel()
                await asyncio.gather(task, running, return_exceptions=True)
                await _comes_to_rest(it)

    asyncio.run(scenario())


@EVERY
@pytest.mark.parametrize("other", list(WORK))
def test_work_that_something_else_comes_into_at_any_step(work: str, other: str) -> None:
    async def scenario() -> None:
        for number in range(N_STEPS):
            async with desk() as it:
                task = asyncio.create_task(WORK[work](it))
                await _steps(number)
                second = asyncio.create_task(WORK[other](it))
                for result in await asyncio.gather(task, second, return_exceptions=True):
                    assert isinstance(result, RunningTarget | Failure | None), result
                await _comes_to_rest(it)

    asyncio.run(scenario())


@EVERY
@pytest.mark.parametrize("script", [Script(), Script(hangs=True)], ids=["quick", "hanging"])
def test_the_end_comes_at_any_step(work: str, script: Script) -> None:
    async def scenario() -> None:
        for number in range(N_STEPS):
            async with desk() as it:
                it.launcher.script("alpha", script)
                task = asyncio.create_task(WORK[work](it))
                await _steps(number)
                await asyncio.gather(it.runtime.close(), it.runtime.close())
                result = (await asyncio.gather(task, return_exceptions=True))[0]

                assert isinstance(result, RunningTarget | Failure | None), result
                assert () == it.snapshot().targets
                assert {} == it.launcher.running

    asyncio.run(scenario())


@EVERY
def test_a_server_that_crashes_at_any_step(work: str) -> None:
    async def scenario() -> None:
        for number in range(N_STEPS):
            async with desk() as it:
                await it.runtime.ensure_model_running("alpha", 1024, 4096)
                task = asyncio.create_task(WORK[work](it))
                await _steps(number)
                if "alpha" in it.launcher.running:
                    it.launcher.crash("alpha")
                result = (await asyncio.gather(task, return_exceptions=True))[0]

                assert isinstance(result, RunningTarget | Failure | None), result
                await _comes_to_rest(it)

    asyncio.run(scenario())
