"""Looks that nobody waits for any more, and many at once."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.remote.backends.observer import BackendObserver
from ggtui.core.errors import BackendError
from tests.adapters.remote.backends.looking import declared_at
from tests.backends import GUARD_S, started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.backends import Shape


@pytest.fixture
def vllm() -> Iterator[Shape]:
    with started("vllm", ["a"]) as shape:
        yield shape


async def _held(shape: Shape, observer: BackendObserver) -> asyncio.Task[object]:
    """A look whose question has arrived and is not answered."""
    shape.script("list", {"hang": True})
    look = asyncio.ensure_future(observer.observe(declared_at(shape), None))
    await asyncio.to_thread(shape.wait, "list", requests=1)
    return look


def _threads() -> int:
    return sum(each.name == "hub" for each in threading.enumerate())


def test_whoever_is_cancelled_leaves_no_question_open(vllm: Shape) -> None:
    async def scenario() -> None:
        look = await _held(vllm, BackendObserver())
        look.cancel()
        with pytest.raises(asyncio.CancelledError):
            await look
        await asyncio.to_thread(vllm.wait, left=1)

        assert 0 == _threads()

    asyncio.run(asyncio.wait_for(scenario(), GUARD_S))


def test_the_end_of_the_observer_is_the_end_of_its_looks(vllm: Shape) -> None:
    async def scenario() -> None:
        observer = BackendObserver()
        look = await _held(vllm, observer)
        await observer.close()
        with pytest.raises(BackendError):
            await look

        assert 0 == _threads()

    asyncio.run(asyncio.wait_for(scenario(), GUARD_S))


def test_a_slow_backend_delays_no_other(vllm: Shape) -> None:
    async def scenario() -> None:
        observer = BackendObserver()
        slow = await _held(vllm, observer)
        with started("vllm", ["b"]) as other:
            models = await asyncio.gather(*(observer.observe(declared_at(other), None) for _ in range(8)))

        assert 8 * ["b"] == [each.name for (each,) in models]
        assert not slow.done()

        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)

    asyncio.run(asyncio.wait_for(scenario(), GUARD_S))
