"""The guard ends what ggtui leaves behind, and only that."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from ggtui.adapters.llama_server.guard import Guard
from tests.contracts.launching import run, survivors, wait_for_none

if TYPE_CHECKING:
    from collections.abc import Iterator

SLEEPER = (
    "import os, sys, time, signal\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "if len(sys.argv) > 1 and os.fork() == 0: os.setsid()\n"
    "os.write(1, b'up\\n')\n"
    "time.sleep(3600)"
)


class Sleepers:
    """Processes in groups of their own."""

    def __init__(self) -> None:
        self.all: list[subprocess.Popen[bytes]] = []

    def start(self, environ: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
        """A process that ignores SIGTERM; with an argument it has a child in a session of its own."""
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", SLEEPER, *arguments],
            env=environ,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self.all.append(process)
        assert process.stdout is not None
        for _ in range(1 + len(arguments)):
            process.stdout.readline()
        return process


@pytest.fixture
def sleepers() -> Iterator[Sleepers]:
    started = Sleepers()
    yield started
    for process in started.all:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_a_registered_group_ends_and_a_strange_one_lives(sleepers: Sleepers) -> None:
    async def test() -> None:
        guard = Guard(os.environ)
        ours, ended, strange = (sleepers.start({}) for _ in range(3))
        for process in (ours, ended):
            guard.register(process.pid)
        guard.unregister(ended.pid)
        await guard.close()

        assert -9 == ours.wait()
        assert ended.poll() is None
        assert strange.poll() is None

    run(test())


def test_descendants_that_left_their_group_are_found_by_the_nonce(sleepers: Sleepers) -> None:
    async def test() -> None:
        guard = Guard(os.environ)
        process = sleepers.start({"GGTUI_INSTANCE": guard.instance}, "fork")
        guard.register(process.pid)

        assert 2 == len(survivors(guard.instance))

        await guard.close()

        assert [] == wait_for_none(guard.instance)

    run(test())


def test_the_guard_survives_signals_and_is_replaced_when_killed(sleepers: Sleepers) -> None:
    async def test() -> None:
        guard = Guard(os.environ)
        first, second = sleepers.start({}), sleepers.start({})
        guard.register(first.pid)
        guard_pid = guard.pid
        assert guard_pid is not None
        os.kill(guard_pid, signal.SIGKILL)
        await asyncio.to_thread(os.waitid, os.P_PID, guard_pid, os.WEXITED | os.WNOWAIT)
        guard.register(second.pid)

        assert guard_pid != guard.pid

        await guard.close()

        assert [-9, -9] == [first.wait(), second.wait()]

    run(test())


def test_without_a_launch_there_is_no_guard() -> None:
    async def test() -> None:
        guard = Guard(os.environ)
        await guard.close()

        assert guard.pid is None

    run(test())


def test_a_closed_guard_is_gone() -> None:
    async def test() -> None:
        guard = Guard(os.environ)
        guard.register(2**22 + 5)
        pid = guard.pid
        await guard.close()

        assert pid is not None
        assert not psutil.pid_exists(pid)

    run(test())


def test_what_was_started_but_not_yet_registered_ends_too(sleepers: Sleepers) -> None:
    async def test() -> None:
        guard = Guard(os.environ)
        guard.begin()
        pid = guard.pid
        guard.begin()
        sleepers.start({"GGTUI_INSTANCE": guard.instance})

        assert pid == guard.pid

        await guard.close()

        assert [] == wait_for_none(guard.instance)

    run(test())
