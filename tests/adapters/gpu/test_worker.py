"""The thread that may hang without anybody waiting for it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from ggtui.adapters.gpu.worker import PatientWorker

GUARD_S = 10.0


def test_a_quick_call_gives_its_value() -> None:
    async def main() -> tuple[int, bool]:
        return await PatientWorker("test", 0).latest(lambda: 5, GUARD_S)

    assert (5, True) == asyncio.run(main())


def test_a_hanging_call_gives_the_last_good_value_and_is_not_repeated() -> None:
    released = threading.Event()
    calls: list[str] = []

    def hang() -> int:
        calls.append("hang")
        released.wait(GUARD_S)
        return 6

    async def main() -> None:
        worker = PatientWorker("test", 0)
        await worker.latest(lambda: 5, GUARD_S)

        assert (5, False) == await worker.latest(hang, 0.01)
        assert (5, False) == await worker.latest(hang, 0.01)
        released.set()
        assert (6, True) == await worker.latest(hang, GUARD_S)
        assert ["hang"] == calls
        worker.close()

    asyncio.run(main())


def test_an_error_reaches_the_caller_and_the_thread_lives_on() -> None:
    def fail() -> int:
        raise KeyError("x")

    async def main() -> None:
        worker = PatientWorker("test", 0)
        with pytest.raises(KeyError):
            await worker.latest(fail, GUARD_S)

        assert (7, True) == await worker.latest(lambda: 7, GUARD_S)

    asyncio.run(main())


def test_close_runs_the_last_work_in_the_thread() -> None:
    done = threading.Event()

    async def main() -> None:
        worker = PatientWorker("test", 0)
        await worker.latest(lambda: 1, GUARD_S)
        worker.close(done.set)

    asyncio.run(main())

    assert done.wait(GUARD_S)


def test_close_before_the_first_call_starts_nothing() -> None:
    PatientWorker("test-never-started", 0).close(lambda: None)

    assert "test-never-started" not in {thread.name for thread in threading.enumerate()}
