"""A timer that is set, set again and cleared."""

from __future__ import annotations

import asyncio

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
