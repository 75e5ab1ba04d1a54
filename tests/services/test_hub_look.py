"""A look before a download: once for each commit, a few at a time, and ended with who waits for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ggtui.core.errors import RemoteRefused, RemoteUnreachable
from ggtui.core.models import ModelSummary
from ggtui.core.ports.downloads import Offer
from ggtui.services.hub_look import AT_ONCE, MOST_KEPT, HubLook

if TYPE_CHECKING:
    from ggtui.core.errors import Failure


def _offer(label: str = "Q4_K_M", commit: str = "c" * 40) -> Offer:
    return Offer(f"a/b:{label}", label, commit, ())


def _summary(name: str) -> ModelSummary:
    return ModelSummary(0, name, name, "qwen3", 1, "Q4_K_M")


class FakeModels:
    """Counts who reads at once."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.n_now = self.n_most = 0
        self.gate: asyncio.Event | None = None
        self.failure: Failure | None = None
        self.called = asyncio.Condition()

    async def until(self, n_calls: int) -> None:
        """Until so many were asked for."""
        async with asyncio.timeout(10), self.called:
            await self.called.wait_for(lambda: len(self.asked) >= n_calls)

    async def summary(self, offer: Offer) -> ModelSummary:
        async with self.called:
            self.asked.append((offer.model, offer.commit))
            self.called.notify_all()
        self.n_now += 1
        self.n_most = max(self.n_most, self.n_now)
        try:
            if self.gate is not None:
                await self.gate.wait()
        finally:
            self.n_now -= 1
        if self.failure is not None:
            raise self.failure
        return _summary(offer.model)


def test_what_was_read_is_kept_until_the_commit_is_another() -> None:
    models = FakeModels()

    async def run() -> None:
        look = HubLook(models)
        first, again = await look.summary(_offer()), await look.summary(_offer())
        await look.summary(_offer(commit="d" * 40))

        assert (first, [("a/b:Q4_K_M", "c" * 40), ("a/b:Q4_K_M", "d" * 40)]) == (again, models.asked)

    asyncio.run(run())


def test_a_failure_is_not_kept() -> None:
    models = FakeModels()
    models.failure = RemoteUnreachable("no answer")

    async def run() -> None:
        look = HubLook(models)
        with pytest.raises(RemoteUnreachable):
            await look.summary(_offer())
        models.failure = None

        assert "a/b:Q4_K_M" == (await look.summary(_offer())).public_id

    asyncio.run(run())


def test_a_few_are_read_at_once_and_who_leaves_makes_room() -> None:
    models = FakeModels()

    async def run() -> None:
        models.gate = asyncio.Event()
        look = HubLook(models)
        tasks = [asyncio.create_task(look.summary(_offer(str(n)))) for n in range(3 * AT_ONCE)]
        await models.until(AT_ONCE)
        tasks[0].cancel()
        await models.until(AT_ONCE + 1)
        models.gate.set()
        told = await asyncio.gather(*tasks, return_exceptions=True)

        assert AT_ONCE == models.n_most
        assert [True, *(False for _ in tasks[1:])] == [isinstance(each, BaseException) for each in told]

    asyncio.run(run())


def test_no_more_than_so_many_are_kept() -> None:
    models = FakeModels()

    async def run() -> None:
        look = HubLook(models)
        for number in range(MOST_KEPT + 1):
            await look.summary(_offer(str(number)))
        await look.summary(_offer(str(MOST_KEPT)))
        assert MOST_KEPT + 1 == len(models.asked)
        await look.summary(_offer("0"))
        assert MOST_KEPT + 2 == len(models.asked)

    asyncio.run(run())


def test_without_anybody_who_reads_it_says_so() -> None:
    with pytest.raises(RemoteRefused, match="looks at no hub"):
        asyncio.run(HubLook().summary(_offer()))
