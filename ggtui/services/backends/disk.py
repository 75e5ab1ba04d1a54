"""Which of the declared models lie on this disk, as of the last look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.backends.wanted import on_this_disk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ggtui.core.backends.backend import Declared, DeclaredModel
    from ggtui.services.deployments.clock import Clock


class Disk:
    """Remembers for each repository whether it is there."""

    def __init__(self, has: Callable[[DeclaredModel], Awaitable[bool]], clock: Clock) -> None:
        """has: looks now whether a model with a repository is there, whole."""
        self.found: dict[str, bool] = {}
        """By repository, as declared. Replaced, never changed."""
        self.looked_at = 0.0
        """Unix time at which the last look began."""
        self._has = has
        self._clock = clock

    async def look(self, declared: Declared) -> bool:
        """Look at all of them; True when something is other than it was."""
        began = self._clock.unix()
        found = {each.repository: await self._has(each) for each in on_this_disk(declared)}
        is_news = found != self.found
        self.found, self.looked_at = found, began
        return is_news

    def has(self, model: DeclaredModel) -> bool:
        """Whether it was there."""
        return self.found.get(model.repository, False)

    def is_known(self, model: DeclaredModel) -> bool:
        """False for one that belongs on this disk and was not looked for yet."""
        return not model.repository or model.repository in self.found
