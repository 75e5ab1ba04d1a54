"""Those who wait for a server, each told exactly once how its wait ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ggtui.core.errors import ModelRuntimeError
    from ggtui.core.models import RunningTarget


class Grants:
    """What was promised to each ticket. Lives on the engine's loop."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[RunningTarget]] = {}

    def expect(self, ticket_id: int) -> asyncio.Future[RunningTarget]:
        """What this ticket waits for; whoever asks forgets it afterwards."""
        waiting = self._waiting[ticket_id] = asyncio.get_running_loop().create_future()
        return waiting

    def forget(self, ticket_id: int) -> None:
        """Nobody waits with this ticket any more."""
        del self._waiting[ticket_id]

    def grant(self, ticket_id: int, target: RunningTarget | None) -> None:
        """It is let in to this server; one that has gone meanwhile lets nobody in."""
        waiting = self._waiting.get(ticket_id)
        if target is not None and waiting is not None and not waiting.done():
            waiting.set_result(target)

    def refuse(self, ticket_id: int, error: ModelRuntimeError) -> None:
        """It gets nothing."""
        waiting = self._waiting.get(ticket_id)
        if waiting is None or waiting.done():
            return
        waiting.set_exception(error)
        waiting.exception()  # seen: the waiter may have been cancelled in the same moment
