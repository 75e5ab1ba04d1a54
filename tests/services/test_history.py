"""What was served, as it is told and kept; that it cannot be kept hurts nobody."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ggtui.adapters.memory.history import MemoryHistory
from ggtui.adapters.memory.launcher import Script
from ggtui.core.history import ENDED_WITH_GGTUI, SHOWN, Generation
from ggtui.core.routing.adapters import AdapterRef
from ggtui.services.history import History
from tests.services.desk import Desk, desk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import pytest

EARLIER = Generation(41, "beta", "/beta.gguf", 2048, 500.0, "loaded by a person")
ASKED = "asked for by a request"


class Clock:
    """Time that passes by one second at each look."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


class SlowHistory(MemoryHistory):
    """Opens when it may."""

    def __init__(self) -> None:
        super().__init__([EARLIER])
        self.may_open = asyncio.Event()
        self.batches: list[tuple[int, ...]] = []

    async def open(self) -> tuple[Generation, ...]:
        await self.may_open.wait()
        return await super().open()

    async def keep(self, generations: Sequence[Generation]) -> None:
        self.batches.append(tuple(each.number for each in generations))
        await super().keep(generations)


def history_of(it: Desk, port: MemoryHistory, weights: dict[str, float] | None = None) -> History:
    def now(_model: str, _names: object) -> tuple[AdapterRef, ...]:
        return tuple(AdapterRef(name, weight) for name, weight in (weights or {}).items())

    return History(port, it.ledger, weights=now, n_requests=it.runtime.scheduler.n_requests, clock=Clock())


@asynccontextmanager
async def kept(
    port: MemoryHistory, weights: dict[str, float] | None = None
) -> AsyncIterator[tuple[Desk, History]]:
    """The services with a history, which stops when everything else has."""
    history: History | None = None
    try:
        async with desk() as it:
            history = history_of(it, port, weights)
            await history.start()
            yield it, history
    finally:
        assert history is not None
        await history.stop()


async def ask(it: Desk, name: str) -> None:
    await it.runtime.ensure_model_running(name, None, 4096)


def test_a_swap_ends_one_generation_and_begins_the_next() -> None:
    port = MemoryHistory([replace(EARLIER, ended=600.0, how_ended="stopped by a person")])

    async def scenario() -> None:
        async with kept(port) as (it, history):
            for _ in range(3):
                await ask(it, "alpha")
            await it.control.load("beta")

            assert [43, 42, 41] == [each.number for each in history.recent]
            assert history.recent[0].is_serving

        began, ended = history.recent[0].began, history.recent[0].ended
        last = (
            43,
            "beta",
            "/models/beta.gguf",
            4096,
            began,
            "loaded by a person",
            (),
            ended,
            "ggtui ended",
            0,
        )

        assert Generation(*last) == history.recent[0]
        alpha = history.recent[1]

        assert ("alpha", ASKED, "made room for beta", 3) == (
            alpha.public_id,
            alpha.why,
            alpha.how_ended,
            alpha.n_requests,
        )
        assert alpha.ended is not None
        assert ended is not None
        assert 1000.0 < alpha.began < alpha.ended < began < ended
        assert {each.number: each for each in history.recent} == port.kept

    asyncio.run(scenario())


def test_what_is_shown_is_the_same_object_until_it_changes() -> None:
    async def scenario() -> None:
        async with kept(MemoryHistory()) as (it, history):
            told: list[tuple[Generation, ...]] = []
            history.changed = lambda: told.append(history.recent)
            await it.until(lambda: bool(told))
            await ask(it, "alpha")
            before = history.recent
            await ask(it, "alpha")

            assert before is history.recent
            assert [0, 1] == [len(each) for each in told]

    asyncio.run(scenario())


def test_a_load_that_never_served_is_no_generation() -> None:
    async def scenario() -> None:
        async with kept(MemoryHistory()) as (it, history):
            it.launcher.script("alpha", Script(hangs=True))
            waiting = asyncio.create_task(ask(it, "alpha"))
            await it.until(lambda: it.launcher.n_starts["alpha"] == 1)
            await it.control.stop()
            await asyncio.gather(waiting, return_exceptions=True)

            assert () == history.recent

    asyncio.run(scenario())


def test_what_happens_before_the_numbers_are_known_is_told_then_in_its_order() -> None:
    async def scenario() -> None:
        port = SlowHistory()
        async with kept(port) as (it, history):
            await ask(it, "alpha")
            await ask(it, "beta")

            assert not history.recent

            port.may_open.set()
            await it.until(lambda: len(history.recent) == 3)

            assert [(43, ""), (42, "made room for beta"), (41, ENDED_WITH_GGTUI)] == [
                (each.number, each.how_ended) for each in history.recent
            ]

    asyncio.run(scenario())


def test_other_weights_begin_another_generation_of_the_same_server() -> None:
    weights = {"code": 0.8}

    async def scenario() -> None:
        async with kept(MemoryHistory(), weights) as (it, history):
            await ask(it, "alpha")
            await it.until(lambda: bool(history.recent))
            history.weights_changed("alpha")  # to what they were

            assert [1] == [each.number for each in history.recent]

            weights["code"] = 0.5
            history.weights_changed("beta")

            assert [1] == [each.number for each in history.recent]

            history.weights_changed("alpha")
            weights["code"] = 0.4  # a key that is held down is one change, for nothing was served between
            history.weights_changed("alpha")
            await ask(it, "alpha")
            await ask(it, "alpha")
            now, before = history.recent

            assert ((AdapterRef("code", 0.4),), "adapter weights changed") == (now.adapters, now.why)
            assert ("adapter weights changed", 1) == (before.how_ended, before.n_requests)
            assert before.ended == now.began
            assert now.is_serving

        assert ("ggtui ended", 2) == (history.recent[0].how_ended, history.recent[0].n_requests)

    asyncio.run(scenario())


def test_a_place_that_cannot_be_opened_is_told_once_and_the_newest_are_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        async with kept(MemoryHistory(failure="no place")) as (it, history):
            for name in ("alpha", "beta", "alpha"):
                await ask(it, name)

            assert [3, 2, 1] == [each.number for each in history.recent]

    with caplog.at_level(logging.WARNING, "ggtui.services.history"):
        asyncio.run(scenario())

    assert ["the history of what is served is not kept: no place"] == caplog.messages


def test_what_could_not_be_written_is_written_when_that_works_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    port = MemoryHistory()

    async def scenario() -> None:
        async with kept(port) as (it, history):
            await it.until(lambda: port.is_open)
            port.failure = "disk full"
            for n in range(SHOWN + 4):
                await ask(it, "beta" if n % 2 else "alpha")
            await it.until(lambda: len(history._unwritten) == SHOWN)

            assert {} == port.kept

            port.failure = ""

        assert {each.number: each for each in history.recent} == port.kept

    with caplog.at_level(logging.WARNING, "ggtui.services.history"):
        asyncio.run(scenario())

    assert ["the history of what is served is not kept: disk full"] == caplog.messages


def test_a_history_that_was_never_started_can_be_stopped() -> None:
    async def scenario() -> None:
        async with desk() as it:
            port = MemoryHistory()
            port.is_open = True
            await history_of(it, port).stop()

            assert not port.is_open

    asyncio.run(scenario())
