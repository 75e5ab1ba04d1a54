"""The engine thread: crossing over, starting, failing to start, and ending."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, cast

import pytest

from ggtui.core.errors import EngineStopping, PortInUse
from ggtui.services.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.services.control import Control
    from ggtui.services.engine import Part

GUARD_S = 20


class Recorder:
    """A part that notes on which thread it was started and stopped."""

    def __init__(self, name: str, log: list[str], failure: Exception | None = None) -> None:
        self.name = name
        self.log = log
        self.failure = failure

    async def start(self) -> None:
        self.log.append(f"start {self.name} on {threading.current_thread().name}")
        if self.failure is not None:
            raise self.failure

    async def stop(self) -> None:
        self.log.append(f"stop {self.name}")


def _engine(parts: Sequence[Part]) -> Engine:
    return Engine(cast("Control", None), parts)


async def _thread_name() -> str:
    return threading.current_thread().name


def test_parts_start_in_order_and_stop_in_reverse_on_the_engine_thread() -> None:
    log: list[str] = []
    engine = _engine([Recorder("a", log), Recorder("b", log)])
    engine.start()
    engine.started.result(GUARD_S)

    assert "ggtui-engine" == engine.submit(_thread_name()).result(GUARD_S)
    assert engine.stop(GUARD_S)
    assert ["start a on ggtui-engine", "start b on ggtui-engine", "stop b", "stop a"] == log
    assert engine.stopped.done()


def test_a_part_that_cannot_start_is_told_and_the_others_are_stopped() -> None:
    log: list[str] = []
    engine = _engine([Recorder("a", log), Recorder("b", log, PortInUse("taken"))])
    engine.start()

    with pytest.raises(PortInUse):
        engine.started.result(GUARD_S)
    engine.stopped.result(GUARD_S)

    assert ["stop b", "stop a"] == log[2:]


def test_nothing_is_accepted_after_the_end() -> None:
    engine = _engine([])
    engine.start()
    engine.started.result(GUARD_S)
    engine.stop(GUARD_S)

    with pytest.raises(EngineStopping):
        engine.submit(_thread_name()).result(GUARD_S)


def test_stop_right_after_start_still_ends() -> None:
    log: list[str] = []
    engine = _engine([Recorder("a", log)])
    engine.start()

    assert engine.stop(GUARD_S)


def test_work_in_hand_is_cancelled_when_the_engine_ends() -> None:
    engine = _engine([])
    engine.start()
    engine.started.result(GUARD_S)
    begun = threading.Event()

    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    future = engine.submit(endless())
    begun.wait(GUARD_S)

    assert engine.stop(GUARD_S)
    assert future.cancelled()


class Hanging(Recorder):
    """A part that never serves, or never ends."""

    def __init__(self, log: list[str], *, in_start: bool) -> None:
        super().__init__("hanging", log)
        self.in_start = in_start
        self.is_there = threading.Event()

    async def start(self) -> None:
        await super().start()
        if self.in_start:
            self.is_there.set()
            await asyncio.Event().wait()

    async def stop(self) -> None:
        await super().stop()
        if not self.in_start:
            await asyncio.Event().wait()


def test_a_part_that_hangs_in_its_start_does_not_keep_the_engine_from_ending() -> None:
    log: list[str] = []
    hanging = Hanging(log, in_start=True)
    engine = _engine([Recorder("a", log), hanging])
    engine.start()
    hanging.is_there.wait(GUARD_S)

    assert engine.stop(GUARD_S)
    assert ["stop hanging", "stop a"] == log[2:]
    with pytest.raises(EngineStopping):
        engine.started.result(GUARD_S)


def test_a_part_that_hangs_in_its_end_does_not_keep_the_others_from_ending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ggtui.services.engine.PART_LIMIT_S", 0.05)
    log: list[str] = []
    engine = _engine([Recorder("a", log), Hanging(log, in_start=False)])
    engine.start()
    engine.started.result(GUARD_S)

    assert engine.stop(GUARD_S)
    assert ["stop hanging", "stop a"] == log[2:]


def test_a_waiter_that_is_cancelled_takes_nothing_along() -> None:
    engine = _engine([])

    async def wait_in_vain() -> None:
        for future in (engine.started, engine.stopped):
            asyncio.wrap_future(future).cancel()
        await asyncio.sleep(0)

    asyncio.run(wait_in_vain())
    engine.start()
    engine.started.result(GUARD_S)

    assert "ggtui-engine" == engine.submit(_thread_name()).result(GUARD_S)
    assert engine.stop(GUARD_S)
    assert engine.stopped.result(GUARD_S) is None
