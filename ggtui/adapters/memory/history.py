"""Generations that are kept as long as the process lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.history import MOST_KEPT, SHOWN, Generation, HistoryUnavailable, left_behind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class MemoryHistory:
    """The HistoryPort of tests; what one instance keeps, the next can begin with."""

    def __init__(self, kept: Iterable[Generation] = (), *, failure: str = "") -> None:
        """kept: of an earlier run. failure: why nothing can be opened or kept; may be set at any time."""
        self.kept = {each.number: each for each in kept}
        self.failure = failure
        self.is_open = False

    async def open(self) -> tuple[Generation, ...]:
        """The newest of those that are kept."""
        self._check()
        self.is_open = True
        self.kept = {number: left_behind(each) for number, each in self.kept.items()}
        return tuple(self.kept[number] for number in sorted(self.kept, reverse=True)[:SHOWN])

    async def keep(self, generations: Sequence[Generation]) -> None:
        """Take their places."""
        self._check()
        if not self.is_open:
            raise HistoryUnavailable("the history is not open")
        self.kept |= {each.number: each for each in generations}
        for number in sorted(self.kept)[:-MOST_KEPT]:
            del self.kept[number]

    async def close(self) -> None:
        """Nothing more is kept."""
        self.is_open = False

    def _check(self) -> None:
        if self.failure:
            raise HistoryUnavailable(self.failure)
