"""Which context a model gets when nobody chooses one: what this machine holds, worked out beside the work."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from ggtui.core.forecast_servers import advised_ctx_of_servers
from ggtui.core.units import MIB

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.core.deployment.replicas import ReplicaPlan
    from ggtui.core.memory.pool import MemoryPool
    from ggtui.core.models import LaunchOptions, ModelSummary
    from ggtui.services.catalog import CatalogService

_LOG = logging.getLogger(__name__)

SLICE_S = 0.004
"""The engine's loop is held no longer at a time: a thousand models take a tenth of a second."""

MOVED_BYTES = 512 * MIB
"""The memory may move so far before the advice is worked out anew, or by a twentieth of what there is."""

LOOK_S = 2.0


class ContextAdvice:
    """As a Part it keeps the catalog's advice up to date."""

    def __init__(self, catalog: CatalogService, pool: Callable[[], MemoryPool]) -> None:
        """pool: the memory our servers may share, their own part given back."""
        self._catalog = catalog
        self._pool = pool
        self._task: asyncio.Task[None] | None = None
        self._stir = asyncio.Event()
        self._basis: MemoryPool | None = None
        self._seen: dict[int, tuple[ModelSummary, LaunchOptions, ReplicaPlan]] = {}
        catalog.advise, catalog.listed = self.of, self._stir.set

    async def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        """End looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def of(self, model: ModelSummary) -> int | None:
        """The context of one model, now; None when its memory is not known."""
        plan = self._catalog.replicas_of(model.public_id)
        return _advised(model, self._catalog.options_of(model), self._basis or self._pool(), plan)

    async def _watch(self) -> None:
        while True:
            await self._look()
            self._stir.clear()
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._stir.wait()
            except TimeoutError:
                continue

    async def _look(self) -> None:
        pool = self._pool()
        if pool.total_bytes <= 0:
            return
        if self._basis is None or _has_moved(self._basis, pool):
            self._basis, self._seen = pool, {}
        advice: dict[int, int | None] = {}
        until = time.monotonic() + SLICE_S
        for model in self._catalog.models:
            options = self._catalog.options_of(model)
            plan = self._catalog.replicas_of(model.public_id)
            if self._is_seen(model, options, plan):
                continue
            self._seen[model.id] = (model, options, plan)
            advice[model.id] = _advised(model, options, pool, plan)
            if time.monotonic() >= until:
                await asyncio.sleep(0)
                until = time.monotonic() + SLICE_S
        if advice:
            self._catalog.take_advice(advice)

    def _is_seen(self, model: ModelSummary, options: LaunchOptions, plan: ReplicaPlan) -> bool:
        seen = self._seen.get(model.id)
        if seen is None or seen[1:] != (options, plan):
            return False
        known = seen[0]
        return (known.shape, known.weights, known.measured) == (model.shape, model.weights, model.measured)


def _advised(model: ModelSummary, options: LaunchOptions, pool: MemoryPool, plan: ReplicaPlan) -> int | None:
    """A model that cannot be forecast gets no advice; it keeps neither itself nor the others from loading."""
    try:
        return advised_ctx_of_servers(model, options, pool, plan)
    except Exception:
        _LOG.exception("no context is advised for %s", model.public_id)
        return None


def _has_moved(before: MemoryPool, now: MemoryPool) -> bool:
    if (before.kind, before.n_devices) != (now.kind, now.n_devices):
        return True
    return abs(now.room_bytes - before.room_bytes) > max(MOVED_BYTES, now.total_bytes // 20)
