"""What every place for the history promises."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import pytest

from ggtui.adapters.history.store import SqliteHistory
from ggtui.adapters.memory.history import MemoryHistory
from ggtui.core.history import ENDED_WITH_GGTUI, SHOWN, Generation, HistoryUnavailable
from ggtui.core.routing.adapters import AdapterRef

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.core.ports.history import HistoryPort

FIRST = Generation(1, "alpha", "/models/alpha.gguf", 4096, 1000.0, "asked for by a request")
DONE = replace(
    FIRST,
    adapters=(AdapterRef("code", 0.8), AdapterRef("chat", 0.0)),
    ended=1060.5,
    how_ended="made room for beta",
    n_requests=7,
)


class NextRun(Protocol):
    """The history of one more run of ggtui on the same data."""

    def __call__(self) -> HistoryPort: ...


@pytest.fixture(params=["memory", "sqlite"])
def next_run(request: pytest.FixtureRequest, tmp_path: Path) -> NextRun:
    if request.param == "sqlite":
        return lambda: SqliteHistory(tmp_path / "data" / "history.sqlite3")
    runs = [MemoryHistory()]

    def begin() -> MemoryHistory:
        runs.append(MemoryHistory(runs[-1].kept.values()))
        return runs[-1]

    return begin


def numbered(number: int) -> Generation:
    return replace(DONE, number=number)


def test_what_is_kept_is_there_in_the_next_run_whole(next_run: NextRun) -> None:
    async def scenario() -> None:
        first = next_run()

        assert () == await first.open()

        await first.keep([FIRST])
        await first.keep([DONE, replace(DONE, number=2, adapters=())])
        await first.close()
        second = next_run()

        assert (replace(DONE, number=2, adapters=()), DONE) == await second.open()

        await second.close()

    asyncio.run(scenario())


def test_one_that_a_killed_run_left_open_has_ended_with_it_and_nobody_knows_when(next_run: NextRun) -> None:
    ended = replace(FIRST, number=2, how_ended=ENDED_WITH_GGTUI)

    async def scenario() -> None:
        killed = next_run()
        await killed.open()
        await killed.keep([DONE, replace(FIRST, number=2)])
        await killed.close()
        for _ in range(2):
            run = next_run()

            assert (ended, DONE) == await run.open()

            await run.close()

    asyncio.run(scenario())


def test_the_newest_are_shown(next_run: NextRun) -> None:
    async def scenario() -> None:
        first = next_run()
        await first.open()
        await first.keep([numbered(number) for number in range(1, 51)])
        await first.close()
        second = next_run()

        assert tuple(numbered(number) for number in range(50, 50 - SHOWN, -1)) == await second.open()

        await second.close()

    asyncio.run(scenario())


def test_nothing_is_kept_before_it_is_open_nor_after_its_end(next_run: NextRun) -> None:
    async def scenario() -> None:
        run = next_run()
        with pytest.raises(HistoryUnavailable):
            await run.keep([FIRST])
        await run.open()
        await run.close()
        await run.close()
        with pytest.raises(HistoryUnavailable):
            await run.keep([FIRST])

    asyncio.run(scenario())


def test_the_oldest_go(next_run: NextRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ggtui.adapters.memory.history.MOST_KEPT", 3)
    monkeypatch.setattr("ggtui.adapters.history.rows.MOST_KEPT", 3)

    async def scenario() -> None:
        first = next_run()
        await first.open()
        for number in range(1, 6):
            await first.keep([numbered(number)])
        await first.close()
        second = next_run()

        assert tuple(numbered(number) for number in (5, 4, 3)) == await second.open()

        await second.close()

    asyncio.run(scenario())
