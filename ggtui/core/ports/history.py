"""Where generations are kept between runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.history import Generation


class HistoryPort(Protocol):
    """Keeps the newest MOST_KEPT generations. Each call but close may raise HistoryUnavailable."""

    async def open(self) -> tuple[Generation, ...]:
        """The newest of earlier runs, newest first, SHOWN at most; called once, before anything is kept.

        Those that were still served when their ggtui was killed have ended with it, here and in what is kept.
        """

    async def keep(self, generations: Sequence[Generation]) -> None:
        """Write these, each in place of what was kept under its number; all of them or none."""

    async def close(self) -> None:
        """Release what is held once what was asked before is done; may be called twice, and without open."""
