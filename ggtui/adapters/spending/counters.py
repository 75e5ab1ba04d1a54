"""Strict limits: what all ggtui of this machine let through within a minute, one transaction at a time."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ggtui.adapters.spending import let_through
from ggtui.adapters.spending.database import open_database, schema_of
from ggtui.adapters.spending.holders import HOLDERS, Holders
from ggtui.adapters.spending.shared_place import check_private
from ggtui.adapters.sqlite.file import LARGEST
from ggtui.adapters.sqlite.thread import FileThread, ended
from ggtui.core.deployment.limits import Wait
from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from ggtui.core.deployment.policies import RateLimits

SCHEMA = schema_of(
    what="the count that all ggtui share",
    statements=(*let_through.STATEMENTS, HOLDERS),
    probe=let_through.PROBE,
    synchronous="OFF",
)


class SqliteCounters:
    """The CountersPort of all processes that name the same file."""

    def __init__(self, database: Path, clock: Callable[[], float] = time.time) -> None:
        """Nothing is opened yet. clock: one that all processes share."""
        self._thread = FileThread(database, _open, "spending")
        self._holders = Holders(database)
        self._clock = clock

    async def reserve(self, name: str, tokens: int, limits: RateLimits) -> int | Wait:
        """See CountersPort."""
        found = self._thread.begin(partial(self._reserve, name=name, tokens=_held(tokens), limits=limits))
        try:
            return await ended(found)
        except asyncio.CancelledError:
            with suppress(StoreUnavailable):
                self._thread.begin(partial(_undo, found=found))
            raise

    async def settle(self, reservation: int, tokens: int) -> None:
        """See CountersPort."""
        await self._thread.run(partial(let_through.settle, number=reservation, tokens=_held(tokens)))

    async def give_back(self, reservation: int) -> None:
        """See CountersPort."""
        await self._thread.run(partial(let_through.give_back, number=reservation))

    async def close(self) -> None:
        """See CountersPort."""
        await self._thread.close(self._holders.end)

    def _reserve(
        self, connection: sqlite3.Connection, name: str, tokens: int, limits: RateLimits
    ) -> int | Wait:
        holder = self._holders.own(connection)
        found = self._at_once(connection, holder, name, tokens, limits)
        if (
            isinstance(found, Wait)
            and limits.concurrent_requests is not None
            and self._holders.bury(connection)
        ):
            found = self._at_once(connection, holder, name, tokens, limits)
        return found

    def _at_once(
        self, connection: sqlite3.Connection, holder: int, name: str, tokens: int, limits: RateLimits
    ) -> int | Wait:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            now = let_through.moment(connection, name, self._clock())
            wait = let_through.wait(connection, name, tokens, limits, now)
            return wait or let_through.add(connection, name, tokens, holder, now)


def _held(tokens: int) -> int:
    return min(max(0, tokens), LARGEST)


def _open(database: Path) -> sqlite3.Connection:
    check_private(database.parent)
    return open_database(database, SCHEMA)


def _undo(connection: sqlite3.Connection, found: Future[int | Wait]) -> None:
    """The thread works in order: what is undone has been done, or has failed."""
    if found.exception() is None and not isinstance(number := found.result(), Wait):
        let_through.give_back(connection, number)
