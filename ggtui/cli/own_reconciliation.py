"""Backends and downloads in this process, plugged together as in a running ggtui."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from ggtui.adapters.downloads.queue import SqliteDownloads
from ggtui.adapters.memory.downloads import MemoryDownloads
from ggtui.adapters.secrets.sources import SecretSources
from ggtui.bootstrap.reconciliation import Neighbours, reconciliation_of
from ggtui.bootstrap.settings import config_file_of
from ggtui.config.paths import make_private
from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ggtui.bootstrap.reconciliation import Reconciliation
    from ggtui.config.schema import Config
    from ggtui.core.ports.downloads import DownloadQueuePort

_FILE: Final = "downloads.sqlite3"


def queue_file(config: Config) -> Path:
    """Where the queue of downloads is kept."""
    return config.data_dir / _FILE


@asynccontextmanager
async def opened_reconciliation(
    config: Config, *, must_keep: bool = True, changes_nothing: bool = False, has_schedule: bool = False
) -> AsyncIterator[Reconciliation]:
    """Both services of this data folder, stopped at the end.

    must_keep: False for who works on one download alone: where another process has the queue, it is kept
    nowhere, and what is on disk is gone on with all the same.
    changes_nothing: not even the queue is made; where there is one it is read.
    has_schedule: cycles run by themselves; else none does before somebody has it run.
    """
    queue = await _queue(config, must_keep=must_keep, changes_nothing=changes_nothing)
    secrets = SecretSources(folder=config_file_of(config).parent)
    services = reconciliation_of(config, secrets, Neighbours(queue=queue))
    services.downloads.finished = lambda _job: services.backends.trigger()
    loops = () if has_schedule else (services.loop, services.download_loop)
    parts = [part for part in services.parts if part not in loops]
    try:
        for part in parts:
            await part.start()
        yield services
    finally:
        for part in reversed(parts):
            await part.stop()


async def _queue(config: Config, *, must_keep: bool, changes_nothing: bool) -> DownloadQueuePort:
    file = queue_file(config)
    if changes_nothing and not file.exists():
        return MemoryDownloads()
    make_private(config.data_dir)
    queue = SqliteDownloads(file)
    if must_keep:
        return queue
    try:
        await queue.load()
    except StoreUnavailable:
        await queue.close()
        return MemoryDownloads()
    return queue
