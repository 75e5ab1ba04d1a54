"""What is loaded at the start, before anybody asks."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ggtui.core.admission import Admission
from ggtui.core.causes import Wish
from ggtui.core.context import AUTO_CTX
from ggtui.core.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ggtui.core.ports.catalog import ModelCatalogPort
    from ggtui.services.runtime import ModelRuntime

_LOG = logging.getLogger(__name__)


class WarmUp:
    """Loads in the background. As a Part it never keeps the engine from serving."""

    def __init__(
        self,
        catalog: ModelCatalogPort,
        runtime: ModelRuntime,
        *,
        preload: Sequence[str] = (),
        restores_last: bool = False,
        default_ctx: int = AUTO_CTX,
    ) -> None:
        self._catalog = catalog
        self._runtime = runtime
        self._preload = tuple(preload)
        self._restores_last = restores_last
        self._default_ctx = default_ctx
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._warm_up())

    async def stop(self) -> None:
        """Give up what has not been loaded yet."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _warm_up(self) -> None:
        wanted = [(name, Wish.LAST_RUN) for name in await self._last()]
        wanted += [(name, Wish.PRELOAD) for name in self._preload]
        for name, wish in wanted:
            try:
                async with self._runtime.acquire(name, None, self._default_ctx, Admission(wish=wish)):
                    pass
            except Failure as error:
                _LOG.warning("%s was not loaded at the start: %s", name, error.message)
            except Exception:  # the others are wanted all the same
                _LOG.exception("%s was not loaded at the start", name)

    async def _last(self) -> tuple[str, ...]:
        """The model that was loaded last, when it is to come back and is still there."""
        if not self._restores_last:
            return ()
        loaded = [model for model in await self._catalog.list_models() if model.loaded_at is not None]
        last = max(loaded, key=lambda model: model.loaded_at or 0.0, default=None)
        return (last.public_id,) if last is not None else ()
