"""Reconciliation without a running ggtui: this process looks, compares and fetches by itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ggtui.cli.own_reconciliation import opened_reconciliation
from ggtui.cli.surroundings import look
from ggtui.core.backends.rows import RowState
from ggtui.core.backends_json import backends_document, reconciled_document
from ggtui.core.downloads.jobs import JobState
from ggtui.core.downloads_json import status_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from ggtui.bootstrap.reconciliation import Reconciliation
    from ggtui.config.schema import Config

Document = dict[str, Any]


class OwnCycles:
    """The ReconcileDesk of the configuration."""

    def __init__(self, config: Config, show: Callable[[Document], None]) -> None:
        """show: gets the status_document of a download that runs here."""
        self._config = config
        self._show = show

    def backends(self) -> Document:
        """See ReconcileDesk."""

        async def see() -> Document:
            async with opened_reconciliation(self._config, changes_nothing=True) as services:
                await services.backends.look()
                return backends_document(services.backends.get(), services.backends.rows)

        return look(see())

    def once(self, *, is_dry_run: bool) -> Document:
        """See ReconcileDesk. Of what is queued one download is carried out: a cycle is one unit of work."""
        return look(self._seen() if is_dry_run else self._cycle())

    def watch(self, tell: Callable[[Document], None]) -> None:
        """See ReconcileDesk."""
        look(self._watch(tell))

    async def _seen(self) -> Document:
        async with opened_reconciliation(self._config, changes_nothing=True) as services:
            await services.backends.look()
            return reconciled_document(services.backends.rows, is_dry_run=True)

    async def _cycle(self) -> Document:
        async with opened_reconciliation(self._config) as services:
            services.downloads.changed = lambda: self._show_running(services)
            await services.backends.run_backend_cycle()
            is_fetching = any(row.state is RowState.DOWNLOADING for row in services.backends.rows)
            if is_fetching and await services.downloads.run_download_cycle():
                await services.backends.look()
            return reconciled_document(services.backends.rows, is_dry_run=False)

    async def _watch(self, tell: Callable[[Document], None]) -> None:
        news = asyncio.Event()
        async with opened_reconciliation(self._config, has_schedule=True) as services:
            services.backends.changed = services.downloads.changed = news.set
            await services.loop.run()
            while True:
                news.clear()
                document = reconciled_document(services.backends.rows, is_dry_run=False)
                tell(document)
                self._show_running(services)
                if document["in_sync"]:
                    return
                await news.wait()

    def _show_running(self, services: Reconciliation) -> None:
        for job in services.downloads.jobs:
            if job.state is JobState.RUNNING:
                self._show(status_document(job))
