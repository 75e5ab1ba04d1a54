"""Looks a running ggtui over: what is in order, what is not, and what cures it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ggtui.core import health
from ggtui.core.health import Check, Health

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ggtui.services.catalog import CatalogService
    from ggtui.services.engine_lookup import EngineLookup
    from ggtui.services.gpu_watch import GpuWatch


class Doctor:
    """Asks the services for what they know; only the settings' own checks look at the disk."""

    def __init__(
        self,
        *,
        catalog: CatalogService,
        gpu: GpuWatch,
        lookup: EngineLookup,
        settings: Callable[[], Sequence[Check]] = tuple,
    ) -> None:
        """settings: checks the configuration and its folders; called in a thread."""
        self._catalog = catalog
        self._gpu = gpu
        self._lookup = lookup
        self._settings = settings

    async def examine(self, url: str) -> tuple[Check, ...]:
        """All checks, in the order in which they are read. url: what clients use; empty without a proxy."""
        own = await asyncio.to_thread(self._settings)
        report, reading, info = self._catalog.report(), self._gpu.reading, self._lookup.info
        found = [*own, health.models(self._catalog.models, report), *health.disk(report)]
        if info is None:
            found.append(
                Check("engine", Health.WARN, "it is still being looked for", "look again in a moment")
            )
        else:
            found += [health.engine(info), health.driver(reading, info)]
        served = Check("proxy", Health.OK, f"serves at {url}" if url else "none; only this screen can ask")
        return (*found, health.memory(reading), health.processor(reading), served)
