"""Pulls on a real process that is shaped as an Ollama: they arrive, end with a cancel, and fail in words."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.downloads.queue import SqliteDownloads
from ggtui.adapters.memory.downloads import MemoryHub
from ggtui.adapters.remote.backends.puller import OllamaPuller
from ggtui.core.backends.backend import Backend, BackendType
from ggtui.core.downloads.jobs import JobState
from ggtui.services.downloads.book import Downloads
from ggtui.services.downloads.loop import DownloadLoop
from tests.backends import Shape, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

GUARD_S = 30


@pytest.fixture
def box() -> Iterator[Shape]:
    with started("ollama") as shape:
        yield shape


@asynccontextmanager
async def downloading(box: Shape, folder: Path) -> AsyncIterator[Downloads]:
    """Downloads whose one backend is this."""
    backend, puller = Backend("box", BackendType.OLLAMA, box.url), OllamaPuller()

    async def no_key(_: str) -> None:
        return None

    book = Downloads(
        SqliteDownloads(folder / "downloads.sqlite3"),
        MemoryHub(),
        puller,
        backend_of=lambda _: backend,
        key_of=no_key,
    )
    loop = DownloadLoop(book)
    await book.start()
    await loop.start()
    try:
        async with asyncio.timeout(GUARD_S):
            yield book
    finally:
        await loop.stop()
        await book.stop()
        await puller.close()


async def until(book: Downloads, is_so: Callable[[], bool]) -> None:
    """Wait for changes until this is so."""
    changed = asyncio.Event()
    book.changed = changed.set
    while not is_so():
        await changed.wait()
        changed.clear()


def test_a_pull_arrives_and_its_layers_are_told(box: Shape, tmp_path: Path) -> None:
    box.script("pull", {"n_pieces": 5, "piece_s": 0.15})
    told: list[int] = []

    async def scenario() -> None:
        async with downloading(box, tmp_path) as book:
            await book.add("llama3", backend="box", by_person=False)
            await until(book, lambda: _note(told, book) and book.jobs[0].state is JobState.DONE)
            job = book.jobs[0]

            assert 0 < job.total_bytes == job.completed_bytes

    asyncio.run(scenario())

    assert ["llama3:latest"] == box.models
    assert sorted(told) == told
    assert 2 < len(set(told))


def _note(told: list[int], book: Downloads) -> bool:
    told.append(book.jobs[0].completed_bytes)
    return True


def test_a_cancel_ends_the_pull_there(box: Shape, tmp_path: Path) -> None:
    box.script("pull", {"hold_after": 3})

    async def scenario() -> None:
        async with downloading(box, tmp_path) as book:
            await book.add("llama3", backend="box", by_person=False)
            await asyncio.to_thread(box.wait, held=1)
            await book.cancel(1)
            await asyncio.to_thread(box.wait, left=1)

            assert JobState.PAUSED == book.jobs[0].state
            assert book.is_held("box", "llama3:latest")

    asyncio.run(scenario())

    assert [] == box.models


def test_a_model_that_no_registry_has_fails_in_its_words(box: Shape, tmp_path: Path) -> None:
    box.script("pull", {"error": "pull model manifest: file does not exist"})

    async def scenario() -> None:
        async with downloading(box, tmp_path) as book:
            await book.add("lama3", backend="box", by_person=False)
            await until(book, lambda: not book.jobs[0].state.is_open)

            assert JobState.FAILED == book.jobs[0].state
            assert "pull model manifest: file does not exist" in book.jobs[0].why

    asyncio.run(scenario())


def test_a_backend_that_is_down_is_waited_for(box: Shape, tmp_path: Path) -> None:
    box.down()

    async def scenario() -> None:
        async with downloading(box, tmp_path) as book:
            await book.add("llama3", backend="box", by_person=True)
            await until(book, lambda: bool(book.jobs[0].why))

            assert JobState.PENDING == book.jobs[0].state
            assert book.jobs[0].hint.endswith("it is tried again in 5 s")

            box.up()
            await book.resume(1)
            await until(book, lambda: book.jobs[0].state is JobState.DONE)

    asyncio.run(scenario())

    assert ["llama3:latest"] == box.models
