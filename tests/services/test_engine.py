"""The engine thread: crossing over, starting, failing to start, and ending."""

from __future__ import annotations

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
        import asyncio

        begun.set()
        await asyncio.Event().wait()

    future = engine.submit(endless())
    begun.wait(GUARD_S)

    assert engine.stop(GUARD_S)
    assert future.cancelled()
