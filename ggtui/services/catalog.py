"""The catalog as the engine uses it: answers from memory, rescans in the background."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ggtui.core.errors import CatalogFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ggtui.core.models import LaunchOptions, ModelLaunchSpec, ModelSummary
    from ggtui.core.ports.catalog import CatalogReport, ModelStorePort

_LOG = logging.getLogger(__name__)

    from ggtui.core.stores import StoreRoot

class CatalogService:
    """Wraps the stored catalog so that a proxied request costs a dictionary look-up.

    Itself a ModelCatalogPort. Lives on the engine's loop; as a Part it loads what is stored, then scans.
    """

    def __init__(self, store: ModelStorePort) -> None:
        self.changed: Callable[[], None] = lambda: None
        """Called after every change; set by whoever publishes."""
        self._store = store
        self._models: tuple[ModelSummary, ...] = ()
        self._by_name: dict[str, ModelSummary] = {}
        self._specs: dict[str, ModelLaunchSpec] = {}
        self._scan: asyncio.Task[CatalogReport] | None = None

    async def start(self) -> None:
        """Show what an earlier run knew, then look at the folders in the background."""
        try:
            await self._read()
        except CatalogFailure as error:
            _LOG.warning("%s: %s", error.title, error.message)
        self._begin_scan()

    async def stop(self) -> None:
        """Close the store; a scan that still runs is given up."""
        if self._scan is not None:
            self._scan.cancel()
            await asyncio.gather(self._scan, return_exceptions=True)
        await self._store.close()

    async def list_models(self) -> Sequence[ModelSummary]:
        """All models by public id; see ModelCatalogPort. While none is known, waits for the scan to end."""
        if not self._models and self._scan is not None:
            await asyncio.shield(self._scan)
        return self._models

    async def resolve_model(self, name: str) -> ModelSummary | None:
        """Exact public id, else numeric id; see ModelCatalogPort. An unknown one waits for the scan."""
        if name not in self._by_name and self._scan is not None:
            await asyncio.shield(self._scan)
        return self._by_name.get(name)

    async def resolve_for_launch(self, name: str) -> ModelLaunchSpec | None:
        """With files; see ModelCatalogPort. A name unknown so far waits for the scan to end."""
        if await self.resolve_model(name) is None:
            return None
        spec = self._specs.get(name)
        if spec is None:
            spec = await self._store.resolve_for_launch(name)
            if spec is not None and spec.problem is None:  # a file that is cut may be whole the next time
                self._specs[name] = spec
        return spec

    async def set_context(self, model_id: int, n_ctx: int | None) -> None:
        """Keep a person's choice; see ModelCatalogPort."""
        await self._store.set_context(model_id, n_ctx)
        await self._read()

    async def note_loaded(self, model_id: int) -> None:
        """Keep that a model was loaded now; see ModelCatalogPort."""
        await self._store.note_loaded(model_id)
        await self._read()

    async def reconfigure(
        self, folders: Sequence[Path], options: LaunchOptions, stores: Sequence[StoreRoot] = ()
    ) -> None:
        """Look into other places, launch with other options; returns when they were looked at."""
        await self._store.reconfigure(folders, options, stores)
        await self._read()
        await self.rescan()

    async def rescan(self) -> CatalogReport:
        """Look at the folders again and wait for the result."""
        return await asyncio.shield(self._begin_scan())

    async def refresh(self) -> CatalogReport:
        """See ModelCatalogPort."""
        return await self.rescan()

    def report(self) -> CatalogReport:
        """What the last scan found."""
        return self._store.report()

    async def close(self) -> None:
        """See ModelCatalogPort."""
        await self.stop()

    @property
    def models(self) -> tuple[ModelSummary, ...]:
        """What is known now."""
        return self._models

    @property
    def is_scanning(self) -> bool:
        """True while the folders are being looked at."""
        return self._scan is not None and not self._scan.done()

    def _begin_scan(self) -> asyncio.Task[CatalogReport]:
        if self._scan is None or self._scan.done():
            self._scan = asyncio.get_running_loop().create_task(self._refresh())
            self._scan.add_done_callback(lambda _task: self.changed())
            self.changed()
        return self._scan

    async def _refresh(self) -> CatalogReport:
        try:
            report = await self._store.refresh()
            await self._read()
        except CatalogFailure as error:
            _LOG.warning("%s: %s", error.title, error.message)
        except Exception:  # whoever waits for the scan goes on with what is known
            _LOG.exception("the folders cannot be looked at")
        else:
            return report
        return self._store.report()

    async def _read(self) -> None:
        self._models = tuple(await self._store.list_models())
        by_name = {str(model.id): model for model in self._models}
        by_name.update({model.public_id: model for model in self._models})
        self._by_name = by_name
        self._specs.clear()
        self.changed()
