"""The scripted launcher follows its scripts and remembers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ggtui.adapters.memory.launcher import MemoryLauncher, Script
from ggtui.core.errors import OutOfMemory
from ggtui.core.models import LaunchPlan, ModelLaunchSpec
from tests.contracts.launching import RecordingListener, run


def plan(name: str = "a", n_ctx: int = 512) -> LaunchPlan:
    return LaunchPlan(ModelLaunchSpec(1, name, Path("/m/a.gguf")), n_ctx)


def test_a_failure_may_pass() -> None:
    async def test() -> None:
        launcher = MemoryLauncher()
        launcher.script("a", Script(failure=OutOfMemory("too big"), n_failures=2))
        for _ in range(2):
            with pytest.raises(OutOfMemory, match="too big"):
                await launcher.launch(plan(), RecordingListener())
        server = await launcher.launch(plan(n_ctx=256), RecordingListener())

        assert (3, 2) == (launcher.n_starts["a"], launcher.n_stops["a"])
        assert [512, 512, 256] == [each.n_ctx for each in launcher.plans]
        assert server is launcher.running["a"]

    run(test())


def test_a_hanging_load_is_released() -> None:
    async def test() -> None:
        launcher = MemoryLauncher()
        launcher.script("a", Script(progress=(0.2,), hangs=True, effective_ctx=300))
        listener = RecordingListener()
        launching = asyncio.ensure_future(launcher.launch(plan(), listener))
        await listener.loading_event.wait()
        assert {} == launcher.running
        launcher.release("a")
        server = await launching

        assert [0.2] == listener.values
        assert 300 == server.target.effective_ctx

    run(test())


def test_a_crash_frees_the_name() -> None:
    async def test() -> None:
        launcher = MemoryLauncher()
        server = await launcher.launch(plan(), RecordingListener())
        launcher.crash("a", 1, "boom")
        report = await server.wait_exit()

        assert (1, False, "boom") == (report.code, report.was_asked, report.cause)
        assert ({}, 1) == (launcher.running, launcher.n_stops["a"])
        with pytest.raises(KeyError):
            launcher.crash("a")

    run(test())


def test_targets_point_where_the_test_wants_them() -> None:
    async def test() -> None:
        launcher = MemoryLauncher(base_url_of=lambda plan: ("http://127.0.0.1:9", 9))
        server = await launcher.launch(plan(), RecordingListener())

        assert ("http://127.0.0.1:9", 9) == (server.target.base_url, server.target.port)

    run(test())
