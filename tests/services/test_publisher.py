"""Subscribers see whole states: one now, one per burst of changes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ggtui.core.ports.gpu import GpuSample, MemoryReading
from ggtui.services.gpu_watch import GpuWatch
from tests.services.desk import desk

if TYPE_CHECKING:
    from ggtui.core.snapshot import EngineSnapshot


def test_a_subscriber_hears_the_state_now_and_a_burst_once() -> None:
    async def scenario() -> None:
        async with desk() as it:
            heard: list[EngineSnapshot] = []
            end = it.control.subscribe(heard.append)

            assert 1 == len(heard)

            for _ in range(100):
                it.publisher.changed()
            await it.until(lambda: len(heard) > 1)

            assert 2 == len(heard)
            assert heard[0].version < heard[1].version

            end()
            it.publisher.changed()
            await asyncio.sleep(0.2)

            assert 2 == len(heard)

    asyncio.run(scenario())


def test_one_deaf_subscriber_does_not_silence_the_others() -> None:
    async def scenario() -> None:
        async with desk() as it:
            heard: list[int] = []
            calls: list[int] = []

            def break_later(snapshot: EngineSnapshot) -> None:
                calls.append(snapshot.version)
                if len(calls) > 1:
                    raise RuntimeError("gone")

            it.control.subscribe(break_later)
            it.control.subscribe(lambda snapshot: heard.append(snapshot.version))
            it.publisher.changed()
            await it.until(lambda: len(heard) > 1)

    asyncio.run(scenario())


def test_memory_is_told_only_when_it_changed() -> None:
    async def scenario() -> None:
        async with desk() as it:
            watch = GpuWatch(it.probe, lambda: frozenset({7}))
            told: list[None] = []
            watch.changed = lambda: told.append(None)
            it.probe.reading = MemoryReading(gpus=(GpuSample(0, "gpu", total_bytes=100, used_bytes=40),))
            await watch.sample()
            await watch.sample()

            assert 1 == len(told)
            assert (40, 40) == watch.history
            assert frozenset({7}) == it.probe.asked_pids[-1]

    asyncio.run(scenario())


def test_only_rows_that_changed_are_made_anew() -> None:
    async def scenario() -> None:
        async with desk() as it:
            before = it.snapshot().models
            await it.runtime.ensure_model_running("alpha", None, 4096)
            loaded = it.snapshot().models
            await it.control.pin("beta", True)
            pinned = it.snapshot().models

            assert loaded[0] is not before[0]
            assert loaded[0] is pinned[0]
            assert [False, True] == [loaded[1].is_pinned, pinned[1].is_pinned]

    asyncio.run(scenario())


def test_a_subscriber_that_fails_at_once_is_not_kept() -> None:
    async def scenario() -> None:
        async with desk() as it:
            calls: list[EngineSnapshot] = []

            def fail(snapshot: EngineSnapshot) -> None:
                calls.append(snapshot)
                raise RuntimeError("gone")

            heard: list[EngineSnapshot] = []
            with pytest.raises(RuntimeError, match="gone"):
                it.control.subscribe(fail)
            it.control.subscribe(heard.append)
            it.publisher.changed()
            await it.until(lambda: len(heard) > 1)

            assert 1 == len(calls)

    asyncio.run(scenario())


def test_the_idle_time_of_a_server_is_told() -> None:
    async def scenario() -> None:
        async with desk() as it:
            await it.control.load("alpha")
            assert -1.0 == it.snapshot().targets[0].keep_alive_s
            await it.control.change_settings("alpha", {"keep_alive": "90s"})

            assert 90.0 == it.snapshot().targets[0].keep_alive_s

    asyncio.run(scenario())
