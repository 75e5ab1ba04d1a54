"""What an offered model would be, before it is downloaded: for a forecast of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from ggtui.core.errors import RemoteRefused

if TYPE_CHECKING:
    from ggtui.core.models import ModelSummary
    from ggtui.core.ports.downloads import Offer
    from ggtui.core.ports.remote_models import RemoteModelsPort

AT_ONCE: Final = 4
"""Models whose headers are read at the same time."""
MOST_KEPT: Final = 256


class HubLook:
    """Lives on the engine's loop. What was read is kept as long as the commit is the same."""

    def __init__(self, models: RemoteModelsPort | None = None) -> None:
        """models: who reads; None where nobody does."""
        self._models = models
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._kept: dict[tuple[str, str], ModelSummary] = {}

    async def summary(self, offer: Offer) -> ModelSummary:
        """What the headers tell; a broken file has a `problem`.

        Raises: RemoteFailure, HeaderUnreadable, ConfigInvalid.
        """
        if self._models is None:
            raise RemoteRefused("this ggtui looks at no hub")
        key = (offer.model, offer.commit)
        if key not in self._kept:
            async with self._turn:
                self._keep(key, await self._models.summary(offer))
        return self._kept[key]

    def _keep(self, key: tuple[str, str], summary: ModelSummary) -> None:
        while len(self._kept) >= MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = summary
