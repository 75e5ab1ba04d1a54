"""Threads that can be called back."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

import pytest

from ggtui.adapters.remote.downloads.stopping import Stop, Stopped, Threads
from ggtui.core.errors import RemoteRefused


def test_what_the_work_returns_or_raises_is_handed_on() -> None:
    async def both() -> None:
        threads = Threads()
        assert 5 == await threads.carry(lambda _: 5)
        with pytest.raises(RemoteRefused, match="no"):
            await threads.carry(refuse)

    def refuse(_: Stop) -> None:
        raise RemoteRefused("no")

    asyncio.run(both())


def test_a_caller_that_is_cancelled_calls_it_back() -> None:
    began, ended = threading.Event(), threading.Event()

    def work(stop: Stop) -> None:
        began.set()
        with suppress(Stopped):
            stop.wait(1000)
        ended.set()

    async def cancelled() -> None:
        task = asyncio.create_task(Threads().carry(work))
        await asyncio.to_thread(began.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()

    asyncio.run(cancelled())


def test_work_that_hears_nothing_holds_nobody_up() -> None:
    began, release = threading.Event(), threading.Event()

    def work(_: Stop) -> None:
        began.set()
        release.wait()

    async def cancelled() -> None:
        task = asyncio.create_task(Threads().carry(work))
        await asyncio.to_thread(began.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    # Its loop is closed by now; nobody is there to be told.
    (thread,) = [each for each in threading.enumerate() if each.name == "hub"]
    release.set()
    thread.join()


def test_a_stop_stays() -> None:
    stop = Stop()
    stop.check()
    stop.wait(0)
    stop.set()

    assert stop.is_set
    for again in (stop.check, lambda: stop.wait(1000)):
        with pytest.raises(Stopped):
            again()
