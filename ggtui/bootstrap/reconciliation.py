"""Backends and downloads: all that closes the difference between what is declared and what is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ggtui.adapters.downloads.queue import SqliteDownloads
from ggtui.adapters.remote.backends.observer import BackendObserver
from ggtui.adapters.remote.backends.puller import OllamaPuller
from ggtui.adapters.remote.downloads.hub import Hub
from ggtui.core.backends.backend import THIS_MACHINE
from ggtui.core.errors import RemoteRefused
from ggtui.services.backends.book import Backends
from ggtui.services.backends.control import BackendsControl
from ggtui.services.backends.loop import ReconcileLoop
from ggtui.services.downloads.book import Downloads
from ggtui.services.downloads.control import DownloadsControl
from ggtui.services.downloads.loop import DownloadLoop

if TYPE_CHECKING:
    from ggtui.config.schema import Config
    from ggtui.core.backends.backend import DeclaredModel
    from ggtui.core.downloads.jobs import Job
    from ggtui.core.ports.backends import BackendObserverPort, PullerPort
    from ggtui.core.ports.deployments import SecretsPort
    from ggtui.core.ports.downloads import DownloadQueuePort, HubPort
    from ggtui.services.catalog import CatalogService
    from ggtui.services.engine import Part


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Adapters in place of the real ones, for tests and pictures; None for the real one."""

    observer: BackendObserverPort | None = None
    puller: PullerPort | None = None
    hub: HubPort | None = None
    queue: DownloadQueuePort | None = None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The services, plugged together and not started."""

    backends: Backends
    loop: ReconcileLoop
    downloads: Downloads
    download_loop: DownloadLoop
    hub: HubPort
    puller: PullerPort
    is_read_only: bool = False
    """Backends are looked at; nothing is fetched."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """In the order in which they are started."""
        fetching = () if self.is_read_only else (self.download_loop,)
        return (Hands(self.hub, self.puller), self.downloads, *fetching, self.backends, self.loop)

    def controls(self, *, is_read_only: bool) -> tuple[BackendsControl, DownloadsControl]:
        """What a person may order of backends, and of downloads."""
        return (
            BackendsControl(self.backends, self.loop, self.puller, is_read_only=is_read_only),
            DownloadsControl(self.downloads, self.hub, is_read_only=is_read_only),
        )

    def heard_by(self, catalog: CatalogService) -> None:
        """Have what was fetched be found at once: in the catalog, and by a cycle."""

        def finished(job: Job) -> None:
            if job.backend == THIS_MACHINE:
                catalog.rescan_soon()
            self.backends.trigger()

        self.downloads.finished = finished

    def take(self, config: Config) -> None:
        """From now on this configuration counts."""
        self.downloads.take(
            parallel=config.downloads_parallel, max_bytes_per_s=config.downloads_max_bytes_per_s
        )
        self.loop.adapt(config.backends_interval_s)
        self.backends.take(config.declared)


def reconciliation_of(
    config: Config, secrets: SecretsPort, neighbours: Neighbours | None = None
) -> Reconciliation:
    """Backends and downloads of this configuration; each asks the other, so both come from here."""
    given = neighbours or Neighbours()
    hub = given.hub or Hub(os.environ)
    puller = given.puller or OllamaPuller()
    downloads = Downloads(
        given.queue or SqliteDownloads(config.data_dir / "downloads.sqlite3"),
        hub,
        puller,
        backend_of=lambda name: backends.backend(name),
        key_of=lambda name: backends.key(name),
        parallel=config.downloads_parallel,
        max_bytes_per_s=config.downloads_max_bytes_per_s,
    )
    backends = Backends(
        config.declared,
        observer=given.observer or BackendObserver(),
        secrets=secrets,
        downloads=downloads,
        local_has=partial(_is_here, hub),
        is_read_only=config.read_only,
    )
    loop = ReconcileLoop(backends, interval_s=config.backends_interval_s)
    download_loop = DownloadLoop(downloads)
    return Reconciliation(backends, loop, downloads, download_loop, hub, puller, config.read_only)


class Hands:
    """Who fetches, as a part: nothing to start, and released when nobody fetches any more."""

    def __init__(self, hub: HubPort, puller: PullerPort) -> None:
        self._hub = hub
        self._puller = puller

    async def start(self) -> None:
        """They begin when they are asked."""

    async def stop(self) -> None:
        """Release what they hold."""
        try:
            await self._hub.close()
        finally:
            await self._puller.close()


async def _is_here(hub: HubPort, model: DeclaredModel) -> bool:
    try:
        return await hub.is_here(model.repository, "main")
    except RemoteRefused:  # a name that no hub has: its download tells what is wrong with it
        return False
