"""A timer that is set, set again and cleared."""

from __future__ import annotations

import asyncio
import sys

from ggtui.proxy.deadline import Deadline
from tests.proxy.rig import run


def test_only_the_last_setting_is_called_and_only_once() -> None:
    async def check() -> None:
        heard: asyncio.Queue[str] = asyncio.Queue()
        deadline = Deadline(asyncio.get_running_loop())
        deadline.set(0.0, heard.put_nowait, "first")
        deadline.set(0.01, heard.put_nowait, "second")

        assert deadline.is_set
        assert "second" == await heard.get()
        assert (True, False) == (heard.empty(), deadline.is_set)

    run(check())


def test_a_later_time_counts_though_the_timer_was_set_for_an_earlier_one() -> None:
    async def check() -> None:
        loop = asyncio.get_running_loop()
        heard: asyncio.Queue[float] = asyncio.Queue()
        deadline = Deadline(loop)
        deadline.set(0.005, heard.put_nowait, 0.0)
        deadline.clear()
        begun = loop.time()
        deadline.set(0.05, lambda: heard.put_nowait(loop.time() - begun))

        assert 0.05 <= await heard.get() + 1e-9

    run(check())


def test_an_earlier_time_counts_at_once() -> None:
    async def check() -> None:
        heard: asyncio.Queue[str] = asyncio.Queue()
        deadline = Deadline(asyncio.get_running_loop())
        deadline.set(3600.0, heard.put_nowait, "late")
        deadline.set(0.0, heard.put_nowait, "early")

        assert "early" == await heard.get()

    run(check())


def test_an_ended_one_leaves_nothing_on_the_loop() -> None:
    async def check() -> None:
        deadline = Deadline(asyncio.get_running_loop())
        alone = sys.getrefcount(deadline)
        deadline.set(3600.0, lambda: None)

        assert alone < sys.getrefcount(deadline)

        deadline.end()

        assert alone == sys.getrefcount(deadline)

    run(check())


def test_a_cleared_one_calls_nothing() -> None:
    async def check() -> None:
        heard: list[str] = []
        deadline = Deadline(asyncio.get_running_loop())
        deadline.set(0.0, heard.append, "late")
        deadline.clear()
        deadline.clear()
        await asyncio.sleep(0.01)

        assert ([], False) == (heard, deadline.is_set)

    run(check())
