"""Cycles come every ten seconds, at once after a change, and not while they fail; none without a reason."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ggtui.core.backends.backend import Declared, DeclaredModel
from ggtui.core.deployment.breaker import BreakerState
from ggtui.core.errors import EngineStopping, Failure, Internal, StoreUnavailable, UpstreamServerError
from ggtui.services.backends.loop import OLD_S
from tests.services.backends.rig import Rig, declared, looping, run, settled, vllm

if TYPE_CHECKING:
    from collections.abc import Callable

ONE = declared(vllm("box", "qwen"))
ILL = "the disk is ill"
WITH_DISK = declared(vllm("box"), models=(DeclaredModel("a", repository="me/a"),))


async def after(rig: Rig, seconds: float) -> int:
    """Let time pass; how many cycles there were then."""
    rig.clock.advance(seconds)
    await settled()
    return rig.n_cycles


def test_a_cycle_begins_at_once_and_then_every_ten_seconds() -> None:
    async def scenario() -> None:
        rig = Rig(ONE)
        async with looping(rig):
            assert 1 == rig.n_cycles
            assert [1, 2, 2, 3] == [await after(rig, seconds) for seconds in (9, 1, 9, 1)]

    run(scenario())


def test_where_nothing_is_declared_there_is_neither_a_task_nor_an_alarm() -> None:
    async def scenario() -> None:
        rig = Rig()
        async with looping(rig) as loop:
            loop.trigger()
            await loop.run()
            loop.adapt(5)

            assert (0, 1) == (rig.clock.n_alarms, len(asyncio.all_tasks()))

            rig.book.take(ONE)
            await settled()

            assert 1 == rig.observer.n_asked("box")
            assert 1 == rig.clock.n_alarms

            rig.book.take(Declared())
            await settled()

            assert (0, 1) == (rig.clock.n_alarms, len(asyncio.all_tasks()))

    run(scenario())


def test_a_change_of_what_is_declared_and_a_failure_in_traffic_have_a_cycle_begin_at_once() -> None:
    async def scenario() -> None:
        rig = Rig(ONE)
        async with looping(rig):
            rig.book.take(declared(vllm("box", "other")))
            await settled()

            assert 2 == rig.n_cycles

            rig.book.failed("box", UpstreamServerError("503"))
            await settled()

            assert 3 == rig.n_cycles
            assert "" == rig.state("box").error
            assert [3, 4] == [await after(rig, seconds) for seconds in (9, 1)]

    run(scenario())


def test_many_triggers_during_a_cycle_are_one_more_cycle() -> None:
    async def scenario() -> None:
        rig = Rig(ONE)
        async with looping(rig) as loop:
            rig.observer.silent = {"box": asyncio.Event()}
            loop.trigger()
            await settled()
            for _ in range(5):
                loop.trigger()

            assert 2 == rig.n_cycles

            rig.observer.silent["box"].set()
            await settled()

            assert 3 == rig.n_cycles

    run(scenario())


def test_three_failures_open_the_breaker_for_ten_seconds_and_one_cycle_finds_out() -> None:
    async def scenario() -> None:
        rig = Rig(WITH_DISK, disk_failure=ILL)
        async with looping(rig) as loop:
            for _ in range(2):
                loop.trigger()
                await settled()

            assert (3, BreakerState.OPEN) == (rig.n_cycles, loop.breaker.state(rig.clock.monotonic()))

            loop.trigger()
            await settled()

            assert [3, 4, 4, 5] == [await after(rig, seconds) for seconds in (9.9, 0.1, 9.9, 0.1)]

            rig.disk_failure = ""

            assert 6 == await after(rig, 10)
            assert BreakerState.CLOSED is loop.breaker.state(rig.clock.monotonic())

            loop.trigger()
            await settled()

            assert 7 == rig.n_cycles

    run(scenario())


def test_a_backend_in_error_is_no_failure_of_a_cycle() -> None:
    async def scenario() -> None:
        rig = Rig(ONE)
        rig.observer.errors = {"box": "HTTP request failed"}
        async with looping(rig) as loop:
            for _ in range(5):
                loop.trigger()
                await settled()

            assert 6 == rig.n_cycles

    run(scenario())


def test_a_trigger_while_the_breaker_is_open_counts_when_one_may_pass() -> None:
    async def scenario() -> None:
        rig = Rig(WITH_DISK, disk_failure=ILL, interval_s=600)
        async with looping(rig) as loop:
            for _ in range(3):
                loop.trigger()
                await settled()

            assert [3, 4] == [await after(rig, seconds) for seconds in (9.9, 0.1)]

    run(scenario())


def test_who_waits_for_a_cycle_gets_one_that_began_after_that() -> None:
    async def scenario() -> None:
        rig = Rig(ONE)
        async with looping(rig) as loop:
            rig.observer.silent = {"box": asyncio.Event()}
            loop.trigger()
            await settled()
            rig.observer.has = {"box": ("qwen",)}
            waiting = asyncio.ensure_future(loop.run())
            gone = asyncio.ensure_future(loop.run())
            await settled()
            gone.cancel()
            rig.observer.silent["box"].set()
            await waiting

            assert 3 == rig.n_cycles

    run(scenario())


@pytest.mark.parametrize(
    ("breaks", "expected"),
    [
        (lambda rig: setattr(rig, "disk_failure", ILL), StoreUnavailable),
        (lambda rig: rig.observer.errors.update(box=ValueError("a secret")), Internal),
    ],
)
def test_who_waits_hears_why_a_cycle_failed_also_when_none_may_begin(
    breaks: Callable[[Rig], None], expected: type[Failure], caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        rig = Rig(WITH_DISK)
        async with looping(rig) as loop:
            breaks(rig)
            for _ in range(5):
                with pytest.raises(expected):
                    await loop.run()

            assert 4 == rig.n_cycles

    run(scenario())

    assert "backends" in caplog.text


def test_what_is_read_when_it_is_old_is_looked_at_again() -> None:
    async def scenario() -> None:
        rig = Rig(ONE, interval_s=600)
        rig.observer.has = {"box": ("qwen",)}
        async with looping(rig) as loop:
            rig.clock.advance(OLD_S)
            rig.book.places("qwen")
            await settled()

            assert 1 == rig.n_cycles

            rig.clock.advance(1)
            rig.book.places("qwen")
            loop.refresh()
            await settled()

            assert 2 == rig.n_cycles

    run(scenario())


def test_another_interval_counts_at_once() -> None:
    async def scenario() -> None:
        rig = Rig(ONE, interval_s=600)
        async with looping(rig) as loop:
            rig.clock.advance(20)
            loop.adapt(30)

            assert [1, 2] == [await after(rig, seconds) for seconds in (9, 1)]

    run(scenario())


@pytest.mark.parametrize("n_steps", range(8))
def test_a_stop_at_any_moment_leaves_nothing_behind(n_steps: int) -> None:
    async def scenario() -> None:
        rig = Rig(declared(vllm("slow", "qwen"), vllm("box", "qwen")))
        rig.observer.silent = {"slow": asyncio.Event()}
        await rig.loop.start()
        waiting = asyncio.ensure_future(rig.loop.run())
        for _ in range(n_steps):
            await asyncio.sleep(0)
        await rig.loop.stop()
        with pytest.raises(EngineStopping):
            await waiting
        with pytest.raises(EngineStopping):
            await rig.loop.run()
        rig.loop.trigger()

        assert (0, 0) == (rig.clock.n_alarms, rig.observer.n_open)
        assert 1 == len(asyncio.all_tasks())

    run(scenario())
