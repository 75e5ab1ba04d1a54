"""Log lines are kept per model and handed on in batches."""

from __future__ import annotations

import asyncio

from ggtui.core.snapshot import LogBatch
from ggtui.services.logs import MAX_LINES, MAX_MODELS, LogBook


def test_the_tail_is_per_model_and_bounded() -> None:
    book = LogBook()
    for number in range(MAX_LINES + 10):
        book.add("a", str(number))
    book.add("b", "other")

    assert (str(MAX_LINES + 8), str(MAX_LINES + 9)) == book.tail("a", 2)
    assert MAX_LINES == len(book.tail("a", 10 * MAX_LINES))
    assert ("other",) == book.tail("b", 5)
    assert () == book.tail("c", 5)


def test_a_burst_arrives_as_one_batch() -> None:
    async def scenario() -> list[LogBatch]:
        book = LogBook()
        arrived = asyncio.Event()
        batches: list[LogBatch] = []

        def hear(batch: LogBatch) -> None:
            batches.append(batch)
            arrived.set()

        end = book.subscribe(hear)
        for number in range(200):
            book.add("a", str(number))
        await asyncio.wait_for(arrived.wait(), 20)
        end()
        book.add("a", "unheard")
        return batches

    assert [LogBatch("a", tuple(str(number) for number in range(200)))] == asyncio.run(scenario())


def test_one_deaf_subscriber_does_not_silence_the_others() -> None:
    async def scenario() -> None:
        book = LogBook()
        arrived = asyncio.Event()

        def fail(_batch: LogBatch) -> None:
            raise RuntimeError("gone")

        book.subscribe(fail)
        book.subscribe(lambda _batch: arrived.set())
        book.add("a", "line")
        await asyncio.wait_for(arrived.wait(), 20)

    asyncio.run(scenario())


def test_the_model_that_was_silent_for_longest_is_forgotten_first() -> None:
    book = LogBook()
    for number in range(MAX_MODELS):
        book.add(str(number), "line")
    book.add("0", "again")
    book.add("one too many", "line")

    assert ("line", "again") == book.tail("0", 5)
    assert () == book.tail("1", 5)
    assert ("line",) == book.tail("2", 5)
