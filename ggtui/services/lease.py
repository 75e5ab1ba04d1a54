"""One request's hold on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from ggtui.core.models import RunningTarget


class Lease:
    """A context: entering waits to be let in, leaving it in any way gives the server back, once.

    Every request makes one, so it is a class of its own: `asynccontextmanager` costs three times as much.
    """

    __slots__ = ("_enter", "_leave", "_ticket_id")

    def __init__(
        self, enter: Callable[[], Awaitable[tuple[int, RunningTarget]]], leave: Callable[[int], None]
    ) -> None:
        """enter: gives the ticket's id and its server, or raises and leaves nothing behind.

        leave: ends the ticket with this id.
        """
        self._enter = enter
        self._leave = leave

    async def __aenter__(self) -> RunningTarget:
        self._ticket_id, target = await self._enter()
        return target

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave(self._ticket_id)
